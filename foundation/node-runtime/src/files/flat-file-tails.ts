import { rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from './atomic-file.ts';
import { diskFault, errnoOf } from './errors.ts';

/**
 * Files that were being made anew when the store was closed or its process ended, with where their
 * new part begins: that is where the old part ends.
 */
export async function openTails(
  directory: string,
  names: readonly string[],
): Promise<Map<number, number>> {
  const tails = new Map<number, number>();
  for (const name of names) {
    if (!/^\d{8,}\.tail$/.test(name)) continue;
    const file = Number.parseInt(name, 10);
    const [path, tailPath] = [pathOf(directory, file), pathOf(directory, tailKey(file))];
    try {
      const sizeBytes = await sizeOf(path);
      if (sizeBytes > 0) {
        tails.set(file, sizeBytes);
        continue;
      }
      await rename(tailPath, path);
      await syncDirectory(directory);
    } catch (error) {
      throw await diskFault(error, { path: tailPath, operation: 'open' });
    }
  }
  return tails;
}

/** A file's length; 0 if there is none. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** What stands for the new part of a file, beside numbers of files. */
export function tailKey(file: number): number {
  return -1 - file;
}

/** Where a file, or the new part of one, lies. */
export function pathOf(directory: string, key: number): string {
  const [file, ending] = key < 0 ? [-1 - key, 'tail'] : [key, 'flat'];
  return join(directory, `${String(file).padStart(8, '0')}.${ending}`);
}
