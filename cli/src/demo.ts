import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { loadHasher, ProofError, type VerifiedSegment, verifySegment } from '@cairn/commitments';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type HttpTransport, MIB, type Root, seededRng } from '@cairn/primitives';
import {
  filePath,
  MAX_SEGMENT_MESSAGE_BYTES,
  parseSegmentMessage,
  segmentPath,
} from '@cairn/wire-protocol';

/** Writes a file of seeded chance: the same seed gives the same bytes on every machine. */
export async function writeSeededFile(
  path: string,
  sizeBytes: number,
  { seed, signal }: { readonly seed: number; readonly signal: AbortSignal },
): Promise<void> {
  const rng = seededRng(seed);
  const handle: FileHandle = await open(path, 'wx', 0o600);
  try {
    for (let done = 0; done < sizeBytes; done += MIB) {
      signal.throwIfAborted();
      await handle.write(rng.fill(new Uint8Array(Math.min(MIB, sizeBytes - done))));
    }
  } finally {
    await handle.close();
  }
}

/** SHA-256 of a stream as hex: a comparison that owes nothing to our own trees. */
export async function digestOf(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const piece of stream) {
    hash.update(piece);
    sizeBytes += piece.length;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** SHA-256 of a local file, or of part of it, as hex. */
export function digestOfFile(
  path: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const part =
    range === undefined ? {} : { start: range.offset, end: range.offset + range.length - 1 };
  return digestOf(createReadStream(path, part));
}

/** A segment fetched from one node and proven here, and what its proof says to a changed byte. */
export interface SegmentDemonstration {
  readonly segment: VerifiedSegment;
  /** The fault's code when one byte of the segment is changed. */
  readonly codeOfChange: string;
}

/** Fetches one segment from a node and proves that it belongs to the file. @throws {ProofError} */
export async function demonstrateSegment(
  { root, index, url }: { readonly root: Root; readonly index: number; readonly url: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<SegmentDemonstration> {
  const message = await fetchBytes(`${url}${segmentPath(root, index)}`, {
    maxBytes: MAX_SEGMENT_MESSAGE_BYTES,
    signal,
  });
  const hasher = await loadHasher();
  const { segment: fields } = parseSegmentMessage(message.bytes);
  const segment = verifySegment(fields, hasher);
  const data = fields.data.slice();
  data[0] = (data[0] ?? 0) ^ 1;
  try {
    verifySegment({ ...fields, data }, hasher);
  } catch (error) {
    if (error instanceof ProofError) return { segment, codeOfChange: error.code };
    throw error;
  }
  throw new Error('a changed segment passed its proof');
}

/** Part of a file as any HTTP program reads it. */
export async function fetchRange(
  { root, url }: { readonly root: Root; readonly url: string },
  { offset, length }: { readonly offset: number; readonly length: number },
  { signal }: { readonly signal: AbortSignal },
): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
  return fetchBytes(`${url}${filePath(root)}`, {
    headers: { range: `bytes=${offset}-${offset + length - 1}` },
    maxBytes: length,
    signal,
  });
}

async function fetchBytes(
  url: string,
  {
    headers = {},
    maxBytes,
    signal,
  }: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly maxBytes: number;
    readonly signal: AbortSignal;
  },
): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
  const transport: HttpTransport = createNodeTransport();
  try {
    const reply = await transport.send({ method: 'GET', url, headers, signal });
    return { status: reply.status, bytes: await reply.bytes(maxBytes) };
  } finally {
    await transport.close();
  }
}
