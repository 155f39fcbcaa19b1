import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { describeError, utf8Text } from '@cairn/primitives';
import { type ContentReference, parseContentReference } from '@cairn/wire-protocol';
import { usageError } from './errors.ts';
import type { CommandIo } from './io.ts';
import { readAll } from './read-all.ts';

/** Longest text of a reference in bytes; its numbers take some 250. */
const MAX_TEXT_BYTES = 4096;

/** The reference in a file, or piped in where `-` is its name. @throws {CliError} CLI_USAGE */
export async function readReference(file: string, io: CommandIo): Promise<ContentReference> {
  const name = file === '-' ? 'standard input' : file;
  try {
    const bytes = file === '-' ? await readAll(io.stdin()) : await readFile(resolve(io.cwd, file));
    if (bytes.length > MAX_TEXT_BYTES) throw new RangeError(`${bytes.length} bytes are too many`);
    return parseContentReference(utf8Text(bytes));
  } catch (error) {
    throw usageError('file', `${name} is no reference: ${describeError(error)}`);
  }
}

/** The reference to a tensor. @throws {CliError} CLI_USAGE if none has the name, or it has no bytes */
export function namedTensor(
  tensors: readonly { readonly name: string; readonly reference: ContentReference | undefined }[],
  name: string,
): ContentReference {
  const found = tensors.find((tensor) => tensor.name === name);
  if (found?.reference !== undefined) return found.reference;
  const names = tensors.slice(0, 5).map((tensor) => tensor.name);
  const what = found === undefined ? `there is no tensor "${name}"` : `tensor "${name}" is empty`;
  throw usageError(
    'tensor',
    `${what} among ${tensors.length}, which begin with ${names.join(', ')}`,
  );
}
