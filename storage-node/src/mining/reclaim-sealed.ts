import type { FlatFileStore } from '@cairn/node-runtime/files';
import { type Logger, SEGMENT_BYTES } from '@cairn/primitives';
import type { ReopeningFileStore } from '../reopening-file-store.ts';
import type { SealedStore } from './sealed-store.ts';

/** What giving room of sealed copies back works with. */
export interface ReclaimSealedDeps {
  readonly files: ReopeningFileStore<FlatFileStore>;
  readonly store: Pick<SealedStore, 'segmentsIn' | 'drop'>;
  readonly logger: Logger;
}

/** The share of a file that must be for nothing; the rest of it is sealed anew. */
const LEAST_GAIN = 1 / 4;

/**
 * Removes files of sealed copies that nothing, or little, is recorded of: of a shard that was halved, of
 * files that were given up. What was still good in them is sealed anew, which needs no room to begin
 * with, as moving it would; sealing half of a file of 1 GiB takes five seconds of a core.
 *
 * @returns segments whose copies went with their file
 */
export async function reclaimSealed(
  { files, store, logger }: ReclaimSealedDeps,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const lost: number[] = [];
  const { fileBytes } = files.store;
  const perFile = fileBytes / SEGMENT_BYTES;
  for (const file of files.store.fileNumbers()) {
    const segments = await store.segmentsIn(file * perFile, (file + 1) * perFile, signal);
    const occupied = await files.store.occupiedBytes(file);
    const wasted = occupied - segments.length * SEGMENT_BYTES;
    if (segments.length > 0 && wasted < occupied * LEAST_GAIN) continue;
    await store.drop(segments);
    await files.use((beneath) => beneath.moveTail(file * fileBytes, []));
    logger.info(
      { file, freedBytes: occupied, again: segments.length },
      'sealed copies were removed',
    );
    lost.push(...segments);
  }
  return lost;
}
