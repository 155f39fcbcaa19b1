import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { countStored, type StoreCounts } from '@cairn/log-layer';
import type { Address, ChainId, Json } from '@cairn/primitives';
import { formatShard, type ShardConfig } from '@cairn/wire-protocol';
import { SEALED_DIRECTORY, type Stores } from '../open-stores.ts';
import { occupiedBytes } from '../upkeep/occupied-bytes.ts';
import { moveJson, type ShardMove } from '../upkeep/shard-keeper.ts';

/** What a data directory holds. */
export interface DatabaseCounts extends StoreCounts {
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly shard: ShardConfig;
  /** A change of the shard under way. */
  readonly move: ShardMove | undefined;
  /** Log entries. */
  readonly entries: number;
  /** Number of the newest block applied. */
  readonly block: number | undefined;
  /** Segment files, and what they and the index take on the disk. */
  readonly files: number;
  readonly segmentDiskBytes: number;
  /** What sealed copies take. */
  readonly sealedDiskBytes: number;
  readonly indexDiskBytes: number;
}

/** Counts what a data directory holds; reads the whole index. */
export async function countDatabase(
  { log, kv, files, keeper }: Pick<Stores, 'log' | 'kv' | 'files' | 'keeper'>,
  directory: string,
  signal: AbortSignal,
): Promise<DatabaseCounts> {
  const counts = await countStored(kv, { checksum: (bytes) => crc32(bytes), signal });
  const numbers = files.store.fileNumbers();
  let segmentDiskBytes = 0;
  for (const file of numbers) segmentDiskBytes += await files.store.occupiedBytes(file);
  return {
    ...counts,
    chainId: log.chainId,
    flow: log.flow,
    shard: keeper.current,
    move: keeper.move,
    entries: log.nextSequence,
    block: log.newestBlock?.number,
    files: numbers.length,
    segmentDiskBytes,
    sealedDiskBytes: await occupiedBytes(join(directory, SEALED_DIRECTORY)),
    indexDiskBytes: await kv.sizeBytes(),
  };
}

/** Counts as JSON. */
export function databaseCountsJson({ shard, move, block, ...counts }: DatabaseCounts): Json {
  return { ...counts, shard: formatShard(shard), move: moveJson(move), block: block ?? null };
}
