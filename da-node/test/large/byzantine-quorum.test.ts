import { deepEqual, equal, ok } from 'node:assert/strict';
import { parseCertificate, verifyBlobCertificate } from '@cairn/attestation';
import { equalBytes, seededRng } from '@cairn/primitives';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { backend, NETWORK } from '../dispersal/committee.ts';
import { payloadOf, type RunningDisperser, TestQuorum, wantedOf } from '../dispersal/harness.ts';
import { corruptSigners, LIES, liarsByChance, seatsByChance } from '../dispersal/liars.ts';

const SEED = seedOf(20_261_123);
const ROUNDS = runsOf(60);
const MEMBERS = 16;
const MOST_SEATS = 8;
const { signal } = new AbortController();

describe(`a quorum of ${MEMBERS} signers with liars among them (seed ${SEED})`, () => {
  const rng = seededRng(SEED);
  const seats = seatsByChance(rng, MEMBERS, MOST_SEATS);
  const totalSeats = seats.reduce((sum, own) => sum + own, 0);
  let quorum: TestQuorum;
  let running: RunningDisperser;

  before(async () => {
    quorum = await TestQuorum.open(seats);
    running = await quorum.disperser();
  });
  afterEach(() => corruptSigners(quorum.signers, new Set(), () => 'honest'));
  after(async () => {
    await running?.stop();
    await quorum?.close();
  });

  const assertCertified = ({ certificate, order }: BlobRecord): void => {
    ok(certificate !== undefined && order !== undefined);
    const committee = quorum.chain.committeeAt(order.epoch);
    const about = { network: NETWORK.network, snapshot: committee.snapshot, committee };
    const place = { entrance: NETWORK.entrance, shardId: 0, time: { isConfirmed: true } } as const;
    const { header } = verifyBlobCertificate(
      parseCertificate(certificate, backend),
      { ...about, ...place, maxMembers: 32 },
      backend,
    );
    deepEqual(header, order.header);
  };

  it(`certifies every honest blob and gives it back, over ${ROUNDS} rounds of liars`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const liars = liarsByChance(rng, seats);
      corruptSigners(quorum.signers, liars, () => LIES[rng.below(LIES.length)] ?? 'silent');
      const payload = payloadOf(1 + rng.below(30_000), SEED + round);
      const what = quorum.signers.map(({ manner }) => manner).join(' ');
      const { id } = await running.put(payload);
      const record = await running.reached(id, 'final', 180_000).catch((cause: unknown) => {
        throw new Error(`round ${round} (${what}): the blob was not certified`, { cause });
      });
      assertCertified(record);
      const read = await readBlob(wantedOf(record), await quorum.reader(), { signal });
      ok(equalBytes(read.payload, payload), `round ${round}: ${what}`);
      for (const { signer } of read.blamed) {
        const index = quorum.chain
          .committeeAt(1)
          .members.findIndex((member) => member.signer === signer);
        ok(liars.has(index), `round ${round}: an honest signer is blamed`);
      }
    }
    equal(quorum.chain.charged.size, ROUNDS, 'each is paid for once');
  });

  it('names too few signatures while more than a third of the seats are silent, and goes on in the same epoch', async () => {
    const silent = new Set<number>();
    let silentSeats = 0;
    for (const [index, own] of seats.entries()) {
      if (3 * silentSeats >= totalSeats) break;
      silent.add(index);
      silentSeats += own;
    }
    corruptSigners(quorum.signers, silent, () => 'silent');
    const { id } = await running.put(payloadOf(2000, SEED - 1));
    const { trouble, order } = await troubled(id);
    const haveSeats = totalSeats - silentSeats;
    deepEqual(trouble, { code: 'INSUFFICIENT_SIGNATURES', haveSeats, totalSeats });
    quorum.chain.pass(20); // a third of the epoch
    equal((await running.disperser.find(id))?.certificate, undefined);
    corruptSigners(quorum.signers, new Set(), () => 'honest');
    const record = await running.reached(id, 'final', 180_000);
    equal(record.order?.epoch, order?.epoch);
    assertCertified(record);
  });

  it('certifies under a new promise within an epoch of their return, if the old one has run out', async () => {
    corruptSigners(quorum.signers, new Set(seats.keys()), () => 'silent');
    const { id } = await running.put(payloadOf(2000, SEED - 2));
    const { order } = await troubled(id);
    quorum.chain.pass(60 + NETWORK.graceSeconds + 1);
    const back = quorum.chain.epoch;
    corruptSigners(quorum.signers, new Set(), () => 'honest');
    const record = await running.reached(id, 'final', 180_000);
    ok((record.order?.epoch ?? 0) > (order?.epoch ?? 0));
    ok((record.order?.epoch ?? 0) <= back + 1, `promised in epoch ${record.order?.epoch}`);
    equal(record.voidOrders, 1);
    assertCertified(record);
  });

  /** The record once it says that signatures are short. */
  async function troubled(id: BlobRecord['id']): Promise<BlobRecord> {
    for (;;) {
      const record = await running.disperser.find(id);
      if (record?.trouble?.code === 'INSUFFICIENT_SIGNATURES') return record;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
});
