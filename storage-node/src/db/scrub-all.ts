import { segmentFrom } from '../upkeep/scrub.ts';
import type { OfflineStores } from './open-offline.ts';

/** What a pass over everything found. */
export interface OfflineScrub {
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Sealed copies of a node that mines; damaged ones are forgotten, and made anew by the node. */
  readonly sealedChecked: number;
  readonly sealedDamaged: number;
  /** Entries that lost a segment, by sequence, ascending, at most 1,000. */
  readonly entries: readonly number[];
}

const STEP_PIECES = 256;
const MAX_LISTED = 1000;

/** Hashes everything stored anew, as fast as it goes; what is damaged is quarantined. */
export async function scrubDatabase(
  {
    segments,
    damaged: entries,
    openSealed,
  }: Pick<OfflineStores, 'segments' | 'damaged' | 'openSealed'>,
  {
    signal,
    onProgress = () => undefined,
  }: { readonly signal: AbortSignal; readonly onProgress?: (bytes: number) => void },
): Promise<OfflineScrub> {
  let [checked, bytes, damaged, sealedChecked, sealedDamaged] = [0, 0, 0, 0, 0];
  const sealed = await openSealed(signal);
  for (let from: number | undefined = 0; from !== undefined; ) {
    signal.throwIfAborted();
    const step = await segments.scrub(from, STEP_PIECES, { signal });
    checked += step.checked;
    bytes += step.bytes;
    damaged += step.damaged;
    const copies = await sealed?.check(segmentFrom(from), segmentFrom(step.next), signal);
    sealedChecked += copies?.checked ?? 0;
    sealedDamaged += copies?.damaged.length ?? 0;
    bytes += copies?.bytes ?? 0;
    from = step.next;
    onProgress(bytes);
  }
  const listed = [...entries].sort((left, right) => left - right).slice(0, MAX_LISTED);
  return { checked, bytes, damaged, sealedChecked, sealedDamaged, entries: listed };
}
