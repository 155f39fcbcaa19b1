import type { HealthReport } from '@cairn/node-runtime/http';
import type { DiskGuard } from './disk-guard.ts';
import type { LogProgress } from './log-progress.ts';

/** A chain silent for longer is a reason not to be asked for new files. */
const MAX_SILENCE_MS = 60_000;

/**
 * Whether the node should be sent requests: the log is read up to the chain's head. A full disk is told
 * among the reasons and is none for a no: uploads are turned away by name, reads go on.
 */
export function readyReport(
  {
    progress,
    disk,
  }: { readonly progress: Pick<LogProgress, 'current'>; readonly disk: Pick<DiskGuard, 'reason'> },
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
  const ok = reasons.length === 0;
  if (disk.reason !== undefined) reasons.push(disk.reason);
  return { ok, reasons };
}
