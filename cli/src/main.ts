import { setFlagsFromString } from 'node:v8';
import { type CommandContext, type CommandIo, isReaderGone, processIo } from './io.ts';
import { buildProgram, isHelpShown, isUsageRefused } from './program.ts';

/**
 * Runs one command line and says how it went.
 *
 * @param argv - what was typed after `cairn`
 * @returns the exit code
 */
export async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  let exitCode = 0;
  const program = buildProgram(context, (code) => {
    exitCode = code;
  });
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (isHelpShown(error)) return 0;
    // Something thrown because of Ctrl-C is told as that.
    const cause: unknown = context.signal.aborted ? context.signal.reason : error;
    // A reader that has enough, such as `head`, is not a failure.
    if (isReaderGone(cause)) return 0;
    return report(cause, argv, context.io);
  }
}

async function report(error: unknown, argv: readonly string[], io: CommandIo): Promise<number> {
  const { EXIT, reportOf } = await import('./exit-codes.ts');
  if (isUsageRefused(error)) return EXIT.usage; // commander wrote why
  const { coloured, writeJson } = await import('./output.ts');
  const { exit, code, message, next } = reportOf(error);
  if (exit === EXIT.ok) return exit;
  io.writeErr(`${coloured('cairn:', 'red', io)} ${message}\n${next}\n`);
  if ((io.env['CAIRN_DEBUG'] ?? '') !== '' && error instanceof Error) {
    io.writeErr(`${error.stack}\n`);
  }
  // Bytes may be on their way to stdout: JSON goes there only where JSON was asked for.
  if (argv.includes('--json')) await writeJson(io, { error: { code, message, next } });
  return exit;
}

/**
 * Compiles the hash kernel once, well: the quick first version would hash a good part of the file at
 * a third of the speed while the better one is made on the same core.
 */
function compileKernelsOnce(): void {
  setFlagsFromString('--no-liftoff');
}

/** Runs the process's own command line and ends the process. */
export async function runProcess(): Promise<never> {
  compileKernelsOnce();
  const io = processIo();
  const stop = new AbortController();
  let isStopping = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The second time somebody is in a hurry.
      if (isStopping && signal === 'SIGINT') process.exit(130);
      isStopping = true;
      void import('./errors.ts').then(({ interrupted }) => stop.abort(interrupted(signal)));
    });
  }
  // Commands clean up behind them, whoever stops reading.
  process.stdout.on('error', (error) => stop.abort(error));
  process.stderr.on('error', () => undefined); // words that nobody reads
  const exitCode = await run(process.argv.slice(2), { io, signal: stop.signal });
  await new Promise<void>((resolve) => {
    process.stdout.write('', () => resolve());
  });
  process.exit(exitCode);
}
