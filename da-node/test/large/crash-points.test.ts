import { equal, ok } from 'node:assert/strict';
import { toHex } from '@cairn/primitives';
import { blobIdOf } from '../../src/disperser/blob-id.ts';
import type { PayerKey } from '../../src/disperser/ports.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { DyingDisk } from '../dispersal/dying-disk.ts';
import { payer, payloadOf, TestQuorum, wantedOf } from '../dispersal/harness.ts';

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
  });
});
