import { readFile } from 'node:fs/promises';
import { isRecord, parseJson } from '@cairn/primitives';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** Prints the version of cairn and of Node.js. */
export async function version(
  options: { readonly json?: boolean },
  { io }: CommandContext,
): Promise<number> {
  const cairn = await ownVersion();
  if (options.json === true) await writeJson(io, { version: cairn, node: process.versions.node });
  else await writeLine(io, `cairn ${cairn} (Node.js ${process.versions.node})`);
  return 0;
}

/** The version in this package's package.json. */
export async function ownVersion(): Promise<string> {
  // The same two levels up from src/commands and from dist/commands.
  const path = new URL('../../package.json', import.meta.url);
  const manifest = parseJson(await readFile(path, 'utf8'));
  const found: unknown = isRecord(manifest) ? manifest['version'] : undefined;
  return typeof found === 'string' ? found : 'unknown';
}
