import { parseRoot } from '@cairn/primitives';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { openLocalInput } from '../local-files.ts';
import { writeJson } from '../output.ts';
import { type FileRootOptions, rootOfInput } from './file-root.ts';

/**
 * Checks that a local file or directory is what a root names.
 *
 * @throws {CliError} CLI_MISMATCH, which is exit code 4
 */
export async function fileVerify(
  typed: string,
  rootText: string,
  options: FileRootOptions,
  context: CommandContext,
): Promise<number> {
  const expected = parseRoot(rootText);
  const input = await openLocalInput(typed, context);
  try {
    const { root: actual, sizeBytes } = await rootOfInput(input, options, context);
    if (actual !== expected) {
      throw new CliError(
        { code: 'CLI_MISMATCH', expected, actual },
        `${typed} is not what ${expected} names: its root is ${actual}`,
      );
    }
    if (options.json === true) {
      await writeJson(context.io, { root: actual, sizeBytes, verified: true });
    } else {
      context.io.writeErr(`${typed} is what ${actual} names\n`);
    }
    return EXIT.ok;
  } finally {
    await input.dispose();
  }
}
