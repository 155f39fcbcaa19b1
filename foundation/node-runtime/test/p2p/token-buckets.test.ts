import assert from 'node:assert/strict';
import { TokenBuckets } from '../../src/p2p/token-buckets.ts';

describe('quotas of peers', () => {
  let nowMs = 0;
  const clock = { monotonic: () => nowMs };
  const buckets = (maxPeers = 10): TokenBuckets =>
    new TokenBuckets({ burstItems: 10, itemsPerSecond: 2 }, clock, maxPeers);

  beforeEach(() => {
    nowMs = 0;
  });

  it('give a burst, then what comes back each second, and no more than the burst after a rest', () => {
    const held = buckets();
    assert.ok(held.spend('a', 7));
    assert.ok(!held.spend('a', 4));
    assert.ok(held.spend('a', 3));
    nowMs = 1000;
    assert.ok(!held.spend('a', 3));
    assert.ok(held.spend('a', 2));
    nowMs = 10 ** 9;
    assert.ok(!held.spend('a', 11));
    assert.ok(held.spend('a', 10));
    assert.ok(!held.spend('a', 1));
  });

  it('are kept for each peer', () => {
    const held = buckets();
    assert.ok(held.spend('a', 10));
    assert.ok(held.spend('b', 10));
    assert.ok(!held.spend('a', 1));
  });

  it('grant nothing for a number that is none', () => {
    assert.ok(!buckets().spend('a', Number.NaN));
  });

  it('forget the peers that asked longest ago', () => {
    const held = buckets(2);
    for (const peer of ['a', 'b', 'c']) assert.ok(held.spend(peer, 10));
    assert.ok(held.spend('a', 10));
    assert.ok(!held.spend('c', 1));
  });
});
