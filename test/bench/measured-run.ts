import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CAIRN, run } from '../support/cli.ts';

/** What a process used from start to end. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  readonly maxRssMib: number;
  readonly stdout: string;
}

/** Runs a Node program as a process of its own and says what it used. @throws if it failed */
export async function measured(script: string, args: readonly string[]): Promise<Usage> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-measure-'));
  const file = join(folder, 'usage.json');
  const preload = fileURLToPath(new URL('measure-process.mjs', import.meta.url));
  try {
    const result = await run(process.execPath, ['--import', preload, script, ...args], {
      env: { CAIRN_MEASURE_FILE: file },
      timeoutMs: 590_000,
    });
    if (result.status !== 0) {
      throw new Error(
        `${script} ended with ${result.status ?? result.signal}: ${result.stderr.slice(-2000)}`,
      );
    }
    const usage = JSON.parse(readFileSync(file, 'utf8')) as Omit<Usage, 'stdout'>;
    return { ...usage, stdout: result.stdout.toString('utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the `cairn` command and says what it used. @throws if it failed */
export function measuredCairn(args: readonly string[]): Promise<Usage> {
  return measured(CAIRN, args);
}

/** Runs a script of `peers/` and reads the figures it prints as JSON. */
export async function peerFigures(
  script: string,
  args: readonly string[],
): Promise<Record<string, number>> {
  const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url));
  const { stdout } = await measured(path, args);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
}

/** CPU seconds a running process has used, and its peak memory, from `/proc`. */
export function processUsage(pid: number): {
  readonly cpuSeconds: number;
  readonly maxRssMib: number;
} {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, in hundredths of a second
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuSeconds: ticks / 100,
    maxRssMib: Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024,
  };
}
