import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { VERSION } from '../version.ts';

/** Prints the version of cairn and of Node.js. */
export async function version(
  options: { readonly json?: boolean },
  { io }: CommandContext,
): Promise<number> {
  const { node } = process.versions;
  if (options.json === true) await writeJson(io, { version: VERSION, node });
  else await writeLine(io, `cairn ${VERSION} (Node.js ${node})`);
  return 0;
}
