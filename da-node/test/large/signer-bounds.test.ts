import { equal, match, ok } from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { MIB, rootOf } from '@cairn/primitives';
import { DELIVERY_TYPE, MAX_ROW_REPLY_BYTES, rowsPath } from '@cairn/wire-protocol/da';
import { RunningSigner } from '../signer/running-signer.ts';
import { type TestBlob, World } from '../signer/world.ts';

describe('bounds of a signer', () => {
  let world: World;
  let signer: RunningSigner;
  beforeEach(async () => {
    world = new World(4);
    signer = await RunningSigner.start(world);
  });
  afterEach(() => signer.remove());

  const offer = async (blob: TestBlob) => signer.put(await world.delivery(0, blob));

  /** A delivery that is admitted, if it is, and then found to be too short. */
  const offerWithoutLast = async (blob: TestBlob) =>
    signer.put((await world.delivery(0, blob)).subarray(0, -1));

  it('are its capacity, its number of slices and what must stay free: 507', async () => {
    await signer.deliver(await world.submitted());
    const { heldBytes } = signer.signer.status();
    await signer.restart({ capacityBytes: 2 * heldBytes });
    await signer.deliver(await world.submitted());
    const outcome = await offer(await world.submitted());
    equal(outcome.status, 507);
    equal(outcome.code, 'STORE_FULL');
    await signer.restart({ maxSlices: 2 });
    equal((await offer(await world.submitted())).code, 'STORE_FULL');
    let freeBytes = 5000;
    await signer.restart({ reserveBytes: 4000, freeBytes: async () => freeBytes });
    equal((await offer(await world.submitted())).code, 'STORE_FULL');
    freeBytes = MIB;
    equal((await offer(await world.submitted())).status, 200, 'room came back');
  });

  it('are known before a body is read: the answer comes while the sender still waits', async () => {
    const blob = await world.submitted({ bytes: 200_000 });
    const delivery = await world.delivery(0, blob);
    await signer.restart({ maxSliceBytes: 10_000 });
    const tooLong = await sendStart(signer.url, delivery.subarray(0, 300), 9000);
    match(await readAll(tooLong), /^HTTP\/1\.1 413 .*WIRE_TOO_LONG/s);
    await signer.restart();
    const wrongLength = await sendStart(signer.url, delivery.subarray(0, 300), 9000);
    match(await readAll(wrongLength), /^HTTP\/1\.1 400 .*WIRE_LENGTH/s);
  });

  it('hang up on a body that stalls, and serve others meanwhile', async () => {
    await signer.restart({ pace: { graceMs: 150, minBytesPerSecond: 10 * MIB } });
    const blob = await world.submitted();
    const delivery = await world.delivery(0, blob);
    const stalls = await Promise.all(
      [0, 5, 60, 150, delivery.length - 1].map((length) =>
        sendStart(signer.url, delivery.subarray(0, length), delivery.length),
      ),
    );
    equal((await signer.put(delivery)).status, 200);
    for (const socket of stalls) match(await readAll(socket), /^HTTP\/1\.1 (408|200) /);
    equal((await offer(await world.submitted())).status, 200);
  });

  it('let deliveries wait for memory, and turn away more than may wait: 503', async () => {
    const blobs: TestBlob[] = [];
    for (let count = 0; count < 8; count += 1) blobs.push(await world.submitted({ bytes: 60_000 }));
    const deliveries = await Promise.all(blobs.map((blob) => world.delivery(0, blob)));
    await signer.restart({ deliveryBytes: 1 });
    const all = await Promise.all(deliveries.map((delivery) => signer.put(delivery)));
    ok(all.every(({ status }) => status === 200));
    await signer.remove();
    signer = await RunningSigner.start(world, 0, { deliveryBytes: 1, maxDeliveriesWaiting: 0 });
    const first = deliveries[0] ?? new Uint8Array(0);
    const stalled = await sendStart(signer.url, first.subarray(0, -1), first.length);
    await waitUntil(async () => (await signer.put(deliveries[1] ?? first)).status === 503);
    const turned = await signer.put(deliveries[2] ?? first);
    equal(turned.code, 'QUEUE_FULL');
    stalled.destroy();
    await waitUntil(async () => (await signer.put(deliveries[1] ?? first)).status === 200);
  });

  it('count a promise that is under way against its payer, until that breaks off', async () => {
    const one = await world.promised({ slot: 1 });
    const two = await world.promised({ slot: 2 });
    world.chain.deposits.set(world.payer.address, 5n * world.feeOf(one));
    const delivery = await world.delivery(0, one);
    const stalled = await sendStart(signer.url, delivery.subarray(0, -1), delivery.length);
    await waitUntil(async () => (await offerWithoutLast(two)).code === 'PROMISE_UNCOVERED');
    equal((await offer(two)).code, 'PROMISE_UNCOVERED');
    equal(signer.signer.status().heldBlobs, 0);
    stalled.destroy();
    await waitUntil(async () => (await offer(two)).status === 200);
  });

  it('are a mebibyte of rows in one answer: the first of those asked for', async () => {
    const big = await world.submitted({ bytes: 4 * MIB });
    const slice = await world.packed(0, big);
    equal((await signer.put(await world.delivery(0, big, { slice }))).status, 200);
    const wanted = world.rowsFor(0, big).slice(0, 256);
    for (const form of ['full', 'bare'] as const) {
      const reply = await fetch(
        `${signer.url}${rowsPath(rootOf(big.header.commitment), wanted, form)}`,
      );
      const bytes = new Uint8Array(await reply.arrayBuffer());
      equal(reply.status, 200);
      ok(bytes.length <= MAX_ROW_REPLY_BYTES && bytes.length > MAX_ROW_REPLY_BYTES * 0.9);
    }
    equal((await signer.rows(big, [0, 1, 2, 3, 4, 99_999])).length <= 5, true);
  });
});

/** Sends the head of a request and the start of its body, and no more. */
async function sendStart(url: string, start: Uint8Array, announced: number): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const head =
    `PUT /v1/da/slices HTTP/1.1\r\nHost: signer\r\nContent-Type: ${DELIVERY_TYPE}\r\n` +
    `Content-Length: ${announced}\r\n\r\n`;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(head);
    socket.write(start, () => resolve());
  });
  return socket;
}

/** What comes back until a whole problem is there or the other side hangs up. */
async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const piece of socket) {
    text += String(piece);
    if (text.includes('requestId') || text.startsWith('HTTP/1.1 200')) break;
  }
  socket.destroy();
  return text;
}

async function waitUntil(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not become so');
}
