import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../jobs/errors.ts';
import type { HeldResult, ResultStore, WantedResult } from '../jobs/result-store.ts';
import { openFileSource } from './file-source.ts';

/** Ending of a result that is whole. */
const WHOLE = '.result';

/**
 * Results in a directory: `NAME.result`, made as `NAME.result.part` and renamed once it is whole and on disk, so that what a
 * killed worker left is either whole or begun anew. One process at a time makes a result.
 */
export function resultFolder(directory: string): ResultStore {
  const pathOf = (name: string): string => join(directory, `${name}${WHOLE}`);
  return {
    async hold({ name, bytes, make }, { signal }) {
      const path = pathOf(name);
      const earlier = await openWhole(path, bytes);
      if (earlier !== undefined) return earlier;
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await write(path, { bytes, make }, signal);
      return openFileSource(path);
    },
    async drop(name) {
      await rm(pathOf(name), { force: true });
      await rm(`${pathOf(name)}.part`, { force: true });
    },
  };
}

/** A result of an earlier run; one of another length is another program's, and made anew. */
async function openWhole(path: string, bytes: number): Promise<HeldResult | undefined> {
  const handle = await open(path, 'r').catch(() => undefined); // none there, or none that can be read: it is made anew
  if (handle === undefined) return undefined;
  const { size } = await handle.stat();
  await handle.close();
  return size === bytes ? openFileSource(path) : undefined;
}

async function write(
  path: string,
  { bytes, make }: Pick<WantedResult, 'bytes' | 'make'>,
  signal: AbortSignal,
): Promise<void> {
  const part = `${path}.part`;
  const handle = await open(part, 'w', 0o600);
  let written = 0;
  try {
    for await (const piece of make()) {
      signal.throwIfAborted();
      written += piece.length;
      if (written > bytes) break;
      await handle.writeFile(piece);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (written !== bytes) {
    throw badInput(undefined, `its result has ${written} bytes or more, not ${bytes} as it said`);
  }
  await rename(part, path);
}
