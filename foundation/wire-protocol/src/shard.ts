import { SEGMENT_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';
import { WireError } from './errors.ts';

/** The most shards a network may be cut into; keeps every sum below 2^53. */
export const MAX_SHARDS: number = 2 ** 32;

/** The segments a storage node keeps: global segment g is its own iff g mod `count` = `id`. */
export interface ShardConfig {
  /** 0 … count − 1. */
  readonly id: number;
  /** A power of two; 1 is a full node. */
  readonly count: number;
}

/** @throws {WireError} SHARD_INVALID unless `count` is a power of two up to 2^32 and `id` below it */
export function parseShardConfig(id: number, count: number): ShardConfig {
  const isCount = Number.isSafeInteger(count) && count >= 1 && count <= MAX_SHARDS;
  if (!isCount || !Number.isInteger(Math.log2(count)) || !Number.isSafeInteger(id)) {
    refuse(id, count);
  }
  if (id < 0 || id >= count) refuse(id, count);
  return { id, count };
}

/** The shard of `id/count` text, such as `0/2`. @throws {WireError} SHARD_INVALID */
export function parseShardText(text: string): ShardConfig {
  const match = /^(\d{1,10})\/(\d{1,10})$/.exec(text.trim());
  return parseShardConfig(Number(match?.[1] ?? Number.NaN), Number(match?.[2] ?? Number.NaN));
}

/** `id/count`, the text `parseShardText` reads. */
export function formatShard({ id, count }: ShardConfig): string {
  return `${id}/${count}`;
}

function refuse(id: number, count: number): never {
  throw new WireError(
    { code: 'SHARD_INVALID', id, count },
    `a shard is id/count with a power of two for count and id below it, not ${id}/${count}`,
  );
}

/** The global segment that holds sector `startSector` of the flow. */
export function firstGlobalSegment(startSector: number): number {
  return Math.floor(startSector / SEGMENT_SECTORS);
}

/** Whether the shard keeps global segment `globalSegment`. */
export function ownsSegment({ id, count }: ShardConfig, globalSegment: number): boolean {
  return globalSegment % count === id;
}

/** Whether some segment is kept by both shards. */
export function haveCommonSegments(left: ShardConfig, right: ShardConfig): boolean {
  const count = Math.min(left.count, right.count); // powers of two: the one divides the other
  return left.id % count === right.id % count;
}

/** The first global segment from `from` on that the shard keeps. */
export function nextOwnedSegment({ id, count }: ShardConfig, from: number): number {
  return from + ((((id - from) % count) + count) % count);
}

/** File-relative indexes, in order, of the data segments the shard keeps of an entry. */
export function* ownedSegments(
  shard: ShardConfig,
  startSector: number,
  sizeBytes: number,
): Generator<number, void, void> {
  const first = firstGlobalSegment(startSector);
  const segments = Math.ceil(sizeBytes / SEGMENT_BYTES);
  let index = nextOwnedSegment(shard, first) - first;
  for (; index < segments; index += shard.count) yield index;
}

/** How many data segments the shard keeps of an entry. */
export function countOwnedSegments(
  shard: ShardConfig,
  startSector: number,
  sizeBytes: number,
): number {
  const first = firstGlobalSegment(startSector);
  const segments = Math.ceil(sizeBytes / SEGMENT_BYTES);
  const offset = nextOwnedSegment(shard, first) - first;
  return offset >= segments ? 0 : Math.ceil((segments - offset) / shard.count);
}
