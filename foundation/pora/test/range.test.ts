import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import fc from 'fast-check';
import { word } from '../src/digests.ts';
import { MAX_RANGE_SECTORS, PRICING_SECTORS } from '../src/params.ts';
import {
  checkRange,
  minableLength,
  type RecallRange,
  rangeOfShard,
  recalledSegment,
  requireRecalled,
} from '../src/range.ts';
import { SEED } from './support.ts';

const ALL = 2n ** 64n - 1n;
const terms = { flowLength: 65_536 + 7, maxShards: 16 };
const whole: RecallRange = { startPosition: 0, mineLength: 65_536, shardId: 0n, shardMask: ALL };

function codeOf(range: RecallRange, on = terms): string {
  try {
    checkRange(range, on);
  } catch (error) {
    if (isFault(error)) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('a range', () => {
  it('is all whole segments of a flow that is shorter than the most that may be mined', () => {
    assert.equal(codeOf(whole), 'accepted');
    assert.equal(codeOf({ ...whole, mineLength: 65_536 - 1024 }), 'PORA_RANGE_LENGTH');
    assert.equal(codeOf({ ...whole, mineLength: 65_536 + 1024 }), 'PORA_RANGE_END');
    assert.equal(codeOf({ ...whole, mineLength: 65_536 - 1 }), 'PORA_RANGE_END');
    assert.equal(codeOf({ ...whole, mineLength: 0 }), 'PORA_RANGE_LENGTH');
    assert.equal(
      codeOf({ ...whole, mineLength: 0 }, { flowLength: 1023, maxShards: 1 }),
      'PORA_RANGE_LENGTH',
    );
  });

  it('begins at a multiple of 8 GiB and has 8 TiB for each shard of a longer flow', () => {
    const flowLength = MAX_RANGE_SECTORS * 2 + PRICING_SECTORS + 5;
    const long = { flowLength, maxShards: 16 };
    const range = { ...whole, mineLength: MAX_RANGE_SECTORS };
    assert.equal(codeOf(range, long), 'accepted');
    assert.equal(codeOf({ ...range, startPosition: PRICING_SECTORS }, long), 'accepted');
    assert.equal(
      codeOf({ ...range, startPosition: PRICING_SECTORS / 2 }, long),
      'PORA_RANGE_START',
    );
    assert.equal(
      codeOf({ ...range, startPosition: MAX_RANGE_SECTORS + 2 * PRICING_SECTORS }, long),
      'PORA_RANGE_END',
    );
    assert.equal(
      codeOf({ ...range, mineLength: MAX_RANGE_SECTORS + 1024 }, long),
      'PORA_RANGE_LENGTH',
    );
  });

  it('names a shard by the lowest bits only, of as many as are allowed', () => {
    const masked = (shardMask: bigint, shardId = 0n): string =>
      codeOf({ ...whole, shardMask, shardId });
    assert.equal(masked(ALL - 3n, 3n), 'accepted');
    assert.equal(masked(ALL - 15n, 9n), 'accepted');
    assert.equal(masked(ALL - 31n), 'PORA_SHARD_COUNT');
    assert.equal(masked(ALL - 2n), 'PORA_SHARD_MASK');
    assert.equal(masked(ALL - (31n << 11n)), 'PORA_SHARD_MASK');
    assert.equal(masked(ALL - 3n, 4n), 'PORA_SHARD_ID');
    assert.equal(masked(0n), 'PORA_SHARD_COUNT');
  });

  it('of an honest node is always accepted', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1024, max: 2 ** 45 }),
        fc.integer({ min: 0, max: 4 }),
        fc.nat(),
        fc.nat(),
        (flowLength, bits, id, from) => {
          const count = 2 ** bits;
          const range = rangeOfShard({ id: id % count, count }, flowLength, from * 1024);
          assert.equal(checkRange(range, { flowLength, maxShards: 16 }), count);
        },
      ),
      { seed: SEED },
    );
  });
});

describe('what a nonce recalls', () => {
  it('is a segment of the range and of the shard, or nothing', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
        fc.integer({ min: 1, max: 99 }),
        fc.integer({ min: 0, max: 3 }),
        fc.nat(),
        (seed, segments, bits, id) => {
          const count = 2 ** bits;
          const shard = { id: id % count, count };
          const range = rangeOfShard(shard, segments * 1024);
          const segment = recalledSegment(word(seed), range);
          if (segment === undefined) {
            assert.throws(() => requireRecalled(word(seed), range), {
              code: 'PORA_RECALL_OUTSIDE',
            });
            return;
          }
          assert.ok(segment < segments);
          assert.equal(segment % count, shard.id);
          assert.equal(
            Math.floor(segment / count),
            Math.floor(Number(seed % BigInt(segments)) / count),
          );
        },
      ),
      { seed: SEED },
    );
  });

  it('is never the segment after the last one', () => {
    const range = rangeOfShard({ id: 3, count: 4 }, 65 * 1024);
    assert.equal(minableLength(65 * 1024 + 1023), 65 * 1024);
    assert.equal(recalledSegment(word(64), range), undefined);
    assert.equal(recalledSegment(word(63), range), 63);
  });
});
