import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@cairn/node-runtime/files';
import { checkLevelFiles } from '@cairn/node-runtime/level';
import type { Logger } from '@cairn/primitives';

/**
 * What begins anew with each index, in the order in which it is set aside: the damaged one last, so that a crash
 * in between leaves it to be found again. Streams are replayed from the log, so they go with it.
 */
const GOES_WITH = {
  index: ['values', 'state', 'index'],
  state: ['values', 'state'],
} as const;

/**
 * Checks both indexes of a node before they are opened. One that is damaged is renamed to `*.damaged`, with what
 * depends on it, in the place of what was set aside before; all of it comes again from the log. Where only the
 * newest writes are gone nothing is done but say so: replay goes on from there.
 *
 * @returns what was damaged, in a sentence; `undefined` if nothing was
 * @throws what the disk throws; the signal's reason
 */
export async function setAsideDamaged(
  directory: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): Promise<string | undefined> {
  for (const name of ['index', 'state'] as const) {
    const damage = await checkLevelFiles(join(directory, name), { signal });
    if (damage === undefined) continue;
    const { kind, file, reason } = damage;
    if (kind === 'cut') {
      logger.warn(
        { file: `${name}/${file}`, reason },
        'the newest writes are gone, going on from before',
      );
      continue;
    }
    const gone = GOES_WITH[name];
    for (const part of gone) await setAside(join(directory, part));
    const what = name === 'index' ? 'the log and the streams are read' : 'the streams are replayed';
    const sentence =
      `${name}/${file} ${reason}: ${what} anew from the first entry or the configured snapshot; ` +
      `what was there is in ${gone.map((part) => `${part}.damaged`).join(', ')} and can be removed`;
    logger.error(
      { file: `${name}/${file}`, reason: sentence },
      'an index is damaged, beginning anew',
    );
    return sentence;
  }
  return undefined;
}

async function setAside(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  await rm(`${path}.damaged`, { recursive: true, force: true });
  await rename(path, `${path}.damaged`);
}
