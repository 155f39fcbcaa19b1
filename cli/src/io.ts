import { availableParallelism } from 'node:os';

/** What a command may write to and read about its surroundings; tests pass one of their own. */
export interface CommandIo {
  /**
   * Data. Resolves when the reader took it, so that memory stays bounded, and also when the reader is
   * gone: what is known is still told by the exit code, and what is under way hears it by the signal.
   */
  writeOut(bytes: string | Uint8Array): Promise<void>;
  /** Words for people. */
  writeErr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether a person watches the progress. */
  readonly isErrTerminal: boolean;
  /** Whether data would land on a person's screen. */
  readonly isOutTerminal: boolean;
  /** Width of the terminal, 80 unless known. */
  readonly columns: number;
  /** How many threads run at once here. */
  readonly cores: number;
  /** The bytes piped in. */
  stdin(): AsyncIterable<Uint8Array>;
  /**
   * Asks a person for something secret without showing it; `undefined` where nobody can answer.
   *
   * @throws {CliError} CLI_INTERRUPTED if the answer is Ctrl-C
   */
  askSecret(question: string): Promise<string | undefined>;
}

/** What every command gets. */
export interface CommandContext {
  readonly io: CommandIo;
  /** Aborts on Ctrl-C, SIGTERM and SIGHUP, and when standard output takes no more. */
  readonly signal: AbortSignal;
}

/** The process's own streams. */
export function processIo(): CommandIo {
  const { stdout, stderr } = process;
  return {
    writeOut: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => {
          if (error === undefined || error === null || isReaderGone(error)) resolve();
          else reject(error);
        });
      }),
    writeErr: (text) => {
      stderr.write(text);
    },
    env: process.env,
    cwd: process.cwd(),
    isErrTerminal: stderr.isTTY === true,
    isOutTerminal: stdout.isTTY === true,
    columns: stderr.columns ?? 80,
    cores: availableParallelism(),
    stdin: () => process.stdin,
    askSecret: (question) => askSecret(question),
  };
}

/** Whether an error says that nobody reads standard output any more. */
export function isReaderGone(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'; // first, and from then on
}

/** Reads a line from the terminal without echoing it. */
async function askSecret(question: string): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined;
  const { interrupted } = await import('./errors.ts');
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  try {
    return await new Promise((resolve, reject) => {
      let typed = '';
      const onText = (text: string): void => {
        for (const character of text) {
          if (character === '\u0003') {
            stdin.off('data', onText);
            reject(interrupted('Ctrl-C')); // as a key it sends no signal here
            return;
          }
          if (character === '\r' || character === '\n' || character === '\u0004') {
            stdin.off('data', onText);
            resolve(character === '\u0004' ? '' : typed); // Ctrl-D gives no answer
            return;
          }
          if (character === '\u007f' || character === '\b') typed = typed.slice(0, -1);
          else typed += character;
        }
      };
      stdin.on('data', onText);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
}
