import { equal, ok } from 'node:assert/strict';
import { type KeyValueStore, memoryKeyValueStore, type Root, toHex } from '@cairn/primitives';
import { blobIdOf } from '../../src/disperser/disperser.ts';
import type { PayerKey, PayloadStore } from '../../src/disperser/ports.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { payer, payloadOf, TestQuorum, wantedOf } from '../dispersal/harness.ts';

class Crash extends Error {}

/** Disks of a machine that dies at a given write, before or after it. */
class DyingDisk {
  readonly index: KeyValueStore;
  readonly payloads: PayloadStore;
  writes = 0;
  #diesAt = Number.POSITIVE_INFINITY;
  #isDead = false;
  /** Resolves with the next death. */
  died: Promise<void> = Promise.resolve();
  #tell: () => void = () => undefined;

  constructor() {
    const index = memoryKeyValueStore();
    const files = new Map<Root, Uint8Array>();
    this.index = {
      get: (key) => this.#read(() => index.get(key)),
      getMany: (keys) => this.#read(() => index.getMany(keys)),
      write: (batch, options) => this.#write(() => index.write(batch, options)),
      entries: (range, options) => index.entries(range, options),
    };
    this.payloads = {
      put: (id, payload) => this.#write(async () => void files.set(id, payload.slice())),
      get: (id) => this.#read(async () => files.get(id)),
      delete: (id) => this.#write(async () => void files.delete(id)),
      retainOnly: async (isWanted) => {
        for (const id of [...files.keys()]) if (!(await isWanted(id))) files.delete(id);
      },
    };
  }

  /** Dies at the write with this number; with half a number more, once it is done. */
  dieAt(write: number): void {
    this.#diesAt = write;
    this.died = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** A new life with the same content. */
  revive(): void {
    this.#isDead = false;
    this.#diesAt = Number.POSITIVE_INFINITY;
  }

  #read<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#isDead ? Promise.reject(new Crash()) : work();
  }

  async #write(work: () => Promise<void>): Promise<void> {
    if (this.#isDead) throw new Crash();
    const at = this.writes;
    this.writes += 1;
    if (at === this.#diesAt) this.#isDead = true;
    else await work();
    if (at + 0.5 === this.#diesAt) this.#isDead = true;
    if (!this.#isDead) return;
    this.#tell();
    throw new Crash();
  }
}

/** Notes every digest that was signed. */
function notingPayer(signed: string[]): PayerKey {
  return {
    address: payer.address,
    signDigest: (digest) => {
      signed.push(toHex(digest));
      return payer.signDigest(digest);
    },
  };
}

const signal = new AbortController().signal;

describe('a disperser that dies', () => {
  let quorum: TestQuorum;
  /** One for all lives: a payer's slots are counted on it. */
  const disk = new DyingDisk();
  const signed: string[] = [];
  let lives = 0;

  before(async () => {
    quorum = await TestQuorum.open();
  });
  after(() => quorum.close());

  /** Dies at one of its writes, lives again, and comes to an end. @returns the writes of both lives */
  async function liveTwice(diesAt: number): Promise<number> {
    lives += 1;
    const payload = payloadOf(500, lives);
    const chargedBefore = quorum.chain.charged.size;
    const writesBefore = disk.writes;
    const parts = { index: disk.index, payloads: disk.payloads, payer: notingPayer(signed) };
    disk.dieAt(writesBefore + diesAt);
    const first = await quorum.disperser(parts);
    const accepted = await first.put(payload).catch(() => undefined);
    if (accepted !== undefined) {
      const isFinal = first.reached(accepted.id, 'final').catch(() => undefined);
      await Promise.race([isFinal, disk.died]);
    }
    await first.stop();
    disk.revive();
    const second = await quorum.disperser(parts);
    const id = blobIdOf(payload);
    if (accepted === undefined && (await second.disperser.find(id)) === undefined) {
      await second.stop();
      equal(quorum.chain.charged.size, chargedBefore);
      return disk.writes - writesBefore;
    }
    const record = await second.reached(id, 'final');
    await second.stop();
    const read = await readBlob(wantedOf(record), await quorum.reader(), { signal });
    ok(Buffer.from(read.payload).equals(payload));
    equal(new Set(signed).size, signed.length, 'no promise is made twice');
    equal(quorum.chain.charged.size, chargedBefore + 1, 'one promise is charged');
    equal(record.voidOrders, 0);
    return disk.writes - writesBefore;
  }

  it('loses no blob that it acknowledged and is charged once, wherever it dies', async () => {
    const writes = await liveTwice(Number.POSITIVE_INFINITY);
    ok(writes > 6, `${writes} writes`);
    for (let write = 0; write < writes; write += 1) {
      await liveTwice(write);
      await liveTwice(write + 0.5);
    }
  }).timeout(40_000);
});
