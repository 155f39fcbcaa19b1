import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { HttpHost } from '@cairn/node-runtime/http';
import type { Root } from '@cairn/primitives';
import { type BlobReceipt, parseBlobReceipt, payloadPath } from '@cairn/wire-protocol/da';
import { blobIdOf } from '../../src/disperser/blob-id.ts';
import { openDoors } from '../dispersal/doors-host.ts';
import { DyingDisk } from '../dispersal/dying-disk.ts';
import { payloadOf, type RunningDisperser, TestQuorum } from '../dispersal/harness.ts';
import { MemoryLog } from '../dispersal/memory-log.ts';

/** Waits until something holds, at most ten seconds. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 180_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} does not come`);
    await pause(10);
  }
}

/** Waits until a blob is in the log. */
function stored({ disperser }: RunningDisperser, id: Root): Promise<void> {
  return until('the file', async () => (await disperser.archiveOf(id))?.stage === 'stored');
}

/** Waits until the disperser has no payload of a blob any more. */
function dropped({ disperser }: RunningDisperser, id: Root): Promise<void> {
  return until('its end', async () => (await disperser.payload(id)) === undefined);
}

describe('a blob that is archived', () => {
  let quorum: TestQuorum;
  let log: MemoryLog;
  let running: RunningDisperser;
  let host: HttpHost;
  let seed = 0;

  before(async () => {
    quorum = await TestQuorum.open();
  });
  beforeEach(async () => {
    seed += 1;
    log = new MemoryLog();
    running = await quorum.disperser({ log });
    host = await openDoors(quorum, running);
  });
  afterEach(async () => {
    await host.stop();
    await running.stop();
  });
  after(() => quorum.close());

  const post = (payload: Uint8Array, query = '?archive=true'): Promise<Response> =>
    fetch(`${host.address.url}/v1/blobs${query}`, { method: 'POST', body: Buffer.from(payload) });
  const receiptOf = async (id: Root): Promise<BlobReceipt> =>
    parseBlobReceipt(await (await fetch(`${host.address.url}/v1/blobs/${id}`)).json());
  const read = (id: Root): Promise<Response> => fetch(`${host.address.url}${payloadPath(id)}`);
  const assertRead = async (id: Root, payload: Uint8Array): Promise<void> => {
    const reply = await read(id);
    equal(reply.status, 200);
    ok(Buffer.from(await reply.arrayBuffer()).equals(payload));
  };

  it('is in the log once it is final, and its receipt says where', async () => {
    const payload = payloadOf(3000, seed);
    const posted = parseBlobReceipt(await (await post(payload)).json());
    deepEqual(posted.archive, { stage: 'wanted' });
    await stored(running, posted.id);
    const { stage, archive } = await receiptOf(posted.id);
    equal(stage, 'final');
    ok(archive?.stage === 'stored' && archive.root !== undefined);
    deepEqual(log.files.get(archive.root), payload);
    await dropped(running, posted.id);
    await assertRead(posted.id, payload);
  });

  it('is read from the log when its signers are gone, checked against its commitment', async () => {
    const payload = payloadOf(3000, seed);
    const { id } = await running.put(payload, { isArchived: true });
    const plain = await running.put(payloadOf(3000, seed + 100));
    await running.reached(plain.id, 'final');
    await stored(running, id);
    await dropped(running, plain.id);
    for (const at of quorum.signers.keys()) quorum.unreachable.add(at);
    try {
      await assertRead(id, payload);
      equal((await read(plain.id)).status, 503);
      for (const root of log.files.keys()) log.files.set(root, payloadOf(3000, 777));
      const lied = await read(id);
      equal(lied.status, 500);
      equal(((await lied.json()) as { code: string }).code, 'ARCHIVE_MISMATCH');
      log.isUp = false;
      equal((await read(id)).status, 503);
    } finally {
      quorum.unreachable.clear();
    }
  });

  it('is found and read when its time is over, and dispersed anew when it is posted again', async () => {
    const payload = payloadOf(3000, seed);
    const { id } = await running.put(payload, { isArchived: true });
    const { order } = await running.reached(id, 'final');
    await stored(running, id);
    quorum.chain.pass(300); // past its expiry
    ok((order?.header.expirySeconds ?? 0) < quorum.chain.nowSeconds);
    await assertRead(id, payload);
    equal((await receiptOf(id)).archive?.stage, 'stored');
    const again = await running.put(payload, { isArchived: true });
    equal(again.stage, 'accepted');
    const renewed = await running.reached(id, 'final');
    ok((renewed.order?.epoch ?? 0) > (order?.epoch ?? 0));
    equal(log.stores, 1);
  });

  it('may be final already: then it is read from its quorum first', async () => {
    const payload = payloadOf(3000, seed);
    const { id } = await running.put(payload);
    await running.reached(id, 'final');
    await dropped(running, id);
    equal((await receiptOf(id)).archive, undefined);
    equal((await post(payload)).status, 200);
    await stored(running, id);
    equal(log.files.size, 1);
  });

  it('is written again and again while no storage node answers', async () => {
    log.isUp = false;
    const payload = payloadOf(3000, seed);
    const { id } = await running.put(payload, { isArchived: true });
    await running.reached(id, 'final');
    await until('a third try', () => log.stores >= 3);
    equal((await running.disperser.archiveOf(id))?.stage, 'wanted');
    log.isUp = true;
    await stored(running, id);
  });

  it('is not taken by a disperser without a log', async () => {
    await host.stop();
    await running.stop();
    running = await quorum.disperser();
    host = await openDoors(quorum, running);
    const reply = await post(payloadOf(3000, seed));
    equal(reply.status, 501);
    equal(((await reply.json()) as { code: string }).code, 'ARCHIVE_NOT_KEPT');
    equal((await post(payloadOf(3000, seed), '?archive=false')).status, 202);
  });

  it('is every blob where the policy says so, but those that ask not to be', async () => {
    await host.stop();
    await running.stop();
    running = await quorum.disperser({ log, settings: { policy: { archivesAll: true } } });
    host = await openDoors(quorum, running);
    const [all, none] = [payloadOf(300, seed), payloadOf(300, seed + 100)];
    await post(all, '');
    await post(none, '?archive=false');
    await stored(running, blobIdOf(all));
    await running.reached(blobIdOf(none), 'final');
    equal(await running.disperser.archiveOf(blobIdOf(none)), undefined);
  });
});

