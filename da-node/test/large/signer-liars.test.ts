import { equal, ok } from 'node:assert/strict';
import { loadRowSuite } from '@cairn/commitments/rows';
import { commitBlob, loadWasmCodec, type RowCodec } from '@cairn/erasure-codec';
import { seededRng } from '@cairn/primitives';
import { DELIVERY_TYPE } from '@cairn/wire-protocol/da';
import { SEED } from '../signer/headers.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import { SIGNER_NETWORK, type TestBlob, World } from '../signer/world.ts';

const { signal } = new AbortController();

describe('deliveries that lie', () => {
  let world: World;
  let signer: RunningSigner;
  before(async () => {
    world = new World(4);
    signer = await RunningSigner.start(world);
  });
  after(() => signer.remove());

  const offer = async (blob: TestBlob, slice: Uint8Array): Promise<string | undefined> =>
    (await signer.put(await world.delivery(0, blob, { slice }))).code;

  it('about whose rows they are', async () => {
    const blob = await world.submitted();
    const own = world.rowsFor(0, blob);
    const foreign = await world.slice(blob, world.rowsFor(1, blob));
    equal(await offer(blob, foreign), 'SLICE_ROWS');
    const shifted = own.map((index) => (index + 1) % 256);
    equal(await offer(blob, await world.slice(blob, shifted)), 'SLICE_ROWS');
    equal(await offer(blob, await world.slice(blob, own.slice(1))), 'WIRE_LENGTH');
    const more = [...own, ((own.at(-1) ?? 0) + 1) % 256];
    equal(await offer(blob, await world.slice(blob, more)), 'WIRE_LENGTH');
    const other = await world.submitted();
    equal(await offer(blob, await world.slice(other, own)), 'SLICE_COMMITMENT');
    equal(signer.signer.status().heldBlobs, 0);
  });

  it('about the codeword: rows that were committed to and are not of it', async () => {
    const honest = await loadWasmCodec();
    const bent: Pick<RowCodec, 'encode'> = {
      async encode(data, shape, options) {
        const parity = await honest.encode(data, shape, options);
        parity[10] = (parity[10] ?? 0) ^ 1;
        return parity;
      },
    };
    const payload = seededRng(SEED).fill(new Uint8Array(5000));
    const suite = await loadRowSuite(0);
    const blob = await commitBlob(payload, SIGNER_NETWORK.layout, { codec: bent, suite, signal });
    const { commitment } = blob;
    const fields = { commitment, rowSizeBytes: blob.layout.rowBytes, sizeBytes: 5000 };
    const test = { ...(await world.submitted({ fields })), blob };
    const holders = [0, 1, 2, 3].map((index) => world.rowsFor(index, test));
    const holder = holders.findIndex((rows) => rows.includes(64));
    ok(holder >= 0, 'somebody holds the first row of parity');
    const slice = await world.slice(test, holders[holder] ?? []);
    const victim = await RunningSigner.start(world, holder);
    try {
      const delivery = await world.delivery(holder, test, { slice });
      equal((await victim.put(delivery)).code, 'ROW_COMBINATION');
      equal((await victim.vote([test])).code, 'BLOB_NOT_HELD');
    } finally {
      await victim.remove();
    }
  });

  it('about their length, their kind or their beginning', async () => {
    for (const blob of [await world.submitted(), await world.promised()]) {
      const delivery = await world.delivery(0, blob);
      equal((await signer.put(delivery.subarray(0, -1))).code, 'WIRE_LENGTH');
      equal((await signer.put(Uint8Array.of(...delivery, 0))).code, 'WIRE_LENGTH');
      equal((await signer.put(delivery.subarray(0, 60))).code, 'WIRE_LENGTH');
    }
    equal((await signer.put(new Uint8Array(0))).code, 'WIRE_LENGTH');
    equal((await signer.put(new Uint8Array(300))).code, 'WIRE_MAGIC');
    equal((await signer.put(new Uint8Array(300), 'text/plain')).status, 415);
    equal(signer.signer.status().heldBlobs, 0);
  });

  it('in pieces of no announced length are read to their end and no further', async () => {
    const blob = await world.submitted();
    const delivery = await world.delivery(0, blob);
    const send = (bytes: Uint8Array): Promise<Response> => {
      const pieces = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += 1000) {
            controller.enqueue(bytes.slice(at, at + 1000));
          }
          controller.close();
        },
      });
      const init = { method: 'PUT', body: pieces, duplex: 'half' as const };
      const headers = { 'content-type': DELIVERY_TYPE };
      return fetch(`${signer.url}/v1/da/slices`, { ...init, headers } as RequestInit);
    };
    equal((await send(delivery.subarray(0, -1))).status, 400);
    equal((await send(Uint8Array.of(...delivery, 1))).status, 400);
    equal((await send(delivery)).status, 200);
  });
});
