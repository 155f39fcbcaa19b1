import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../architecture/house.ts';

/** The `cairn` command of this checkout. */
export const CAIRN: string = join(repositoryRoot, 'cli', 'bin', 'cairn.js');

/** What a command left behind. */
export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** How to run a command. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
  readonly timeoutMs?: number;
  /** Told of the process as soon as it runs, so that a test can end it. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs `cairn` with `args` as its own process, without a terminal, to its end. */
export function cairn(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return run(process.execPath, [CAIRN, ...args], options);
}

/** Runs `cairn … --json` and gives what it printed. @throws if it failed, with what it said */
export async function cairnJson(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Record<string, unknown>> {
  const result = await cairn([...args, '--json'], options);
  if (result.status !== 0) {
    throw new Error(
      `cairn ${args.join(' ')} ended with ${result.status ?? result.signal}: ${result.stderr}`,
    );
  }
  const lines = result.stdout.toString('utf8').trim().split('\n');
  return JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;
}

/** Runs a program to its end. */
export function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, input, timeoutMs = 120_000, onStart }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...withoutTestRunner(process.env), NO_COLOR: '1', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => stdout.push(part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      stderr += part;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout: Buffer.concat(stdout), stderr });
    });
    child.stdin.on('error', () => undefined); // a program that ends early does not read its input
    child.stdin.end(input);
    onStart?.(child);
  });
}

/** The environment without what the test runner put there, so that a command runs as a user's would. */
function withoutTestRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, CAIRN_DIR: _dir, ...rest } = env;
  return rest;
}
