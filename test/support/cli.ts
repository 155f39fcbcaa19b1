import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../architecture/house.ts';
import { runKept } from './kept-command.ts';

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
}

/** How to run a command as a process of its own. */
export interface ProcessOptions extends CommandOptions {
  /** Told of the process as soon as it runs, so that a test can end it. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Less than a test may take, so that what the command said is told. */
const TIMEOUT_MS = 240_000;

/**
 * Runs `cairn` with `args` to its end, without a terminal, in a process that is kept for all the
 * commands of these tests: starting one costs up to a CPU second.
 */
export async function cairn(
  args: readonly string[],
  { cwd = process.cwd(), env = {}, input, timeoutMs = TIMEOUT_MS }: CommandOptions = {},
): Promise<CommandResult> {
  const surroundings = { cwd, env: commandEnv(env), ...(input === undefined ? {} : { input }) };
  const line = runKept(args, surroundings);
  const timer = setTimeout(() => line.stop(), timeoutMs);
  try {
    return await line.ended;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `cairn` with `args` as its own process, without a terminal, to its end. */
export function cairnProcess(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<CommandResult> {
  return run(process.execPath, [CAIRN, ...args], options);
}

/** Runs `cairn … --json` and gives what it printed. @throws if it failed, with what it said */
export async function cairnJson(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Record<string, unknown>> {
  return jsonOf(args, await cairn([...args, '--json'], options));
}

/** As `cairnJson`, as its own process. */
export async function cairnProcessJson(
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Record<string, unknown>> {
  return jsonOf(args, await cairnProcess([...args, '--json'], options));
}

function jsonOf(args: readonly string[], result: CommandResult): Record<string, unknown> {
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
  { cwd, env = {}, input, timeoutMs = TIMEOUT_MS, onStart }: ProcessOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: commandEnv(env),
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
export function commandEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { NODE_OPTIONS: _options, CAIRN_DIR: _dir, ...rest } = process.env;
  const set = Object.entries(rest).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return { ...Object.fromEntries(set), NO_COLOR: '1', ...more };
}
