import assert from 'node:assert/strict';
import { chainIdOf, memoryKeyValueStore } from '@cairn/primitives';
import fc from 'fast-check';
import { rankCandidates, type ShardCandidate, weightedWei } from '../../src/shards/placement.ts';
import { placementJournal } from '../../src/shards/placement-journal.ts';

const SEED = 20_261_123;
const CHAIN = chainIdOf(31_337);
const IDLE = { waitingEntries: 0, lateCheckpoints: 0, headBlock: 9, finalBlock: 7 };

/** A shard that asks for so much, with so many entries waiting. */
const candidate = (shard: number, totalWei: bigint, waitingEntries = 0): ShardCandidate => ({
  ...{ shard, chainId: CHAIN },
  cost: { pricePerSectorWei: 1n, feeWei: totalWei, totalWei },
  backlog: { ...IDLE, waitingEntries },
  weightedWei: weightedWei(totalWei, { waitingEntries, lateCheckpoints: 0 }, 1),
});

describe('the choice of a shard', () => {
  it('takes the cheapest, then the one with less waiting, then the lower number', () => {
    const order = (...all: readonly ShardCandidate[]): readonly number[] =>
      rankCandidates(all).map(({ shard }) => shard);
    assert.deepEqual(order(candidate(1, 200n), candidate(2, 100n)), [2, 1]);
    assert.deepEqual(order(candidate(2, 0n, 3), candidate(1, 0n, 4)), [2, 1]);
    assert.deepEqual(order(candidate(2, 100n), candidate(1, 100n)), [1, 2]);
  });

  it('takes a shard whose price is not known after those that told it, and one at fault last', () => {
    const fault = { code: 'CHAIN_UNREACHABLE', reason: 'no answer' };
    const ranked = rankCandidates([
      { ...candidate(1, 1n), fault },
      { shard: 2, chainId: CHAIN },
      candidate(3, 10n ** 18n),
    ]);
    assert.deepEqual(
      ranked.map(({ shard }) => shard),
      [3, 2, 1],
    );
  });

  it('counts 1 % for each entry that waits and 10 % for each late checkpoint', () => {
    const total = 10_000n;
    assert.equal(weightedWei(total, { waitingEntries: 0, lateCheckpoints: 0 }, 1), 10_000n);
    assert.equal(weightedWei(total, { waitingEntries: 7, lateCheckpoints: 0 }, 1), 10_700n);
    assert.equal(weightedWei(total, { waitingEntries: 0, lateCheckpoints: 2 }, 1), 12_000n);
    assert.equal(weightedWei(total, { waitingEntries: 0, lateCheckpoints: 0 }, 0.25), 2500n);
  });

  it('never gains by more waiting, a higher price or a dearer coin', () => {
    const backlog = fc.record({ waitingEntries: fc.nat(1000), lateCheckpoints: fc.nat(100) });
    const property = fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 24n }),
      fc.nat(10_000).map(BigInt),
      backlog,
      fc.nat(20),
      fc.double({ min: 0.001, max: 1000, noNaN: true }),
      (total, more, load, waiting, coin) => {
        const base = weightedWei(total, load, coin);
        const waitingEntries = load.waitingEntries + waiting;
        assert.ok(weightedWei(total + more, load, coin) >= base);
        assert.ok(weightedWei(total, { ...load, waitingEntries }, coin) >= base);
        assert.ok(weightedWei(total, load, coin * 2) >= base);
      },
    );
    fc.assert(property, { seed: SEED, numRuns: 200 });
  });

  it('is remembered from before the payment until the upload is done', async () => {
    const store = memoryKeyValueStore();
    const journal = placementJournal(store);
    assert.equal(await journal.get('upload'), undefined);
    await journal.put('upload', 4);
    assert.equal(await placementJournal(store).get('upload'), 4);
    assert.equal(await journal.get('another'), undefined);
    await journal.delete('upload');
    assert.equal(await journal.get('upload'), undefined);
  });

  it('is not made anew where the record of it cannot be read', async () => {
    const store = memoryKeyValueStore();
    const journal = placementJournal(store);
    await journal.put('upload', 4);
    for await (const [key] of store.entries({}, { signal: new AbortController().signal })) {
      await store.write([{ type: 'put', key, value: new Uint8Array([1]) }], { sync: true });
    }
    await assert.rejects(journal.get('upload'), { code: 'SDK_JOURNAL' });
  });
});
