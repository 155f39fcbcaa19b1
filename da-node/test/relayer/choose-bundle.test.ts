import { deepEqual, equal, ok } from 'node:assert/strict';
import { type Checkpoint, checkpointHash } from '@cairn/attestation';
import { type Address, equalBytes, keccak256, parseAddress, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import { chooseBundle, type MemberOffer } from '../../src/relayer/choose-bundle.ts';
import { Turns, turnOf } from '../../src/relayer/take-turns.ts';
import { committeeOf } from '../dispersal/committee.ts';

const SEED = 20_261_123;
const SEATS = [8, 8, 4, 4];
const COMMITTEE = committeeOf(7, SEATS, { startSeconds: 1000, endSeconds: 1060 });
const NONE: Uint8Array = new Uint8Array(32);
const HEADS = new Map([0, 1, 2].map((shardId) => [shardId, { number: 0, hash: NONE }]));

/** Checkpoints of a shard in a row; another `history` has other contents. */
function streamOf(shardId: number, count: number, history = 0): readonly Checkpoint[] {
  const stream: Checkpoint[] = [];
  for (let number = 1; number <= count; number += 1) {
    const before = stream.at(-1);
    const root = keccak256(utf8Bytes(`${shardId} ${number} ${history}`));
    stream.push({
      shardId,
      number,
      previous: before === undefined ? NONE : checkpointHash(before),
      flowRoot: root,
      flowLength: 1,
      logRoot: root,
      logCount: 1,
      daRoot: root,
      daCount: 0,
      blockNumber: 10 * number,
      blockHash: root,
      timeSeconds: 1000 + number,
    });
  }
  return stream;
}

describe('what a relayer brings together', () => {
  it('is what more than two thirds of the seats offer together, of each shard without gaps', () => {
    const offer = fc.tuple(
      ...[0, 1, 2].map(() => fc.record({ count: fc.nat(6), history: fc.nat(1) })),
    );
    const offers = fc.array(offer, { minLength: SEATS.length, maxLength: SEATS.length });
    fc.assert(
      fc.property(offers, fc.nat(1000), (views, round) => {
        const all: MemberOffer[] = views.map((shards, memberIndex) => ({
          memberIndex,
          checkpoints: shards.flatMap(({ count, history }, id) => streamOf(id, count, history)),
        }));
        const { checkpoints, members } = chooseBundle(all, COMMITTEE, HEADS, round);
        const seats = members.reduce((sum, index) => sum + (SEATS[index] ?? 0), 0);
        if (checkpoints.length > 0) ok(3 * seats > 2 * 24, `${seats} seats`);
        const heads = new Map([0, 1, 2].map((id) => [id, { number: 0, hash: NONE }]));
        for (const checkpoint of checkpoints) {
          const head = heads.get(checkpoint.shardId);
          equal(checkpoint.number, (head?.number ?? 0) + 1);
          ok(equalBytes(checkpoint.previous, head?.hash ?? NONE));
          const hash = checkpointHash(checkpoint);
          heads.set(checkpoint.shardId, { number: checkpoint.number, hash });
          for (const index of members) {
            const own = all[index]?.checkpoints ?? [];
            ok(own.some((each) => equalBytes(checkpointHash(each), hash)));
          }
        }
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('leaves out the shard that too few offer, and not always the same one of two', () => {
    const only = (memberIndex: number, ...ids: readonly number[]): MemberOffer => ({
      memberIndex,
      checkpoints: ids.flatMap((id) => streamOf(id, 2)),
    });
    // Without either of the last two there are 20 of 24 seats, without both only 16.
    const offers = [only(0, 0, 1), only(1, 0, 1), only(2, 0), only(3, 1)];
    const first = new Set<number>();
    for (let round = 0; round < 32; round += 1) {
      const { checkpoints } = chooseBundle(offers, COMMITTEE, HEADS, round);
      deepEqual(
        checkpoints.map(({ number }) => number),
        [1, 2],
      );
      first.add(checkpoints[0]?.shardId ?? -1);
    }
    deepEqual([...first].sort(), [0, 1]);
  });

  it('holds 64 checkpoints at most', () => {
    const heads = new Map(Array.from({ length: 70 }, (_, id) => [id, { number: 0, hash: NONE }]));
    const checkpoints = [...heads.keys()].flatMap((id) => streamOf(id, 1));
    const offers = SEATS.map((_, memberIndex) => ({ memberIndex, checkpoints }));
    equal(chooseBundle(offers, COMMITTEE, heads, 1).checkpoints.length, 64);
  });
});

describe('turns of relayers', () => {
  const account = (index: number): Address =>
    parseAddress(`0x${(index + 1).toString(16).padStart(40, '0')}`);

  it('come at the place in the time of spread that account and task have, and a whole turn later again', () => {
    const clock = { ms: 0, monotonic: () => clock.ms };
    const turns = new Turns({ account: account(1), clock }, { spreadMs: 1000 });
    const at = turnOf(account(1), 'order:7') * 1000;
    turns.isDue('order:7');
    const due: number[] = [];
    for (clock.ms = 1; clock.ms <= 2000; clock.ms += 1)
      if (turns.isDue('order:7')) due.push(clock.ms);
    deepEqual(due, [Math.ceil(at), Math.ceil(at) + 1000]);
  });

  it('are always due where nobody else relays', () => {
    const turns = new Turns(
      { account: account(1), clock: { monotonic: () => 5 } },
      { spreadMs: 0 },
    );
    ok(turns.isDue('a') && turns.isDue('a') && turns.isDue('b'));
  });

  it('fall to each of several relayers about as often', () => {
    const firsts = [0, 0, 0, 0];
    for (let task = 0; task < 1000; task += 1) {
      const places = firsts.map((_, index) => turnOf(account(index), `order:${task}`));
      const first = places.indexOf(Math.min(...places));
      firsts[first] = (firsts[first] ?? 0) + 1;
    }
    ok(
      firsts.every((count) => count > 180 && count < 320),
      `${firsts}`,
    );
  });
});
