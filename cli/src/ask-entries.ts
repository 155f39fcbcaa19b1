import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  type Address,
  type HttpTransport,
  parseJson,
  type Root,
  type Sequence,
  utf8Text,
} from '@cairn/primitives';
import { fileStatPath, parseFileStat } from '@cairn/wire-protocol';

/** A log entry of a file, as the chain has it and a node repeats it. */
export interface KnownEntry {
  readonly sequence: Sequence;
  readonly sizeBytes: number;
  readonly startSector: number;
  readonly paddedSectors: number;
  readonly submitter: Address;
  readonly tags: Uint8Array;
  readonly block: number;
}

const TIMEOUT_MS = 5_000;
const MAX_REPLY_BYTES = 8 * 2 ** 20;

/**
 * The log entries of a root, oldest first, from the first of `urls` that tells. Empty where none
 * does: nodes of other makers have no such door.
 */
export async function askEntries(
  root: Root,
  urls: readonly string[],
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly KnownEntry[]> {
  const transport = createNodeTransport();
  try {
    for (const url of urls) {
      const entries = await askOne(transport, `${url}${fileStatPath(root)}`, signal);
      signal.throwIfAborted();
      if (entries !== undefined) return entries;
    }
    return [];
  } finally {
    await transport.close();
  }
}

async function askOne(
  transport: HttpTransport,
  url: string,
  signal: AbortSignal,
): Promise<readonly KnownEntry[] | undefined> {
  try {
    const reply = await transport.send({ method: 'GET', url, signal, timeoutMs: TIMEOUT_MS });
    if (reply.status !== 200) {
      await reply.discard();
      return undefined;
    }
    const { entries } = parseFileStat(parseJson(utf8Text(await reply.bytes(MAX_REPLY_BYTES))));
    return entries.map(
      ({ sequence, sizeBytes, startSector, paddedSectors, submitter, tags, block }) => ({
        sequence,
        sizeBytes,
        startSector,
        paddedSectors,
        submitter,
        tags,
        block,
      }),
    );
  } catch {
    return undefined; // away, or another maker's node
  }
}
