import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Flags that let a child run this source: the loader and the condition of the test run. */
const LOADER = Reflect.get(process.features, 'typescript') ? [] : ['--import', 'tsx'];

/** Runs TypeScript text in a process of its own. */
export function runChild(code: string, args: readonly string[] = []): ChildProcess {
  return spawn(
    process.execPath,
    [...LOADER, '--conditions=@cairn/source', '--input-type=module', '-e', code, '--', ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

/** Waits for the child's first output; the child goes on. */
export async function firstOutput(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no output');
  const [piece] = (await once(child.stdout, 'data')) as [Buffer];
  return piece.toString();
}

/** Ends the child the way a crash does, and waits until it is gone. */
export async function killHard(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
