import assert from 'node:assert/strict';
import { type BlobCandidate, cheapestOf } from '../src/blob-shard.ts';

describe('the shard that a blob is posted to', () => {
  const best = (...candidates: readonly BlobCandidate[]) => cheapestOf(candidates)?.shard;
  const at = (shard: number, feeWei?: bigint, fault?: string) => ({ shard, feeWei, fault });

  it('is the cheapest, and the lower number of equals', () => {
    assert.equal(best(at(0, 30n), at(1, 20n), at(2, 25n)), 1);
    assert.equal(best(at(2, 20n), at(1, 20n), at(0, 21n)), 1);
  });

  it('is one whose price is known, if there is any', () => {
    assert.equal(best(at(0), at(1, 10n ** 30n)), 1);
    assert.equal(best(at(3), at(2)), 2);
  });

  it('is none whose disperser is away or not ready', () => {
    assert.equal(best(at(0, 1n, 'not ready'), at(1, 9n)), 1);
    assert.equal(best(at(0, 1n, 'not ready'), at(1, undefined, 'away')), undefined);
  });
});
