import { spawn, spawnSync } from 'node:child_process';

/** What may be the last thing a process did. Counted for each thread, so one thread does it all. */
const WRITES = 'pwrite64,write,writev,fdatasync,fsync,rename,renameat2,unlink,ftruncate,mkdir';

/** Whether calls can be counted and stopped at here. */
export function canTrace(): boolean {
  return spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], { stdio: 'ignore' }).status === 0;
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
  const inject = `inject=${WRITES}:signal=KILL:when=${nth}`;
  const traced = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${WRITES}`, '-e', inject];
  const child = isTraced
    ? spawn('strace', [...traced, process.execPath, ...command], { env, stdio: 'ignore' })
    : spawn(process.execPath, [...command], { env, stdio: 'ignore' });
  return new Promise((resolve) => {
    const timer = isTraced ? undefined : setTimeout(() => child.kill('SIGKILL'), nth * 12);
    child.once('exit', (code, name) => {
      clearTimeout(timer);
      resolve(name === 'SIGKILL' || code === 137);
    });
  });
}
