import type { LogEntry } from '@cairn/log-layer';
import { MAX_SEGMENTS_PER_REPLY, ownedSegments, type ShardConfig } from '@cairn/wire-protocol';

/** Which segments of an entry: `first`, then every `step`-th, as many as one reply carries. */
export interface SegmentRange {
  readonly first: number;
  readonly step: number;
  /** 1 to 8. */
  readonly count: number;
}

/** What a shard lacks of an entry, in ranges that one reply carries; one at a time. */
export function* missingRanges(
  shard: ShardConfig,
  { startSector, sizeBytes }: LogEntry,
  isMissing: (index: number) => boolean,
): Generator<SegmentRange, undefined, undefined> {
  const step = shard.count;
  let range: SegmentRange | undefined;
  for (const index of ownedSegments(shard, startSector, sizeBytes)) {
    if (!isMissing(index)) continue;
    if (range !== undefined && extendsRange(range, index)) {
      range = { ...range, count: range.count + 1 };
      continue;
    }
    if (range !== undefined) yield range;
    range = { first: index, step, count: 1 };
  }
  if (range !== undefined) yield range;
  return undefined;
}

function extendsRange({ first, step, count }: SegmentRange, index: number): boolean {
  return count < MAX_SEGMENTS_PER_REPLY && index === first + count * step;
}

/** What of a range is still missing, from its first missing segment on. */
export function restOf(
  { first, step, count }: SegmentRange,
  isMissing: (index: number) => boolean,
): SegmentRange | undefined {
  for (let at = 0; at < count; at += 1) {
    if (isMissing(first + at * step)) return { first: first + at * step, step, count: count - at };
  }
  return undefined;
}
