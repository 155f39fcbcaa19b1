import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@cairn/node-runtime/files';

/**
 * Bytes that the files of a directory take on the disk, in blocks taken; 0 where there is none.
 *
 * @throws what the system throws, but for what is not there (any more)
 */
export async function occupiedBytes(directory: string): Promise<number> {
  let bytes = 0;
  try {
    for (const name of await readdir(directory)) {
      bytes += await blockBytes(join(directory, name));
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
  return bytes;
}

async function blockBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks * 512;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return 0; // removed meanwhile
  }
}
