import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFault, errnoOf, StorageError } from './errors.ts';

/** A directory that belongs to this process until it is released or the process ends. */
export interface DirectoryLock {
  /** Gives the directory up; a second call does nothing. */
  release(): Promise<void>;
}

const LOCK_NAME = /^LOCK\.(\d{1,15})$/;
/** Tries against others that take the directory, or give it up, at the same moment. */
const MAX_TRIES = 20;

/**
 * Takes a directory for this process alone.
 *
 * A lock is a file `LOCK.<n>` that names its process; the highest number counts. Who finds its
 * process gone, killed or not, makes the next number, which only one can do. Numbers are never
 * used again, so a slow rival cannot remove a lock taken since it looked. The file also names when
 * the process started, so that a process id used anew is not mistaken for the holder. Processes
 * that do not see each other's ids (two containers, one volume) are not kept apart.
 *
 * @throws {StorageError} DIRECTORY_LOCKED with the holder's process id; DISK_FULL, DISK_IO
 */
export async function acquireDirectoryLock(directory: string): Promise<DirectoryLock> {
  const token = randomBytes(8).toString('hex');
  const mine = join(directory, `LOCK.new.${token}`);
  const startedAt = (await processStart(process.pid)) ?? UNKNOWN_START;
  let path: string;
  try {
    await mkdir(directory, { recursive: true });
    // Written aside and linked, so that a lock is never seen half written.
    try {
      await writeFile(mine, `${process.pid} ${startedAt}\n`, { flag: 'wx' });
      path = await linkNext(directory, mine);
    } finally {
      await rm(mine, { force: true });
    }
  } catch (error) {
    throw await diskFault(error, { path: directory, operation: 'lock' });
  }
  let released: Promise<void> | undefined;
  return {
    release: () => {
      // Emptied, not removed: the number stays taken. A directory that is gone needs no lock.
      released ??= truncate(path, 0).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error;
      });
      return released;
    },
  };
}

async function linkNext(directory: string, mine: string): Promise<string> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const numbers = await lockNumbers(directory);
    const highest = numbers.at(-1) ?? 0;
    const holder = highest === 0 ? undefined : await readHolder(lockPath(directory, highest));
    if (holder !== undefined && (await isHeld(holder))) throw lockedFault(directory, holder.pid);
    const path = lockPath(directory, highest + 1);
    try {
      await link(mine, path);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') continue; // another was first
      throw error;
    }
    if ((await lockNumbers(directory)).at(-1) !== highest + 1) {
      await rm(path, { force: true }); // others have come and gone since the list was read
      continue;
    }
    for (const number of numbers) await rm(lockPath(directory, number), { force: true });
    return path;
  }
  throw lockedFault(directory, undefined);
}

/** Numbers of the lock files, lowest first. */
async function lockNumbers(directory: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await readdir(directory)) {
    const match = LOCK_NAME.exec(name);
    if (match?.[1] !== undefined) numbers.push(Number(match[1]));
  }
  return numbers.sort((left, right) => left - right);
}

function lockPath(directory: string, number: number): string {
  return join(directory, `LOCK.${number}`);
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

const UNKNOWN_START = '0';

/** The process a lock names; `undefined` if it was given up. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const [pid = '', startedAt = UNKNOWN_START] = (await readFile(path, 'utf8')).trim().split(' ');
    return /^\d+$/.test(pid) ? { pid: Number(pid), startedAt } : undefined;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function isHeld({ pid, startedAt }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false; // EPERM: alive, and another user's
  }
  const start = await processStart(pid);
  return start === undefined || startedAt === UNKNOWN_START || start === startedAt;
}

/** When a process started, in clock ticks since the machine did; `undefined` off Linux. */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function lockedFault(directory: string, pid: number | undefined): StorageError {
  const holder = pid === undefined ? 'another process' : `process ${pid}`;
  return new StorageError(
    { code: 'DIRECTORY_LOCKED', directory, pid },
    `${directory} is in use by ${holder}; stop it first`,
  );
}
