/** The cairn command as a library: run a command line, with streams of the caller's choice. */
export { type ErrorReport, EXIT, type ExitCode, reportOf } from './exit-codes.ts';
export { type CommandContext, type CommandIo, processIo } from './io.ts';
export { run, runProcess } from './main.ts';
