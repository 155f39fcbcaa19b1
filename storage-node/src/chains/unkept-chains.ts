import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@cairn/node-runtime/files';
import type { ChainId } from '@cairn/primitives';
import { CHAINS } from './chain-plans.ts';

/** Folders of more chains than this are not all named. */
const MAX_NAMED = 16;

/**
 * Folders of chains that were kept here and are not any more: their bytes are counted by nobody.
 *
 * @returns paths, at most 16
 * @throws what the system throws, but for a folder that is not there
 */
export async function unkeptChains(
  dataDirectory: string,
  kept: readonly ChainId[],
): Promise<readonly string[]> {
  const folder = join(dataDirectory, CHAINS);
  const ids = new Set(kept.map(String));
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => !ids.has(name))
      .slice(0, MAX_NAMED)
      .map((name) => join(folder, name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
