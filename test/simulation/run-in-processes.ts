import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseJson } from '@cairn/primitives';
import { bundleProgram } from '../support/bundle-program.ts';
import type { SimulationOptions, SimulationResult } from './simulation.ts';

/** What is told of each run. */
export type SeedRun = { readonly seed: number } & Pick<
  SimulationResult,
  'problems' | 'faults' | 'reads'
>;

/** Which networks are simulated: one for each of so many seeds. */
export interface SeedRange extends Pick<SimulationOptions, 'nodes' | 'files'> {
  readonly first: number;
  readonly count: number;
}

const SCRIPT = fileURLToPath(new URL('run-seeds.ts', import.meta.url));
/** A run makes much garbage that is gone soon, and faults whose origin nobody reads. */
const FLAGS = ['--max-semi-space-size=64', '--single-threaded-gc', '--stack-trace-limit=0'];

/** Runs seeds in several processes, each of which takes every so many-th. @throws if one of them ends badly */
export async function runInProcesses(
  { nodes, files, first, count }: SeedRange,
  processes: number,
): Promise<readonly SeedRun[]> {
  const { path, remove } = await bundleProgram(SCRIPT);
  try {
    const runs = Array.from({ length: Math.min(processes, count) }, (_, number) =>
      runScript(path, [nodes, files, first + number, count - number, processes]),
    );
    return (await Promise.all(runs)).flat();
  } finally {
    await remove();
  }
}

async function runScript(path: string, numbers: readonly number[]): Promise<readonly SeedRun[]> {
  const child = spawn(process.execPath, [...FLAGS, path, ...numbers.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const runs: SeedRun[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    runs.push(parseJson(line) as unknown as SeedRun); // our own script's lines
  }
  const code = await ended;
  if (code !== 0) throw new Error(`simulations ended with code ${code} after ${runs.length} runs`);
  return runs;
}
