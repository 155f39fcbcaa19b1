import {
  keccak256,
  type Rng,
  SECTOR_BYTES,
  SEGMENT_SECTORS,
  utf8Bytes,
  viewOf,
} from '@cairn/primitives';
import { countOwnedSegments, ownedSegments, type ShardConfig } from '@cairn/wire-protocol';

/** A file's place in the log, as far as shards depend on it. */
interface Place {
  readonly sizeBytes: number;
  readonly startSector: number;
}

/** Sectors with data that a shard keeps of a file. */
export function countOwnedSectors(shard: ShardConfig, { sizeBytes, startSector }: Place): number {
  const segments = countOwnedSegments(shard, startSector, sizeBytes);
  if (segments === 0) return 0;
  const last = firstOwned(shard, { sizeBytes, startSector }) + (segments - 1) * shard.count;
  const rest = Math.ceil(sizeBytes / SECTOR_BYTES) - last * SEGMENT_SECTORS;
  return (segments - 1) * SEGMENT_SECTORS + Math.min(SEGMENT_SECTORS, rest);
}

/**
 * Different sectors of those that a shard keeps of a file, each set as likely as any other; all of
 * them where there are no more than `count`.
 *
 * @returns places in the file, in no order that means anything
 */
export function drawSectors(
  shard: ShardConfig,
  place: Place,
  count: number,
  rng: Pick<Rng, 'fill'>,
): readonly number[] {
  const total = countOwnedSectors(shard, place);
  if (total === 0) return [];
  const first = firstOwned(shard, place);
  return [...drawBelow(total, Math.min(count, total), rng)].map((number) => {
    const segment = first + Math.floor(number / SEGMENT_SECTORS) * shard.count;
    return segment * SEGMENT_SECTORS + (number % SEGMENT_SECTORS);
  });
}

function firstOwned(shard: ShardConfig, { sizeBytes, startSector }: Place): number {
  const first = ownedSegments(shard, startSector, sizeBytes).next();
  return first.done === true ? 0 : first.value;
}

/**
 * What a seed draws for one node: keccak-256 of the seed, the node's address and a counter of 4 bytes,
 * one after another. It depends on nothing else, so that whoever knows the seed draws the same,
 * in whatever order nodes answer.
 *
 * @param seed - 32 bytes
 * @param url - without a slash at its end
 */
export function drawStream(seed: Uint8Array, url: string): Pick<Rng, 'fill'> {
  const name = utf8Bytes(url);
  const counter = new Uint8Array(4);
  let number = 0;
  let rest = new Uint8Array();
  return {
    fill(target) {
      for (let filled = 0; filled < target.length; ) {
        if (rest.length === 0) {
          viewOf(counter).setUint32(0, number);
          rest = Uint8Array.from(keccak256(seed, name, counter));
          number += 1;
        }
        const taken = rest.subarray(0, target.length - filled);
        target.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
      }
      return target;
    },
  };
}

/** `count` different numbers below `total`, by Floyd's algorithm: one draw for each. */
function drawBelow(total: number, count: number, rng: Pick<Rng, 'fill'>): ReadonlySet<number> {
  const drawn = new Set<number>();
  for (let bound = total - count + 1; bound <= total; bound += 1) {
    const number = below(bound, rng);
    drawn.add(drawn.has(number) ? bound - 1 : number);
  }
  return drawn;
}

/** A number below `bound`, up to 2^53: draws of 53 bits, those beyond its last multiple left out. */
function below(bound: number, rng: Pick<Rng, 'fill'>): number {
  const limit = Math.floor(2 ** 53 / bound) * bound;
  const words = new Uint8Array(8);
  for (;;) {
    const view = viewOf(rng.fill(words));
    const number = (view.getUint32(0) & 0x1fffff) * 2 ** 32 + view.getUint32(4);
    if (number < limit) return number % bound;
  }
}
