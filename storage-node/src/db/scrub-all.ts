import type { OfflineStores } from './open-offline.ts';

/** What a pass over everything found. */
export interface OfflineScrub {
  readonly checked: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Entries that lost a segment, by sequence, ascending, at most 1,000. */
  readonly entries: readonly number[];
}

const STEP_PIECES = 256;
const MAX_LISTED = 1000;

/** Hashes everything stored anew, as fast as it goes; what is damaged is quarantined. */
export async function scrubDatabase(
  { segments, damaged: entries }: Pick<OfflineStores, 'segments' | 'damaged'>,
  {
    signal,
    onProgress = () => undefined,
  }: { readonly signal: AbortSignal; readonly onProgress?: (bytes: number) => void },
): Promise<OfflineScrub> {
  let [checked, bytes, damaged] = [0, 0, 0];
  for (let from: number | undefined = 0; from !== undefined; ) {
    signal.throwIfAborted();
    const step = await segments.scrub(from, STEP_PIECES, { signal });
    checked += step.checked;
    bytes += step.bytes;
    damaged += step.damaged;
    from = step.next;
    onProgress(bytes);
  }
  const listed = [...entries].sort((left, right) => left - right).slice(0, MAX_LISTED);
  return { checked, bytes, damaged, entries: listed };
}
