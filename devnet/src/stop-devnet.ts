import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '@cairn/primitives';
import { endProcesses, isGoneWithin } from './end-processes.ts';
import { DevnetError } from './errors.ts';
import { isAlive, signalProcess } from './process-identity.ts';
import {
  type DevnetPaths,
  devnetPaths,
  isOwnerAlive,
  type RunRecord,
  readRunRecord,
} from './run-file.ts';

/** The owner stops its services one after another, each with a grace of its own. */
const OWNER_GRACE_MS = 45_000;
const GUARDIAN_GRACE_MS = 60_000;

/**
 * Stops the devnet of a directory, whoever started it, and waits until all of it is gone.
 *
 * @returns whether there was anything to stop
 * @throws {DevnetError} DEVNET_NOT_STOPPED
 */
export function stopDevnet(
  directory: string,
  { clock = systemClock() }: { readonly clock?: Clock } = {},
): Promise<boolean> {
  return stopRecorded(devnetPaths(resolve(directory)), { clock, isOwnerSpared: false });
}

/**
 * Ends what a run file names: the owner, which stops the rest; or, where the owner is gone, the
 * processes it left. Only processes that are still the very ones recorded are touched.
 *
 * @param isOwnerSpared - whether an owner that is alive is a fault instead
 * @throws {DevnetError} DEVNET_RUNNING if the owner is spared and alive; DEVNET_NOT_STOPPED
 */
export async function stopRecorded(
  paths: DevnetPaths,
  { clock, isOwnerSpared }: { readonly clock: Clock; readonly isOwnerSpared: boolean },
): Promise<boolean> {
  const record = await readRunRecord(paths.run);
  if (record === undefined) {
    await rm(paths.endpoints, { force: true }); // nobody runs what it tells of
    return false;
  }
  const wasRunning = isOwnerAlive(record) || record.processes.some(isAlive);
  if (isOwnerAlive(record)) {
    if (isOwnerSpared) throw running(paths, record);
    signalProcess(record.owner, 'SIGTERM');
    if (!(await isGoneWithin(record.owner, OWNER_GRACE_MS, clock))) {
      signalProcess(record.owner, 'SIGKILL');
    }
  }
  // Once the owner is gone its guardian cleans up; two at it at once would remove a successor's files.
  if (!(await isGoneWithin(record.guardian, GUARDIAN_GRACE_MS, clock))) {
    signalProcess(record.guardian, 'SIGKILL');
  }
  const left = await endProcesses(record.processes, { clock });
  if (left.length > 0) {
    const pids = left.map(({ pid }) => pid);
    throw new DevnetError(
      { code: 'DEVNET_NOT_STOPPED', directory: paths.directory, pids },
      `processes ${pids.join(', ')} of the devnet in ${paths.directory} do not end`,
    );
  }
  for (const path of [paths.endpoints, paths.run]) await rm(path, { force: true });
  return wasRunning;
}

/**
 * Stops the devnet of a directory and removes everything it ever kept there.
 *
 * @returns whether there was anything to remove
 * @throws {DevnetError} DEVNET_NOT_STOPPED
 */
export async function resetDevnet(directory: string): Promise<boolean> {
  const wasRunning = await stopDevnet(directory);
  const paths = devnetPaths(resolve(directory));
  // By name, not the directory itself: it may be one of the user's, with other things in it.
  for (const path of [paths.data, paths.config, paths.keys, paths.logs, paths.uploads]) {
    await rm(path, { recursive: true, force: true });
  }
  return wasRunning;
}

function running({ directory }: DevnetPaths, { owner }: RunRecord): DevnetError {
  return new DevnetError(
    { code: 'DEVNET_RUNNING', directory, pid: owner.pid },
    `a devnet runs in ${directory} already (process ${owner.pid})`,
  );
}
