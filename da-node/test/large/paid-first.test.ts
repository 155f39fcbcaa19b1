import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { parseCertificate, promiseSlotOf, verifyBlobCertificate } from '@cairn/attestation';
import { toHex } from '@cairn/primitives';
import { blobIdOf } from '../../src/disperser/blob-id.ts';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { backend, NETWORK } from '../dispersal/committee.ts';
import { DyingDisk } from '../dispersal/dying-disk.ts';
import { payloadOf, type RunningDisperser, TestQuorum, wantedOf } from '../dispersal/harness.ts';

const { signal } = new AbortController();
const FIRST = { settings: { policy: { path: 'chain' } } } as const;

/** The record once something holds of it. */
async function once(
  { disperser }: RunningDisperser,
  id: BlobRecord['id'],
  holds: (record: BlobRecord) => boolean,
): Promise<BlobRecord> {
  for (;;) {
    const record = await disperser.find(id);
    if (record !== undefined && holds(record)) return record;
    await pause(10);
  }
}

/** Root of the batch that was signed for a blob. */
function rootOfBatch({ batch }: BlobRecord): string {
  return batch === undefined ? 'none' : toHex(batch.root);
}

describe('a blob that is paid first', () => {
  let quorum: TestQuorum;
  let running: RunningDisperser | undefined;
  let seed = 100;
  /** What was paid before the test. */
  let paidBefore = 0;
  let chargedBefore = 0;

  before(async () => {
    quorum = await TestQuorum.open();
  });
  beforeEach(() => {
    running = undefined;
    seed += 10; // each test has payloads of its own
    paidBefore = quorum.chain.orders.paid.length;
    chargedBefore = quorum.chain.charged.size;
  });
  afterEach(() => running?.stop());
  after(() => quorum.close());

  const paid = (): number => quorum.chain.orders.paid.length - paidBefore;
  const charged = (): number => quorum.chain.charged.size - chargedBefore;

  const start = async (
    parts: Parameters<TestQuorum['disperser']>[0],
  ): Promise<RunningDisperser> => {
    running = await quorum.disperser(parts);
    return running;
  };

  it('is ordered by the chain, certified under kind 1, and read back', async () => {
    const disperser = await start(FIRST);
    const payload = payloadOf(70_000, seed);
    const { id } = await disperser.put(payload);
    const { order, certificate } = await disperser.reached(id, 'final');
    ok(order?.submitted !== undefined && certificate !== undefined);
    equal(promiseSlotOf(order.header.submissionIndex), undefined);
    const committee = quorum.chain.committeeAt(order.epoch);
    const parsed = parseCertificate(certificate, backend);
    equal(parsed.kind, 1);
    const place = { entrance: NETWORK.entrance, shardId: 0, maxMembers: 32 };
    const { snapshot } = committee;
    const known = { network: NETWORK.network, snapshot, committee, ...place };
    const time = { isConfirmed: true } as const;
    deepEqual(verifyBlobCertificate(parsed, { ...known, time }, backend).header, order.header);
    const read = await readBlob(wantedOf({ order } as BlobRecord), await quorum.reader(), {
      signal,
    });
    deepEqual(Buffer.from(read.payload), Buffer.from(payload));
    equal(charged(), 0, 'no promise is charged');
    equal(paid(), 1);
  });

  it('shares its call with those that come together, up to the most of a batch', async () => {
    const batch = { gatherMs: 60, maxBlobs: 4 };
    const disperser = await start({ settings: { ...FIRST.settings, batch } });
    const posts = [0, 1, 2, 3, 4, 5].map((at) => disperser.put(payloadOf(900, seed + at)));
    const records = await Promise.all(posts);
    const finals = await Promise.all(records.map(({ id }) => disperser.reached(id, 'final')));
    const sizes = quorum.chain.orders.sizes.slice(paidBefore);
    equal(
      sizes.reduce((sum, size) => sum + size, 0),
      6,
    );
    ok(sizes.length < 6 && sizes.every((size) => size <= 4), `calls of ${sizes.join()}`);
    equal(new Set(finals.map(({ order }) => order?.header.submissionIndex)).size, 6);
  });

  it('can stand beside promised ones, each in batches of its kind', async () => {
    const disperser = await start({});
    const posts = [1, 2, 3, 4].map((at) =>
      disperser.put(payloadOf(900, seed + at), { path: at % 2 === 0 ? 'chain' : 'promise' }),
    );
    const ids = (await Promise.all(posts)).map(({ id }) => id);
    const finals = await Promise.all(ids.map((id) => disperser.reached(id, 'final')));
    deepEqual(
      finals.map(({ order }) => order?.promise === undefined),
      [false, true, false, true],
    );
    equal(charged(), 2);
  });

  it('takes the place of a promise that the deposit does not cover, and only then', async () => {
    const disperser = await start({});
    quorum.chain.depositWei = 0n;
    const uncovered = await disperser.put(payloadOf(900, seed));
    const { order } = await disperser.reached(uncovered.id, 'final');
    ok(order?.submitted !== undefined);
    quorum.chain.depositWei = 10n ** 24n;
    const covered = await disperser.put(payloadOf(900, seed + 1));
    ok((await disperser.reached(covered.id, 'final')).order?.promise !== undefined);
    equal(paid(), 1);
    equal(charged(), 1);
  });

  it('is what follows once open promises use up the deposit', async () => {
    const disperser = await start({});
    // 128 KiB of rows for a kilobyte: a fee of 16,384 wei, five times over for each open one.
    quorum.chain.depositWei = 5n * 2n * 16_384n;
    quorum.chain.isUp = false; // nothing is confirmed, so promises stay open
    const promised: boolean[] = [];
    for (const at of [1, 2, 3]) {
      const { id } = await disperser.put(payloadOf(900, seed + at));
      const { order } = await disperser.reached(id, 'dispersed');
      promised.push(order?.promise !== undefined);
    }
    deepEqual(promised, [true, true, false]);
    quorum.chain.isUp = true;
    quorum.chain.wake();
    for (const at of [1, 2, 3])
      await disperser.reached(blobIdOf(payloadOf(900, seed + at)), 'final');
    quorum.chain.depositWei = 10n ** 24n;
  });

  it('waits for a call that is refused, tells why, and is paid once', async () => {
    const { orders } = quorum.chain;
    orders.refusal = new Error('the account cannot pay');
    const disperser = await start(FIRST);
    const { id } = await disperser.put(payloadOf(900, seed));
    const held = await once(disperser, id, ({ trouble }) => trouble !== undefined);
    deepEqual(held.trouble, { code: 'STEP_FAILED', reason: 'the account cannot pay' });
    orders.refusal = undefined;
    const { trouble } = await disperser.reached(id, 'final');
    equal(trouble, undefined);
    equal(paid(), 1);
  });

  for (const depth of [1, 2, 3, 8, 16]) {
    it(`is ordered anew and paid once where a reorg of ${depth} takes its order`, async () => {
      const { orders } = quorum.chain;
      for (const signer of quorum.signers.slice(0, 2)) signer.manner = 'refusing';
      const disperser = await start(FIRST);
      const { id } = await disperser.put(payloadOf(900, seed));
      const { order: old } = await disperser.reached(id, 'ordered');
      orders.mine(Math.max(0, depth - 3)); // the call is within the depth, two final blocks over it
      orders.reorg(depth + 2, 5);
      for (const signer of quorum.signers) signer.manner = 'honest';
      const { order } = await disperser.reached(id, 'final');
      notEqual(order?.header.submissionIndex, old?.header.submissionIndex);
      equal(paid(), 1);
    });
  }

  it('is not final under an order that the chain gave up after it was signed', async () => {
    const { chain } = quorum;
    chain.isUp = false;
    const disperser = await start(FIRST);
    const { id } = await disperser.put(payloadOf(900, seed));
    const before = await disperser.reached(id, 'dispersed');
    chain.orders.reorg(16, 3);
    chain.isUp = true;
    chain.wake();
    const after = await disperser.reached(id, 'final');
    notEqual(after.order?.header.submissionIndex, before.order?.header.submissionIndex);
    notEqual(rootOfBatch(after), rootOfBatch(before));
    equal(paid(), 1);
  });

  it('is paid again only when its epoch is over and no quorum signed', async () => {
    const { chain } = quorum;
    for (const signer of quorum.signers.slice(0, 2)) signer.manner = 'refusing';
    const disperser = await start(FIRST);
    const { id } = await disperser.put(payloadOf(900, seed));
    const { order: old } = await disperser.reached(id, 'ordered');
    chain.pass(100);
    await once(disperser, id, ({ trouble }) => trouble?.code === 'STALLED');
    equal(paid(), 1);
    for (const signer of quorum.signers) signer.manner = 'honest';
    chain.pass(30);
    const { order, voidOrders } = await disperser.reached(id, 'final');
    ok((order?.epoch ?? 0) > (old?.epoch ?? 0));
    equal(voidOrders, 1);
    equal(paid(), 2);
  });
});