describe('a disperser that dies over a blob that is archived', () => {
  let quorum: TestQuorum;
  const disk = new DyingDisk();
  const log = new MemoryLog();
  let lives = 0;

  before(async () => {
    quorum = await TestQuorum.open();
  });
  after(() => quorum.close());

  async function liveTwice(diesAt: number): Promise<number> {
    lives += 1;
    const payload = payloadOf(500, lives);
    const id = blobIdOf(payload);
    const writesBefore = disk.writes;
    const parts = { log, index: disk.index, payloads: disk.payloads };
    disk.dieAt(writesBefore + diesAt);
    const first = await quorum.disperser(parts);
    const accepted = await first.put(payload, { isArchived: true }).catch(() => undefined);
    if (accepted !== undefined) await Promise.race([stored(first, id), disk.died]).catch(() => {});
    await first.stop();
    disk.revive();
    const second = await quorum.disperser(parts);
    if (accepted === undefined) await second.put(payload, { isArchived: true });
    await stored(second, id);
    await dropped(second, id);
    await second.stop();
    equal(log.files.size, lives);
    return disk.writes - writesBefore;
  }

  it('has it in the log once it was acknowledged, wherever it dies', async () => {
    const writes = await liveTwice(Number.POSITIVE_INFINITY);
    ok(writes > 8, `${writes} writes`);
    for (let write = 0; write < writes; write += 1) await liveTwice(write + 0.5);
  });
});
