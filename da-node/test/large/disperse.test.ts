import { deepEqual, equal, notDeepEqual, ok, rejects } from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseCertificate, verifyBlobCertificate } from '@cairn/attestation';
import { toHex } from '@cairn/primitives';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { backend, NETWORK } from '../dispersal/committee.ts';
import { payloadOf, type RunningDisperser, TestQuorum, wantedOf } from '../dispersal/harness.ts';

const signal = new AbortController().signal;

describe('dispersal', () => {
  let quorum: TestQuorum;
  let running: RunningDisperser;

  beforeEach(async () => {
    quorum = await TestQuorum.open();
    running = await quorum.disperser();
  });
  afterEach(async () => {
    await running.stop();
    await quorum.close();
  });

  it('gives a blob back after the disperser’s data is gone and one of four signers is down', async () => {
    const payload = payloadOf(300_000);
    const { id } = await running.put(payload);
    const dispersed = await running.reached(id, 'dispersed');
    const record = await running.reached(id, 'final');
    while ((await running.disperser.payload(id)) !== undefined) await pause(10);
    await running.stop();
    await rm(quorum.directory, { recursive: true });
    await quorum.signers[2]?.close();
    const read = await readBlob(wantedOf(record), await quorum.reader(), { signal });
    deepEqual(Buffer.from(read.payload), Buffer.from(payload));
    equal(dispersed.certificate?.length, record.certificate?.length);
  });

  it('gets a certificate that anyone can verify, and is charged once', async () => {
    const { id } = await running.put(payloadOf(5000));
    const { certificate, order } = await running.reached(id, 'final');
    ok(certificate !== undefined && order !== undefined);
    const committee = quorum.chain.committeeAt(order.epoch);
    const proven = verifyBlobCertificate(
      parseCertificate(certificate, backend),
      {
        network: NETWORK.network,
        snapshot: committee.snapshot,
        committee,
        entrance: NETWORK.entrance,
        shardId: 0,
        maxMembers: 32,
        time: { isConfirmed: true },
      },
      backend,
    );
    deepEqual(proven.header, order.header);
    equal(quorum.chain.charged.size, 1);
  });

  it('takes the same payload as the same blob', async () => {
    const payload = payloadOf(1000);
    const [first, second] = await Promise.all([running.put(payload), running.put(payload)]);
    equal(first.id, second.id);
    await running.reached(first.id, 'final');
    const third = await running.put(payload);
    equal(third.stage, 'final');
    equal(quorum.chain.charged.size, 1);
  });

  it('signs blobs that come together as one batch', async () => {
    const records = await Promise.all(
      [1, 2, 3, 4, 5].map((seed) => running.put(payloadOf(999, seed))),
    );
    const finals = await Promise.all(records.map(({ id }) => running.reached(id, 'final')));
    const roots = new Set(finals.map(({ batch }) => toHex(batch?.root ?? new Uint8Array(0))));
    ok(roots.size < 5, `${roots.size} batches`);
    equal(quorum.chain.charged.size, 5);
    equal(new Set(finals.map(({ order }) => order?.header.submissionIndex)).size, 5);
  });

  for (const manner of ['silent', 'corrupt', 'slow', 'refusing'] as const) {
    it(`does not need a signer that is ${manner}`, async () => {
      const [signer] = quorum.signers;
      ok(signer !== undefined);
      signer.manner = manner;
      const payload = payloadOf(70_000, 9);
      const { id } = await running.put(payload);
      const record = await running.reached(id, 'confirmed');
      const read = await readBlob(wantedOf(record), await quorum.reader(), { signal });
      deepEqual(Buffer.from(read.payload), Buffer.from(payload));
    });
  }

  it('names too few signers, and goes on when they return', async () => {
    const [first, second] = quorum.signers;
    ok(first !== undefined && second !== undefined);
    first.manner = 'silent';
    second.manner = 'silent';
    const { id } = await running.put(payloadOf(2000));
    let record = await running.reached(id, 'ordered');
    while (record.trouble === undefined) {
      await pause(50);
      record = (await running.disperser.find(id)) ?? record;
    }
    deepEqual(record.trouble, { code: 'INSUFFICIENT_SIGNATURES', haveSeats: 2, totalSeats: 4 });
    first.manner = 'honest';
    const final = await running.reached(id, 'final');
    equal(final.trouble, undefined);
    equal(quorum.chain.charged.size, 1);
  });

  it('promises anew in a later epoch once the old promise can never be charged', async () => {
    for (const signer of quorum.signers.slice(0, 2)) signer.manner = 'refusing';
    const { id } = await running.put(payloadOf(2000));
    const { order: old } = await running.reached(id, 'ordered');
    quorum.chain.pass(100); // past the epoch and half of its grace
    while ((await running.disperser.find(id))?.trouble?.code !== 'STALLED') {
      await pause(20);
    }
    for (const signer of quorum.signers) signer.manner = 'honest';
    equal((await running.disperser.find(id))?.voidOrders, 0, 'the old promise may be charged yet');
    quorum.chain.pass(21); // past all of it
    const record = await running.reached(id, 'final');
    equal(record.voidOrders, 1);
    ok((record.order?.epoch ?? 0) > (old?.epoch ?? 0));
    notDeepEqual(record.order?.header, old?.header);
    equal(quorum.chain.charged.size, 1);
  });

  it('makes no promise in the last seconds of an epoch', async () => {
    quorum.chain.pass(57);
    const { id } = await running.put(payloadOf(2000));
    await running.reached(id, 'committed');
    await pause(50);
    equal((await running.disperser.find(id))?.order, undefined);
    quorum.chain.pass(5);
    equal((await running.reached(id, 'final')).order?.epoch, 2);
  });

  it('waits for a chain that takes nothing, and confirms when it does', async () => {
    quorum.chain.isUp = false;
    const { id } = await running.put(payloadOf(2000));
    const { stage } = await running.reached(id, 'dispersed');
    equal(stage, 'dispersed');
    quorum.chain.isUp = true;
    quorum.chain.wake();
    await running.reached(id, 'final');
  });

  it('disperses again what was signed but came too late to be confirmed', async () => {
    quorum.chain.isUp = false;
    const { id } = await running.put(payloadOf(2000));
    await running.reached(id, 'dispersed');
    quorum.chain.pass(125); // past the epoch and its grace
    quorum.chain.isUp = true;
    quorum.chain.wake();
    const record = await running.reached(id, 'final');
    equal(record.voidOrders, 1);
    equal(record.order?.epoch, 3);
    equal(quorum.chain.charged.size, 1);
  });

  it('disperses again what could not be charged, once it never will be', async () => {
    quorum.chain.isDepositShort = true;
    const { id } = await running.put(payloadOf(2000));
    while ((await running.disperser.find(id))?.trouble?.code !== 'STALLED') await pause(20);
    quorum.chain.isDepositShort = false;
    equal((await running.disperser.find(id))?.voidOrders, 0, 'it may be charged yet');
    quorum.chain.pass(125);
    equal((await running.reached(id, 'final')).voidOrders, 1);
    equal(quorum.chain.charged.size, 1);
  });

  it('keeps and disperses again what is void in the final block, whatever was seen before', async () => {
    quorum.chain.isVoidWhenFinal = true;
    const payload = payloadOf(2000);
    const { id } = await running.put(payload);
    while ((await running.disperser.find(id))?.trouble?.code !== 'STALLED') await pause(20);
    const held = await running.disperser.payload(id);
    ok(held !== undefined && Buffer.from(held).equals(payload));
    quorum.chain.isVoidWhenFinal = false;
    quorum.chain.pass(125);
    equal((await running.reached(id, 'final')).voidOrders, 1);
  });

  it('forgets a blob when its time is over, and takes it as a new one', async () => {
    const payload = payloadOf(2000);
    const { id } = await running.put(payload);
    await running.reached(id, 'final');
    quorum.chain.pass(130); // past the epoch after its own
    equal(await running.disperser.find(id), undefined);
    equal((await running.put(payload)).stage, 'accepted');
    equal((await running.reached(id, 'final')).order?.epoch, 3);
    equal(quorum.chain.charged.size, 2);
  });

  it('refuses what is empty', async () => {
    await rejects(running.put(new Uint8Array(0)), { code: 'BLOB_EMPTY' });
  });
});
