import type { HealthReport } from '@cairn/node-runtime/http';
import type { LogProgress } from './log-progress.ts';

/** A chain silent for longer is a reason not to be asked for new files. */
const MAX_SILENCE_MS = 60_000;

/** Whether the node should be sent requests: the log is read up to the chain's head. */
export function readyReport(
  progress: Pick<LogProgress, 'current'>,
  { maxLagBlocks }: { readonly maxLagBlocks: number },
): HealthReport {
  const { head, lagBlocks, silentMs } = progress.current();
  const reasons: string[] = [];
  if (head === undefined || lagBlocks === undefined) {
    reasons.push('the chain has not told its newest block yet');
  } else if (lagBlocks > maxLagBlocks) {
    reasons.push(`the log is ${lagBlocks} blocks behind the chain, ${maxLagBlocks} are allowed`);
  }
  if (silentMs > MAX_SILENCE_MS) {
    reasons.push(`the chain has not answered for ${Math.round(silentMs / 1000)} s`);
  }
  return { ok: reasons.length === 0, reasons };
}
