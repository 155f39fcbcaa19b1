import {
  type Checksum,
  type KeyValueStore,
  type KeyValueWrite,
  SEGMENT_SECTORS,
} from '@cairn/primitives';
import { SegmentError } from './errors.ts';
import { KEY, keyOf, lastNumber, numberRange } from './keyspace.ts';
import { soundPiece } from './piece.ts';
import type { RangeLocks } from './range-locks.ts';

/** Sectors of the flow, `end` not included. */
export interface SectorSpan {
  readonly start: number;
  readonly end: number;
}

/** Which pieces are given up, and what is written with them. */
export interface SweepRequest {
  /** Sector to begin at. */
  readonly from: number;
  /** Sector to end before; the end of everything unless told. */
  readonly end?: number;
  /** Records looked at, at most. */
  readonly limit: number;
  /** Whether the piece that begins at a sector stays. */
  readonly keeps: (sector: number) => boolean;
  /** Writes that go with the batch, given the sector to go on from: all of them are done or none. */
  readonly alongside?: (next: number | undefined) => readonly KeyValueWrite[];
  readonly signal: AbortSignal;
}

/** What a sweep did. */
export interface SweepResult {
  /** Pieces whose records are gone. */
  readonly dropped: number;
  /** Sector to go on from; `undefined` at the end. */
  readonly next: number | undefined;
}

/** What sweeping works on. */
export interface SweepDeps {
  readonly kv: KeyValueStore;
  readonly locks: RangeLocks;
  readonly checksum: Checksum;
}

/**
 * Drops the records of pieces that are given up, quarantined ones too, in one synced batch. Their
 * bytes stay where they are until their place is used again or the file there is made anew.
 */
export async function sweepPieces(
  { kv, locks }: SweepDeps,
  { from, end = Number.MAX_SAFE_INTEGER, limit, keeps, alongside, signal }: SweepRequest,
): Promise<SweepResult> {
  const sectors: number[] = [];
  for await (const [key] of kv.entries(
    { ...numberRange(KEY.piece, from, end), limit },
    { signal },
  )) {
    sectors.push(lastNumber(key));
  }
  const last = sectors.at(-1);
  const next = last === undefined || sectors.length < limit ? undefined : last + 1;
  const reach = next ?? end;
  return locks.run(from, reach, async () => {
    const batch: KeyValueWrite[] = [];
    const given = sectors.filter((sector) => !keeps(sector));
    for (const sector of given) batch.push({ type: 'delete', key: keyOf(KEY.piece, sector) });
    const rotten = { ...numberRange(KEY.quarantine, from, reach), limit };
    for await (const [key] of kv.entries(rotten, { signal })) {
      if (!keeps(lastNumber(key))) batch.push({ type: 'delete', key });
    }
    batch.push(...(alongside?.(next) ?? []));
    // What is gone from the records must stay so before its bytes are: a record without bytes would
    // look like damage.
    if (batch.length > 0) await kv.write(batch, { sync: true });
    return { dropped: given.length, next };
  });
}

/** Where pieces lie in a span whose ends are multiples of 1,024 sectors: spans in order, joined. */
export async function pieceSpans(
  { kv, checksum }: SweepDeps,
  { start, end }: SectorSpan,
  signal: AbortSignal,
): Promise<SectorSpan[]> {
  const spans: { start: number; end: number }[] = [];
  for await (const [key, value] of kv.entries(numberRange(KEY.piece, start, end), { signal })) {
    const sector = lastNumber(key);
    const reach = sector + sectorsOf(sector, value, checksum);
    const previous = spans.at(-1);
    if (previous !== undefined && previous.end >= sector)
      previous.end = Math.max(previous.end, reach);
    else spans.push({ start: sector, end: reach });
  }
  return spans;
}

/** Sectors of a piece; all up to the next multiple of 1,024 where the record does not tell. */
function sectorsOf(sector: number, value: Uint8Array, checksum: Checksum): number {
  const most = SEGMENT_SECTORS - (sector % SEGMENT_SECTORS);
  try {
    return soundPiece(sector, value, checksum)?.sectors ?? most;
  } catch (error) {
    if (error instanceof SegmentError && error.code === 'SEGMENT_SEALED') return most;
    throw error;
  }
}
