import type { Clock } from '@cairn/primitives';
import { isAlive, type ProcessIdentity, signalProcess } from './process-identity.ts';

/** How long a process may take to stop before it is killed. */
export const STOP_GRACE_MS = 8_000;
const LOOK_EVERY_MS = 25;
/** A killed process is gone as soon as the kernel gets to it. */
const KILL_GRACE_MS = 2_000;

/**
 * Ends processes that are not our children, one after another, last first: SIGTERM, then SIGKILL
 * after the grace. Ids that belong to another process by now are left alone.
 *
 * @returns those that are still alive
 */
export async function endProcesses(
  processes: readonly ProcessIdentity[],
  { clock, graceMs = STOP_GRACE_MS }: { readonly clock: Clock; readonly graceMs?: number },
): Promise<ProcessIdentity[]> {
  const left: ProcessIdentity[] = [];
  for (const identity of [...processes].reverse()) {
    signalProcess(identity, 'SIGTERM');
    if (await isGoneWithin(identity, graceMs, clock)) continue;
    signalProcess(identity, 'SIGKILL');
    if (!(await isGoneWithin(identity, KILL_GRACE_MS, clock))) left.push(identity);
  }
  return left;
}

/** Whether a process that is not our child ends within a time. The system offers only looking. */
export async function isGoneWithin(
  identity: ProcessIdentity,
  timeoutMs: number,
  clock: Clock,
): Promise<boolean> {
  const until = clock.monotonic() + timeoutMs;
  const never = new AbortController();
  while (isAlive(identity)) {
    if (clock.monotonic() >= until) return false;
    await clock.sleep(LOOK_EVERY_MS, never.signal);
  }
  return true;
}
