import { type Json, stringifyJson } from '@cairn/primitives';
import type { CommandIo } from './io.ts';

/** Writes one JSON object and a line end: what `--json` gives. Amounts in wei are decimal texts. */
export async function writeJson(io: CommandIo, value: Json): Promise<void> {
  await io.writeOut(`${stringifyJson(value)}\n`);
}

/** Writes data as text, with one line end. */
export async function writeLine(io: CommandIo, text: string): Promise<void> {
  await io.writeOut(`${text}\n`);
}

/** A text with a colour, where a person looks and has not refused colours (NO_COLOR). */
export function coloured(
  text: string,
  colour: 'red' | 'green' | 'bold',
  io: Pick<CommandIo, 'env' | 'isErrTerminal'>,
): string {
  const isRefused = (io.env['NO_COLOR'] ?? '') !== '' || io.env['TERM'] === 'dumb';
  if (!io.isErrTerminal || isRefused) return text;
  const codes = { red: '31', green: '32', bold: '1' };
  return `\u001b[${codes[colour]}m${text}\u001b[0m`;
}

/** An argument as a shell takes it back. */
export function shellQuoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
