import { segmentsOf } from '@cairn/commitments';
import { firstGlobalSegment, ownsSegment, type ShardConfig } from './shard.ts';

/** How many of these shards keep the segment that fewest keep, and the one that most keep. */
export function countReplicas(
  shards: readonly ShardConfig[],
  { sizeBytes, startSector }: { readonly sizeBytes: number; readonly startSector: number },
): { readonly least: number; readonly most: number } {
  // Which shards keep a segment repeats with the largest count: shards are powers of two.
  const period = shards.reduce((largest, { count }) => Math.max(largest, count), 1);
  const first = firstGlobalSegment(startSector);
  const end = Math.min(segmentsOf(sizeBytes), period);
  let [least, most] = [shards.length, 0];
  for (let index = 0; index < end; index += 1) {
    const replicas = shards.filter((shard) => ownsSegment(shard, first + index)).length;
    [least, most] = [Math.min(least, replicas), Math.max(most, replicas)];
  }
  return { least, most };
}
