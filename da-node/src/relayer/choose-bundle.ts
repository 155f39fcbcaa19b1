import { type Checkpoint, type Committee, checkpointHash, isQuorum } from '@cairn/attestation';
import { bigEndianBytes, keccak256, toHex } from '@cairn/primitives';
import { MAX_BUNDLE_CHECKPOINTS } from '@cairn/wire-protocol/da';
import type { OrderedHead } from '../signer/shards/ports.ts';

/** What a member of the committee would sign for. */
export interface MemberOffer {
  readonly memberIndex: number;
  readonly checkpoints: readonly Checkpoint[];
}

/** Checkpoints that go to the hub together, and the members that offered all of them. */
export interface ChosenBundle {
  readonly checkpoints: readonly Checkpoint[];
  readonly members: readonly number[];
}

interface Candidate {
  readonly checkpoint: Checkpoint;
  readonly leaf: string;
  readonly members: Set<number>;
}

/**
 * The checkpoints that more than two thirds of the seats would sign for together: of each shard those that
 * follow its newest ordered one, round after round, 64 at most. What too few offer is left out with all
 * that follows it; other shards do not wait for it.
 *
 * @param heads - the newest ordered checkpoint of every shard that counts
 * @param round - changes which shards come first, so that none is left out again and again
 */
export function chooseBundle(
  offers: readonly MemberOffer[],
  { members, snapshot }: Committee,
  heads: ReadonlyMap<number, OrderedHead>,
  round: number,
): ChosenBundle {
  const byPlace = candidatesOf(offers);
  const seatsOf = (able: Iterable<number>): bigint => {
    let seats = 0n;
    for (const index of able) seats += BigInt(members[index]?.seats ?? 0);
    return seats;
  };
  let able = new Set(offers.map(({ memberIndex }) => memberIndex));
  const chosen: Checkpoint[] = [];
  let streams = [...heads]
    .map(([shardId, { number, hash }]) => ({ shardId, number, leaf: toHex(hash) as string }))
    .sort((left, right) => rank(left.shardId, round) - rank(right.shardId, round));
  while (streams.length > 0 && chosen.length < MAX_BUNDLE_CHECKPOINTS) {
    const going: typeof streams = [];
    for (const { shardId, number, leaf } of streams) {
      if (chosen.length >= MAX_BUNDLE_CHECKPOINTS) break;
      const next = (byPlace.get(`${shardId}:${number + 1}`) ?? [])
        .filter(({ checkpoint }) => toHex(checkpoint.previous) === leaf)
        .map((candidate) => ({ ...candidate, both: both(able, candidate.members) }))
        .find((candidate) => isQuorum(seatsOf(candidate.both), snapshot.totalWeight));
      if (next === undefined) continue;
      able = next.both;
      chosen.push(next.checkpoint);
      going.push({ shardId, number: number + 1, leaf: next.leaf });
    }
    streams = going;
  }
  return { checkpoints: chosen, members: [...able] };
}

function candidatesOf(offers: readonly MemberOffer[]): Map<string, Candidate[]> {
  const byPlace = new Map<string, Candidate[]>();
  for (const { memberIndex, checkpoints } of offers) {
    for (const checkpoint of checkpoints) {
      const place = `${checkpoint.shardId}:${checkpoint.number}`;
      const leaf = toHex(checkpointHash(checkpoint));
      const known = byPlace.get(place) ?? [];
      const same = known.find((each) => each.leaf === leaf);
      if (same === undefined) known.push({ checkpoint, leaf, members: new Set([memberIndex]) });
      else same.members.add(memberIndex);
      byPlace.set(place, known);
    }
  }
  return byPlace;
}

function both(left: ReadonlySet<number>, right: ReadonlySet<number>): Set<number> {
  return new Set([...left].filter((each) => right.has(each)));
}

function rank(shardId: number, round: number): number {
  const hash = keccak256(bigEndianBytes(shardId, 4), bigEndianBytes(round, 8));
  return ((hash[0] ?? 0) << 16) | ((hash[1] ?? 0) << 8) | (hash[2] ?? 0);
}
