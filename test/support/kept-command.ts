import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CommandResult } from './cli.ts';

/** A command line that runs in the kept process. */
export interface KeptLine {
  /** Resolves at its first output, or right after `ended`. */
  readonly answered: Promise<void>;
  readonly ended: Promise<CommandResult>;
  /** What Ctrl-C does. */
  stop(): void;
}

/** What a command line is run with. */
export interface LineSurroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input?: Uint8Array;
}

/** What the kept process says: output as it comes, then how it ended. */
type Told =
  | { readonly id: number; readonly out: Uint8Array }
  | { readonly id: number; readonly status: number; readonly stderr: string };

interface Listener {
  onOut(out: Uint8Array): void;
  onEnd(result: Pick<CommandResult, 'status' | 'stderr'>): void;
}

/** Lines that run, by number, and the process that runs them. */
interface KeptProcess {
  readonly child: ChildProcess;
  readonly lines: Map<number, Listener>;
}

let kept: KeptProcess | undefined;
let lastId = 0;

/**
 * Runs a command line in a process that is started once and kept until this one ends, so that what
 * is tested costs no start. It runs the built command, as a process of its own would.
 *
 * @param args - what is typed after `cairn`
 */
export function runKept(args: readonly string[], surroundings: LineSurroundings): KeptLine {
  kept ??= startKept();
  const { child, lines } = kept;
  lastId += 1;
  const id = lastId;
  const parts: Uint8Array[] = [];
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const ended = new Promise<CommandResult>((resolve) => {
    lines.set(id, {
      onOut: (out) => {
        parts.push(out);
        answer();
      },
      onEnd: (end) => {
        lines.delete(id);
        if (lines.size === 0) child.channel?.unref();
        resolve({ ...end, signal: null, stdout: Buffer.concat(parts) });
        answer();
      },
    });
  });
  child.channel?.ref(); // somebody waits for it
  child.send({ id, args, ...surroundings });
  return { answered, ended, stop: () => child.send({ id, stop: true }) };
}

function startKept(): KeptProcess {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const program = fileURLToPath(new URL('kept-process.mjs', import.meta.url));
  const child = fork(program, [], { env, execArgv: [], serialization: 'advanced' });
  const lines = new Map<number, Listener>();
  child.on('message', (message: Told) => {
    const line = lines.get(message.id);
    if ('out' in message) line?.onOut(message.out);
    else line?.onEnd({ status: message.status, stderr: message.stderr });
  });
  child.once('exit', (code, signal) => {
    kept = undefined;
    const stderr = `the kept process ended (${signal ?? code})`;
    for (const line of lines.values()) line.onEnd({ status: 1, stderr });
  });
  // It ends when this process does, which it does not keep alive.
  child.unref();
  child.channel?.unref();
  return { child, lines };
}
