import type { CommandContext, CommandIo } from '../src/io.ts';

/** Streams that remember what was written. */
export interface FakeIo extends CommandIo {
  out(): string;
  err(): string;
}

/** Options of `fakeIo`; everything has a default. */
export interface FakeIoOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly isTerminal?: boolean;
  readonly cores?: number;
  readonly stdin?: Uint8Array;
  /** What a person types when asked, in order. */
  readonly answers?: readonly string[];
}

/** A real, small implementation of the command's streams. */
export function fakeIo(options: FakeIoOptions = {}): FakeIo {
  const out: string[] = [];
  const err: string[] = [];
  const answers = [...(options.answers ?? [])];
  return {
    writeOut: async (bytes) => {
      out.push(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'));
    },
    writeErr: (text) => {
      err.push(text);
    },
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    isErrTerminal: options.isTerminal === true,
    isOutTerminal: options.isTerminal === true,
    columns: 80,
    cores: options.cores ?? 1,
    stdin: async function* () {
      if (options.stdin !== undefined) yield options.stdin;
    },
    askSecret: async () => answers.shift(),
    out: () => out.join(''),
    err: () => err.join(''),
  };
}

/** A context over fake streams that nobody interrupts. */
export function contextOf(io: CommandIo): CommandContext {
  return { io, signal: new AbortController().signal };
}
