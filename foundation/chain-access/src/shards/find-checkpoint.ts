import type { Checkpoint } from '@cairn/attestation';
import type { CallOptions } from '../client/chain-client.ts';
import type { OrderedEvent } from './order-feed.ts';
import { type CheckpointSource, checkpointAt } from './placed-record.ts';

/** A checkpoint and its place in the order. */
export interface PlacedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly globalIndex: number;
}

/**
 * The first of a shard's ordered checkpoints that has something, found by halving: what one has, all
 * later ones have.
 *
 * @param own - the shard's places, by rising number
 * @returns `undefined` where the newest has it not, or there is none
 * @throws as `checkpointAt`
 */
export async function findCheckpoint(
  own: readonly OrderedEvent[],
  has: (checkpoint: Checkpoint) => boolean,
  from: CheckpointSource,
  options: CallOptions,
): Promise<PlacedCheckpoint | undefined> {
  let found: PlacedCheckpoint | undefined;
  for (let [low, high] = [0, own.length]; low < high; ) {
    // The newest first: whether it is ordered at all.
    const middle = found === undefined ? high - 1 : Math.floor((low + high) / 2);
    const event = own[middle];
    if (event === undefined) break;
    const checkpoint = await checkpointAt(event, from, options);
    if (has(checkpoint)) {
      found = { checkpoint, globalIndex: event.globalIndex };
      high = middle;
    } else {
      if (found === undefined) break;
      low = middle + 1;
    }
  }
  return found;
}
