import { equal, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { memoryKeyValueStore } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { keyAccounts } from '../../src/disperser/accounts.ts';
import { BlobStore } from '../../src/disperser/blob-store.ts';
import { feeOf, PromiseMaker } from '../../src/disperser/make-promise.ts';
import { committeeOf, NETWORK } from './committee.ts';
import { payer } from './harness.ts';

describe('accounts by API key', () => {
  const accounts = [
    { name: 'rollup', keyHash: createHash('sha256').update('secret').digest(), budgetBytes: 100 },
  ];

  it('take from known keys, within their budget, again with each period and after a restart', async () => {
    const index = memoryKeyValueStore();
    let nowMs = 5000;
    const clock = { now: () => nowMs };
    const open = () => keyAccounts({ index, clock }, accounts, 1000);
    const caller = { apiKey: 'secret' };
    equal(await open().charge(caller, 60), 'rollup');
    await rejects(open().charge(caller, 41), { code: 'ACCOUNT_BUDGET' });
    equal(await open().charge(caller, 40), 'rollup');
    nowMs = 6000;
    equal(await open().charge(caller, 100), 'rollup');
  });

  it('count what is asked for at the same time', async () => {
    const keyed = keyAccounts(
      { index: memoryKeyValueStore(), clock: { now: () => 0 } },
      accounts,
      9,
    );
    const asked = [60, 60].map((bytes) => keyed.charge({ apiKey: 'secret' }, bytes));
    const outcomes = await Promise.allSettled(asked);
    equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('refuse everybody else', async () => {
    const keyed = keyAccounts(
      { index: memoryKeyValueStore(), clock: { now: () => 0 } },
      accounts,
      9,
    );
    for (const apiKey of [undefined, 'other']) {
      await rejects(keyed.charge({ apiKey }, 1), { code: 'ACCOUNT_UNKNOWN' });
    }
  });
});

describe('promises', () => {
  const layout = {
    payloadBytes: 100,
    log2K: 6,
    dataRows: 64,
    cosets: 3,
    rows: 256,
    rowBytes: 64,
  };
  const terms = {
    office: committeeOf(3, [1, 1, 1, 1], { startSeconds: 100, endSeconds: 160 }).snapshot.office,
    takesUntilSeconds: 150,
    basePerBlobWei: 7n,
    pricePerByteEpochWei: 3n,
  };
  const blob = { commitment: new Uint8Array(32), suite: 0, layout, retentionEpochs: 2 };

  it('cost what the contract charges', () => {
    equal(feeOf(layout, 2, terms), 7n + 256n * 64n * 2n * 3n);
  });

  it('never share a slot, made together or after a restart', async () => {
    const store = new BlobStore(memoryKeyValueStore());
    const open = () => new PromiseMaker({ store, network: NETWORK, payer });
    const maker = open();
    const made = await Promise.all([1, 2, 3].map(() => maker.make(blob, terms)));
    made.push(await open().make(blob, terms));
    const indexes = made.map(({ header }) => header.submissionIndex);
    equal(new Set(indexes).size, 4);
    equal(made[0]?.header.expirySeconds, 160 + 2 * NETWORK.epochSeconds);
    equal(made[0]?.promise.signBySeconds, 160 + NETWORK.graceSeconds / 2);
  });

  it('come to an end with the slots of an epoch', async () => {
    const store = new BlobStore(memoryKeyValueStore());
    await store.useSlotsBelow(3, 65_536);
    const maker = new PromiseMaker({ store, network: NETWORK, payer });
    await rejects(maker.make(blob, terms), { code: 'PROMISE_SLOTS' });
  });
});

describe('byte budget', () => {
  it('lets in what there is room for, in order, and what is too large alone', async () => {
    const budget = new ByteBudget({ maxBytes: 100, maxWaiting: 2 });
    const { signal } = new AbortController();
    const first = await budget.take(60, signal);
    const order: string[] = [];
    const large = budget.take(1000, signal).then((release) => {
      order.push('large');
      return release;
    });
    const small = budget.take(10, signal).then((release) => {
      order.push('small');
      return release;
    });
    await rejects(budget.take(1, signal), { code: 'QUEUE_FULL' });
    first();
    first();
    (await large)();
    (await small)();
    equal(order.join(), 'large,small');
    equal(budget.usedBytes, 0);
  });
});