describe('a disperser that dies over a blob that is paid first', () => {
  let quorum: TestQuorum;
  const disk = new DyingDisk();
  let lives = 0;

  before(async () => {
    quorum = await TestQuorum.open();
  });
  after(() => quorum.close());

  /** Dies at one of its writes, lives again, and comes to an end. @returns the writes of both lives */
  async function liveTwice(diesAt: number): Promise<number> {
    const { orders } = quorum.chain;
    lives += 1;
    const payload = payloadOf(500, lives);
    const id = blobIdOf(payload);
    const paidBefore = orders.paid.length;
    const writesBefore = disk.writes;
    const parts = { ...FIRST, index: disk.index, payloads: disk.payloads };
    disk.dieAt(writesBefore + diesAt);
    const first = await quorum.disperser(parts);
    const accepted = await first.put(payload).catch(() => undefined);
    if (accepted !== undefined) {
      const isFinal = first.reached(id, 'final').catch(() => undefined);
      await Promise.race([isFinal, disk.died]);
    }
    await first.stop();
    disk.revive();
    const second = await quorum.disperser(parts);
    if (accepted === undefined && (await second.disperser.find(id)) === undefined) {
      await second.stop();
      equal(orders.paid.length, paidBefore);
      return disk.writes - writesBefore;
    }
    const { order, voidOrders } = await second.reached(id, 'final');
    await second.stop();
    ok(order?.submitted !== undefined);
    equal(voidOrders, 0);
    equal(orders.paid.length, paidBefore + 1, `paid once, dead at ${diesAt}`);
    return disk.writes - writesBefore;
  }

  it('pays once, and loses nothing that it acknowledged, wherever it dies', async () => {
    const writes = await liveTwice(Number.POSITIVE_INFINITY);
    ok(writes > 6, `${writes} writes`);
    for (let write = 0; write < writes; write += 1) {
      await liveTwice(write);
      await liveTwice(write + 0.5);
    }
  });
});
