import { COMMIT, VERSION_CONFLICT } from '@cairn/kv-layer';
import type { Clock, Sequence } from '@cairn/primitives';
import { SdkError } from '../errors.ts';
import type { KvNodeClient } from './kv-node-client.ts';

/** The first pause between questions; it grows by half. */
const FIRST_POLL_MS = 50;
const MAX_POLL_MS = 1000;
/** A node that has said nothing for so long is waiting for data, or for the chain. */
const MAX_WAIT_MS = 120_000;
/**
 * A node that watches what the log names passes over the first entry of a stream, and replays it beside
 * what it answers until that has caught up.
 */
const MAX_PASSED_OVER_MS = 20_000;

/**
 * Waits until a node has decided a log entry that carries a batch, and returns if it was applied.
 *
 * @throws {SdkError} SDK_KV_CONFLICT, SDK_KV_REFUSED with the node's result, SDK_KV_NOT_WATCHED,
 * SDK_KV_UNDECIDED after two minutes, SDK_KV_NODE; the signal's reason
 */
export async function decideEntry(
  sequence: Sequence,
  {
    node,
    clock,
    signal,
  }: { readonly node: KvNodeClient; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const beganMs = clock.monotonic();
  let passedOverMs: number | undefined;
  for (let pauseMs = FIRST_POLL_MS; ; pauseMs = Math.min(pauseMs * 1.5, MAX_POLL_MS)) {
    const next = await node.nextSequence({ signal });
    const result = await node.result(sequence, { signal });
    if (result !== undefined) return judge(sequence, result);
    if (next > sequence) passedOverMs ??= clock.monotonic();
    else passedOverMs = undefined;
    if (passedOverMs !== undefined && clock.monotonic() - passedOverMs > MAX_PASSED_OVER_MS) {
      throw new SdkError(
        { code: 'SDK_KV_NOT_WATCHED', sequence },
        `log entry ${sequence} is paid for and stored, but the key-value node passed over it: it does not watch all streams that the batch writes to`,
      );
    }
    const waitedMs = Math.round(clock.monotonic() - beganMs);
    if (waitedMs > MAX_WAIT_MS) {
      throw new SdkError(
        { code: 'SDK_KV_UNDECIDED', sequence, nextSequence: next, waitedMs },
        `log entry ${sequence} is paid for and stored, but after ${waitedMs} ms the key-value node is still at entry ${next}`,
      );
    }
    await clock.sleep(pauseMs, signal);
  }
}

function judge(sequence: Sequence, result: string): void {
  if (result === COMMIT) return;
  if (result === VERSION_CONFLICT) {
    throw new SdkError(
      { code: 'SDK_KV_CONFLICT', sequence },
      `log entry ${sequence} changed nothing: a key that it read or writes was written by somebody else first`,
    );
  }
  throw new SdkError(
    { code: 'SDK_KV_REFUSED', sequence, result },
    `log entry ${sequence} changed nothing: ${result}`,
  );
}
