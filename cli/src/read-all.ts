import { concatBytes } from '@cairn/primitives';
import { usageError } from './errors.ts';

/** Bytes of standard input that are taken into memory. */
const MAX_BYTES = 64 * 1024 ** 2;

/** All that comes. @throws {CliError} CLI_USAGE beyond 64 MiB */
export async function readAll(input: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of input) {
    bytes += part.length;
    if (bytes > MAX_BYTES) {
      throw usageError('input', `standard input has more than ${MAX_BYTES} bytes`);
    }
    parts.push(part);
  }
  return concatBytes(...parts);
}
