import assert from 'node:assert/strict';
import { isFault, SEGMENT_BYTES, SEGMENT_SECTORS, seededRng } from '@cairn/primitives';
import fc from 'fast-check';
import { chooseHolders, coversAllShards } from '../src/choose-holders.ts';
import {
  countOwnedSegments,
  firstGlobalSegment,
  formatShard,
  haveCommonSegments,
  nextOwnedSegment,
  ownedSegments,
  ownsSegment,
  parseShardConfig,
  parseShardText,
  type ShardConfig,
} from '../src/shard.ts';

const shardOf = (maxPower: number): fc.Arbitrary<ShardConfig> =>
  fc
    .integer({ min: 0, max: maxPower })
    .chain((power) =>
      fc.integer({ min: 0, max: 2 ** power - 1 }).map((id) => ({ id, count: 2 ** power })),
    );

describe('shards', () => {
  it('have common segments if and only if some segment is of both', () => {
    fc.assert(
      fc.property(shardOf(4), shardOf(4), (left, right) => {
        const isCommon = Array.from({ length: 16 }, (_, segment) => segment).some(
          (segment) => ownsSegment(left, segment) && ownsSegment(right, segment),
        );
        assert.equal(haveCommonSegments(left, right), isCommon);
      }),
    );
  });

  it('are id/count with a power of two', () => {
    assert.deepEqual(parseShardText('0/2'), { id: 0, count: 2 });
    assert.deepEqual(parseShardText(' 3/4 '), { id: 3, count: 4 });
    assert.deepEqual(parseShardConfig(2 ** 32 - 1, 2 ** 32), { id: 2 ** 32 - 1, count: 2 ** 32 });
    for (const bad of [
      '',
      '1',
      '1/3',
      '2/2',
      '-1/2',
      '0/0',
      '1.5/2',
      'a/b',
      '0/2/4',
      '0/8589934592',
    ]) {
      assert.throws(
        () => parseShardText(bad),
        (error) => isFault(error, 'SHARD_INVALID'),
        bad,
      );
    }
    assert.throws(
      () => parseShardConfig(0.5, 2),
      (error) => isFault(error, 'SHARD_INVALID'),
    );
  });

  it('read back what they print', () => {
    fc.assert(
      fc.property(shardOf(32), (shard) => {
        assert.deepEqual(parseShardText(formatShard(shard)), shard);
      }),
    );
  });

  it('own every segment exactly once among all ids', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (power, segment) => {
          const count = 2 ** power;
          const owners = Array.from({ length: count }, (_, id) => ({ id, count })).filter((shard) =>
            ownsSegment(shard, segment),
          );
          assert.equal(owners.length, 1);
        },
      ),
    );
  });

  it('list and count the segments a brute search finds', () => {
    fc.assert(
      fc.property(
        shardOf(5),
        fc.integer({ min: 0, max: 100_000 }),
        fc.integer({ min: 1, max: 80 * SEGMENT_BYTES }),
        (shard, startSector, sizeBytes) => {
          const first = Math.floor(startSector / SEGMENT_SECTORS);
          const expected: number[] = [];
          for (let index = 0; index * SEGMENT_BYTES < sizeBytes; index += 1) {
            if ((first + index) % shard.count === shard.id) expected.push(index);
          }
          assert.deepEqual([...ownedSegments(shard, startSector, sizeBytes)], expected);
          assert.equal(countOwnedSegments(shard, startSector, sizeBytes), expected.length);
          assert.equal(firstGlobalSegment(startSector), first);
        },
      ),
    );
  });

  it('find the next owned segment', () => {
    assert.equal(nextOwnedSegment({ id: 1, count: 4 }, 0), 1);
    assert.equal(nextOwnedSegment({ id: 1, count: 4 }, 1), 1);
    assert.equal(nextOwnedSegment({ id: 1, count: 4 }, 2), 5);
    assert.equal(nextOwnedSegment({ id: 0, count: 1 }, 7), 7);
  });
});

describe('chooseHolders', () => {
  const rng = seededRng(1);
  const nodesOf = (...texts: string[]): { name: string; shard: ShardConfig }[] =>
    texts.map((text, index) => ({ name: `${index}:${text}`, shard: parseShardText(text) }));
  const names = (nodes: { name: string }[] | undefined): string[] | undefined =>
    nodes?.map((node) => node.name);

  it('takes full nodes first for min and small shards first for max', () => {
    const nodes = nodesOf('0/2', '0/1', '1/2');
    assert.deepEqual(names(chooseHolders(nodes, 1, 'min', rng)), ['1:0/1']);
    assert.deepEqual(names(chooseHolders(nodes, 1, 'max', rng)), ['0:0/2', '2:1/2']);
  });

  it('leaves out nodes that add no missing replica', () => {
    const nodes = nodesOf('0/4', '0/4', '2/4', '1/2');
    assert.deepEqual(names(chooseHolders(nodes, 1, 'max', rng)), ['0:0/4', '2:2/4', '3:1/2']);
  });

  it('mixes depths and counts whole nodes for both halves', () => {
    const nodes = nodesOf('0/1', '0/2', '1/4', '3/4');
    assert.equal(chooseHolders(nodes, 2, 'min', rng)?.length, 4);
    assert.equal(chooseHolders(nodes, 3, 'min', rng), undefined);
  });

  it('gives nothing for no nodes, no replicas, or a hole', () => {
    assert.equal(chooseHolders([], 1, 'min', rng), undefined);
    assert.equal(chooseHolders(nodesOf('0/1'), 0, 'min', rng), undefined);
    assert.equal(chooseHolders(nodesOf('0/2', '1/4'), 1, 'random', rng), undefined);
  });

  it('covers every segment as often as asked, whenever all nodes together do', () => {
    fc.assert(
      fc.property(
        fc.array(shardOf(3), { maxLength: 24 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('min', 'max', 'random'),
        fc.integer(),
        (shards, replicas, order, seed) => {
          const nodes = shards.map((shard) => ({ shard }));
          const least = (held: readonly { shard: ShardConfig }[]): number =>
            Math.min(
              ...Array.from(
                { length: 8 },
                (_, segment) => held.filter(({ shard }) => ownsSegment(shard, segment)).length,
              ),
            );
          const chosen = chooseHolders(nodes, replicas, order as 'min', seededRng(seed));
          assert.equal(chosen !== undefined, least(nodes) >= replicas);
          assert.equal(coversAllShards(shards, replicas), least(nodes) >= replicas);
          if (chosen !== undefined) assert.ok(least(chosen) >= replicas);
        },
      ),
    );
  });
});
