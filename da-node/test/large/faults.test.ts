import { deepEqual, equal, ok } from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Committee } from '@cairn/attestation';
import {
  type KeyValueStore,
  keccak256,
  memoryKeyValueStore,
  type Root,
  utf8Bytes,
} from '@cairn/primitives';
import { blobIdOf } from '../../src/disperser/blob-id.ts';
import { type BlobRecord, stageOf } from '../../src/disperser/blob-record.ts';
import { type DeliveredBlob, takeTogether } from '../../src/disperser/certify-batches.ts';
import { KEYS } from '../../src/disperser/keyspace.ts';
import type { PayloadStore } from '../../src/disperser/ports.ts';
import { receiptOf } from '../../src/disperser/receipt.ts';
import { committeeOf, NETWORK } from '../dispersal/committee.ts';
import { openDoors } from '../dispersal/doors-host.ts';
import { payloadOf, TestQuorum } from '../dispersal/harness.ts';

const { signal } = new AbortController();

function memoryPayloads(): PayloadStore {
  const payloads = new Map<Root, Uint8Array>();
  return {
    put: async (id, payload) => {
      await pause(20);
      payloads.set(id, payload);
    },
    get: async (id) => payloads.get(id),
    delete: async (id) => {
      payloads.delete(id);
    },
    retainOnly: async () => undefined,
  };
}

describe('a disperser', () => {
  let quorum: TestQuorum;

  beforeEach(async () => {
    quorum = await TestQuorum.open();
  });
  afterEach(() => quorum.close());

  it('finds a payload by its keccak though another put of it was under way', async () => {
    const running = await quorum.disperser({
      index: memoryKeyValueStore(),
      payloads: memoryPayloads(),
    });
    const payload = payloadOf(300);
    const named = { isNamedByKeccak: true, signal };
    const caller = { apiKey: undefined };
    const [first] = await Promise.all([
      running.put(payload),
      running.disperser.accept(payload, caller, named),
    ]);
    equal((await running.disperser.findByKeccak(keccak256(payload)))?.id, first.id);
    await running.stop();
  });

  it('takes a journey up again that the store broke off', async () => {
    const inner = memoryKeyValueStore();
    let next: 'works' | 'write fails' | 'get fails' = 'works';
    const index: KeyValueStore = {
      get: async (key) => {
        if (next === 'get fails') {
          next = 'works';
          throw new Error('the disk cannot be read');
        }
        return inner.get(key);
      },
      write: async (writes, options) => {
        if (next === 'write fails') {
          next = 'get fails';
          throw new Error('the disk is full');
        }
        return inner.write(writes, options);
      },
      getMany: (keys) => inner.getMany(keys),
      entries: (range, options) => inner.entries(range, options),
    };
    const running = await quorum.disperser({ index, payloads: memoryPayloads() });
    const { id } = await running.put(payloadOf(300));
    next = 'write fails';
    while (next !== ('works' as string)) await pause(20);
    equal((await running.reached(id, 'final')).stage, 'final');
    await running.stop();
  });

  it('starts and works on though a record of an earlier run cannot be read', async () => {
    const index = memoryKeyValueStore();
    const bad = blobIdOf(utf8Bytes('bad'));
    const idBytes = Buffer.from(bad.slice(2), 'hex');
    await index.write(
      [
        { type: 'put', key: KEYS.queued(7), value: new Uint8Array(idBytes) },
        { type: 'put', key: KEYS.blob(bad), value: utf8Bytes('{') },
      ],
      { sync: true },
    );
    const running = await quorum.disperser({ index, payloads: memoryPayloads() });
    const record = await running.put(payloadOf(300));
    equal(record.arrival, 8, 'its place in the queue is kept');
    await running.reached(record.id, 'final');
    await running.stop();
  });

  it('does not call a blob dispersed whose promise came to nothing', async () => {
    quorum.chain.isDepositShort = true;
    const running = await quorum.disperser();
    const { id } = await running.put(payloadOf(300));
    let record: BlobRecord | undefined;
    while (record?.trouble?.code !== 'STALLED') {
      await pause(20);
      record = await running.disperser.find(id);
    }
    equal(record.stage, 'dispersed');
    equal(stageOf(record), 'delivered');
    const place = { chainId: NETWORK.entrance.chainId, shardId: 0 };
    equal(receiptOf(record, place).stage, 'accepted');
    const waiting = running.reached(id, 'dispersed', 200).catch(() => 'not yet');
    equal(await waiting, 'not yet');
    const host = await openDoors(quorum, running);
    const reply = await fetch(`${host.address.url}/v1/blobs/${id}/certificate`);
    equal(((await reply.json()) as { code: string }).code, 'BLOB_NOT_DISPERSED');
    await host.stop();
    await running.stop();
  });
});

describe('a batch', () => {
  const times = { startSeconds: 1, endSeconds: 2 };
  const { members, snapshot } = committeeOf(1, [1, 1, 1, 1], times);
  let reads = 0;
  const counted = new Proxy(members, {
    get: (target, property, receiver) => {
      reads += 1;
      return Reflect.get(target, property, receiver) as unknown;
    },
  });
  const committee = { members: counted, snapshot } as unknown as Committee;
  const blob = (holders: readonly number[]): DeliveredBlob =>
    ({ record: { holders }, committee }) as unknown as DeliveredBlob;

  it('takes those that a quorum holds together, in order, and leaves the others', () => {
    const group = [
      [0, 1, 2],
      [0, 1, 3],
      [0, 1, 2, 3],
      [2, 1, 0],
    ].map(blob);
    const [first, second, third, fourth] = group;
    deepEqual(takeTogether(group, 2), [first, third]);
    deepEqual(group, [second, fourth]);
  });

  it('is gathered in work that grows with it, and not with all that wait', () => {
    const group = Array.from({ length: 4000 }, () => blob([0, 1, 2, 3]));
    reads = 0;
    equal(takeTogether(group, 50).length, 50);
    equal(group.length, 3950);
    ok(reads <= 50 * 4, `${reads} members were looked up`);
  });
});
