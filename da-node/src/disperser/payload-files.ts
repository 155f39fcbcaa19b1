import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFault, readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import type { Root } from '@cairn/primitives';
import type { PayloadStore } from './ports.ts';

/**
 * Payloads as one file each, named by id: whole and on the disk once `put` resolves.
 *
 * Opening removes what a crash left half-written. Whatever no record names goes by `retainOnly`.
 *
 * @param directory - made if it is missing; holds nothing else
 * @throws {StorageError} DISK_FULL, DISK_IO, from here and from every operation
 */
export async function openPayloadFiles(directory: string): Promise<PayloadStore> {
  const nameOf = (id: Root): string => join(directory, `${id.slice(2)}.blob`);
  const remove = async (name: string): Promise<void> => {
    await rm(join(directory, name), { force: true });
  };
  try {
    await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory)) if (name.endsWith('.tmp')) await remove(name);
  } catch (error) {
    throw await diskFault(error, { path: directory, operation: 'open' });
  }
  return {
    put: (id, payload) => writeFileAtomic(nameOf(id), payload, { mode: 0o600 }),
    get: (id) => readFileIfPresent(nameOf(id)),
    delete: async (id) => {
      try {
        await rm(nameOf(id), { force: true });
      } catch (error) {
        throw await diskFault(error, { path: nameOf(id), operation: 'remove' });
      }
    },
    retainOnly: async (isWanted) => {
      for (const name of await readdir(directory)) {
        const id = /^([0-9a-f]{64})\.blob$/.exec(name)?.[1];
        if (id !== undefined && !(await isWanted(`0x${id}` as Root))) await remove(name);
      }
    },
  };
}
