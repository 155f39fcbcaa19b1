import type { HealthReport } from '@cairn/node-runtime/http';
import { describeWait, type ReplayStatus, waitOf } from './replay-status.ts';

/** A wait that is shorter is a file on its way. */
const PATIENCE_MS = 10_000;
/** Blocks that the log may be behind the chain, confirmations not counted. */
const MAX_LAG_BLOCKS = 10;
/** Entries that replay may be behind the log. */
const MAX_LAG_ENTRIES = 1000;

/**
 * Whether the node should be asked: it has read the log up to the chain's head and replayed it. What
 * it waits for is told in a sentence, also while it still answers.
 */
export function readyReport(
  status: ReplayStatus,
  { confirmations }: { readonly confirmations: number },
): HealthReport {
  const { head, block, logNext, nextSequence, rebuilt, diskReason, holes, pending, bootstrap } =
    status;
  const reasons: string[] = [];
  let ok = true;
  const refuse = (reason: string): void => {
    ok = false;
    reasons.push(reason);
  };
  const lag = head === undefined ? undefined : head - confirmations - (block ?? -1);
  if (head === undefined) refuse('the chain has not told its newest block yet');
  else if (lag !== undefined && lag > MAX_LAG_BLOCKS) {
    refuse(`the log is ${lag} blocks behind the chain, ${MAX_LAG_BLOCKS} are allowed`);
  }
  if (diskReason !== undefined) refuse(diskReason);
  const wait = waitOf(status);
  if (wait !== undefined && wait.waitedMs > PATIENCE_MS) refuse(wait.sentence);
  else if (logNext - nextSequence > MAX_LAG_ENTRIES) {
    refuse(`replay is at entry ${nextSequence} of ${logNext}`);
  }
  if (rebuilt !== undefined) reasons.push(rebuilt);
  if (holes > 0) {
    reasons.push(`${holes} entries were given up: what came after them is this node’s own opinion`);
  }
  if (bootstrap?.phase === 'refused') {
    reasons.push(`the snapshot to begin with was refused (${bootstrap.code}): ${bootstrap.reason}`);
  } else if (bootstrap !== undefined && bootstrap.phase !== 'done') {
    const waits = bootstrap.reason === undefined ? '' : `: ${bootstrap.reason}`;
    refuse(`the state begins with a snapshot, which is at its ${bootstrap.phase}${waits}`);
  }
  const facts: Record<string, string> = {
    replay: `entry ${nextSequence} of ${logNext} is next, ${status.streams.length} streams answer`,
  };
  if (status.unread > 0) {
    facts['snapshot'] =
      `${status.unread} parts of the snapshot lie as they were copied, and are proven when one is needed, or in turn`;
  }
  if (pending !== undefined) {
    facts['pending'] =
      `a set of ${pending.streams.length} streams is at entry ${pending.nextSequence} of ${logNext}` +
      (pending.wait === undefined ? '' : `; ${describeWait(pending.wait)}`);
  }
  return { ok, reasons, facts };
}
