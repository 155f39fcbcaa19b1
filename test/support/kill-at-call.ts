import { spawn, spawnSync } from 'node:child_process';

/** What may be the last thing a process did. Counted for each thread, so one thread does it all. */
const WRITES = 'pwrite64,write,writev,fdatasync,fsync,rename,renameat2,unlink,ftruncate,mkdir';

/** The same where a process writes to sockets too: those calls are nothing to be killed at. */
const DISK_WRITES = 'pwrite64,fdatasync,fsync,rename,renameat2,unlink,ftruncate,mkdir';

/** Whether calls can be counted and stopped at here. */
export function canTrace(): boolean {
  return spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], { stdio: 'ignore' }).status === 0;
}

/** What is put before a command that is to die at the nth such call of a thread. */
export function killedAt(nth: number): Prefix {
  return {
    command: ['strace', ...traceOf(DISK_WRITES, nth)],
    env: { UV_THREADPOOL_SIZE: '1' },
  };
}

/** Something that runs a command. */
export interface Prefix {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function traceOf(calls: string, nth: number): readonly string[] {
  const inject = `inject=${calls}:signal=KILL:when=${nth}`;
  return ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', inject];
}

/**
 * Runs a program of Node until its nth write call of a thread; without a tracer for `nth` steps of time.
 *
 * @returns whether it was killed before it ended by itself
 */
export function runAndKill(
  command: readonly string[],
  nth: number,
  { isTraced }: { readonly isTraced: boolean },
): Promise<boolean> {
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' };
  const child = isTraced
    ? spawn('strace', [...traceOf(WRITES, nth), process.execPath, ...command], {
        env,
        stdio: 'ignore',
      })
    : spawn(process.execPath, [...command], { env, stdio: 'ignore' });
  return new Promise((resolve) => {
    const timer = isTraced ? undefined : setTimeout(() => child.kill('SIGKILL'), nth * 12);
    child.once('exit', (code, name) => {
      clearTimeout(timer);
      resolve(name === 'SIGKILL' || code === 137);
    });
  });
}
