import { randomBytes } from 'node:crypto';
import { signerFromKey } from '@cairn/chain-access';
import { createClient } from '@cairn/client-sdk';
import { deriveStreamId, type StreamId } from '@cairn/kv-layer';
import { formatDuration, systemClock, utf8Text } from '@cairn/primitives';
import type { Endpoints } from '@cairn/wire-protocol';
import { CliError } from './errors.ts';
import type { CommandContext } from './io.ts';

/** What the tour of a stream works with. */
export interface StreamTourOptions {
  readonly endpoints: Endpoints;
  /** Private key that pays, hex. */
  readonly payer: string;
  /** Number of its step. */
  readonly step: number;
  readonly say: (text: string) => Promise<void>;
}

/** What the tour found, for `--json`. */
export interface StreamTourResult {
  readonly stream: StreamId;
  readonly sequence: number;
  /** From the call until a node had decided and applied it. */
  readonly putMs: number;
  readonly value: string;
}

const KEY = 'greeting';

/** Writes a key of a new stream, changes it, and reads both values back from a node that replayed them. */
export async function streamTour(
  { endpoints, payer, step, say }: StreamTourOptions,
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<StreamTourResult | undefined> {
  const [url] = endpoints.kv;
  const [chain] = endpoints.chains;
  if (url === undefined || chain === undefined) return undefined;
  const clock = systemClock();
  const client = createClient({
    ...(endpoints.indexer === undefined ? {} : { indexer: endpoints.indexer }),
    rpc: chain.rpc,
    signer: payer,
    kv: endpoints.kv,
  });
  try {
    const { address } = signerFromKey(payer);
    const id = deriveStreamId(address, new Uint8Array(randomBytes(32)));
    const stream = client.kv.stream(id);
    const startedAt = clock.monotonic();
    const { sequence } = await stream.put(KEY, 'hello', { signal });
    const putMs = clock.monotonic() - startedAt;
    await stream.put(KEY, 'hello again', { signal });
    const now = await stream.get(KEY, { signal });
    const before = await stream.get(KEY, { version: sequence, signal });
    const [value, first] = [now, before].map((found) => found && utf8Text(found.value));
    if (value !== 'hello again' || first !== 'hello') {
      throw new CliError(
        { code: 'CLI_MISMATCH', expected: 'hello again', actual: value ?? 'nothing' },
        `the key-value node gave ${JSON.stringify([first, value])}, not what was written`,
      );
    }
    await say(`${step}. Wrote a key twice to a stream of our own (${formatDuration(putMs)} each):`);
    await say(`     stream    ${id}`);
    await say(`     ${KEY}  "${value}" now, "${first}" at entry ${sequence}, from ${url}`);
    return { stream: id, sequence, putMs: Math.round(putMs), value };
  } finally {
    await client.close();
  }
}
