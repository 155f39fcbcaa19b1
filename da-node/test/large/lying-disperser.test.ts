import { equal, ok } from 'node:assert/strict';
import {
  arcRows,
  encodeRow,
  loadWasmCodec,
  headerOf as provingHeaderOf,
  type RowCodec,
  rowsOf,
  verifyBadRow,
  verifyHeader,
} from '@cairn/erasure-codec';
import { provenBlob, type SampleVerdict, sampleBlob } from '@cairn/light-client';
import { type Address, equalBytes, seededRng, systemClock } from '@cairn/primitives';
import { encodeRowReply, parseRowQuery } from '@cairn/wire-protocol/da';
import { runsOf, seedOf } from '../../../test/support/soak.ts';
import { arcsOf } from '../../src/disperser/deliver-slices.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { payloadOf, TestQuorum } from '../dispersal/harness.ts';
import { corruptSigners, liarsByChance, seatsByChance, shuffled } from '../dispersal/liars.ts';
import { type ForgedBlob, LyingDisperser } from '../dispersal/lying-disperser.ts';

const SEED = seedOf(20_261_124);
const ROUNDS = runsOf(100);
const MEMBERS = 16;
const MOST_SEATS = 8;
const { signal } = new AbortController();

describe(`a disperser that lies to ${MEMBERS} signers (seed ${SEED})`, () => {
  const rng = seededRng(SEED);
  const seats = seatsByChance(rng, MEMBERS, MOST_SEATS);
  const totalSeats = seats.reduce((sum, own) => sum + own, 0);
  let quorum: TestQuorum;
  let codec: RowCodec;
  let disperser: LyingDisperser;

  before(async () => {
    codec = await loadWasmCodec();
    quorum = await TestQuorum.open(seats);
    disperser = new LyingDisperser(quorum, codec);
  });
  after(() => quorum?.close());

  const seatsOf = (members: Iterable<number>): number =>
    [...members].reduce((sum, index) => sum + (seats[index] ?? 0), 0);
  /** As many liars as the network withstands; they sign for everything and keep nothing. */
  const hireLiars = (): { readonly liars: ReadonlySet<number>; readonly honest: number[] } => {
    const liars = liarsByChance(rng, seats);
    corruptSigners(quorum.signers, liars, () => 'unstoring');
    return { liars, honest: [...seats.keys()].filter((index) => !liars.has(index)) };
  };
  /** Whether the payload can be had from those who did not lie. */
  const isThere = async ({ order }: ForgedBlob, payload: Uint8Array): Promise<boolean> => {
    const { epoch, quorumId, header } = order;
    const wanted = { commitment: header.commitment, epoch, quorumId };
    const read = await readBlob(wanted, await quorum.reader(), { signal }).catch(() => undefined);
    return read !== undefined && equalBytes(read.payload, payload);
  };

  it(`gets no certificate for a blob that is not there, over ${ROUNDS} blobs with slices withheld`, async () => {
    let certified = 0;
    let unavailable = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { liars, honest } = hireLiars();
      const payload = payloadOf(1 + rng.below(30_000), SEED + round);
      const forged = await disperser.forge(payload);
      const served = shuffled(rng, honest).slice(0, rng.below(honest.length + 1));
      for (const member of served) equal(await disperser.deliver(forged, member), undefined);
      const { signed, isQuorum } = await disperser.collect(forged);
      const what = `round ${round}: ${seatsOf(served)} of ${totalSeats} seats were served`;
      for (const member of signed) ok(liars.has(member) || served.includes(member), what);
      const isThereNow = await isThere(forged, payload);
      if (isQuorum) {
        certified += 1;
        ok(isThereNow, `${what}, and the blob is certified and not there`);
      } else ok(3 * (seatsOf(served) + seatsOf(liars)) <= 2 * totalSeats, what);
      if (!isThereNow) unavailable += 1;
    }
    ok(certified > 0 && unavailable > 0, `${certified} certified, ${unavailable} unavailable`);
  });

  it(`is refused by every signer whose rows it spoils, over ${Math.ceil(ROUNDS / 2)} blobs`, async () => {
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const { liars, honest } = hireLiars();
      const payload = payloadOf(1 + rng.below(30_000), SEED - 1 - round);
      const forged = await disperser.forge(payload);
      const spoiled = new Set(honest.filter(() => rng.below(2) === 0));
      for (const member of honest) {
        const isSpoiled = spoiled.has(member);
        const refusal = await disperser.deliver(forged, member, { isSpoiled });
        equal(refusal, isSpoiled ? 'ROW_PATH' : undefined, `round ${round}`);
      }
      const { signed, isQuorum } = await disperser.collect(forged);
      ok(!signed.some((member) => spoiled.has(member)), `round ${round}`);
      const willing = seatsOf(liars) + seatsOf(honest.filter((member) => !spoiled.has(member)));
      equal(isQuorum, 3 * willing > 2 * totalSeats, `round ${round}`);
      if (isQuorum) ok(await isThere(forged, payload), `round ${round}`);
    }
  });

  it('is refused by every signer if it names another length', async () => {
    for (const [bytes, saidBytes] of [
      [5000, 4999],
      [5000, 5001],
      [5000, 1],
      [100, 30_000],
    ] as const) {
      const { honest } = hireLiars();
      const forged = await disperser.forge(payloadOf(bytes, saidBytes), { saidBytes });
      for (const member of honest) {
        ok((await disperser.deliver(forged, member)) !== undefined, `${saidBytes} of ${bytes}`);
      }
      const { signed, isQuorum } = await disperser.collect(forged);
      equal(isQuorum, false);
      ok(!signed.some((member) => honest.includes(member)));
    }
  });

  /** What a light client makes of a blob that is held by this quorum. */
  const sample = async ({ blob, order }: ForgedBlob): Promise<SampleVerdict> => {
    const { suite, combiner, chain, transport } = quorum;
    const committee = chain.committeeAt(order.epoch);
    const sockets = new Map<Address, string>();
    for (const { signer, index } of committee.members) {
      sockets.set(signer, quorum.signers[index]?.url ?? '');
    }
    const header = verifyHeader(provingHeaderOf(blob), blob, { suite, combiner });
    return sampleBlob(
      { blob: provenBlob(header), committee, sockets },
      { transport, clock: systemClock(), rng, suiteOf: () => suite, combiner, codec },
      { signal, holderTimeoutMs: 2000 },
    );
  };

  it('is shown to withhold by a light client, which finds what is there available', async () => {
    const { honest } = hireLiars();
    const forged = await disperser.forge(payloadOf(20_000, SEED));
    const few = honest.slice(0, 2);
    for (const member of few) equal(await disperser.deliver(forged, member), undefined);
    const hidden = await sample(forged);
    equal(hidden.kind, 'unavailable', JSON.stringify(hidden.report));
    for (const member of honest.slice(2)) equal(await disperser.deliver(forged, member), undefined);
    equal((await sample(forged)).kind, 'available');
  });

  it('is shown to have encoded badly by evidence, though liars serve what it committed to', async () => {
    const { honest } = hireLiars();
    const bent: Pick<RowCodec, 'encode'> = {
      encode: async (data, shape, options) => {
        const parity = await codec.encode(data, shape, options);
        return parity.map((byte) => byte ^ 1);
      },
    };
    const forged = await disperser.forge(payloadOf(20_000, SEED + 1), { codec: bent });
    const { blob, order } = forged;
    const arcs = arcsOf({ blob, committee: quorum.chain.committeeAt(order.epoch) }, quorum.suite);
    for (const { id, start, count } of arcs) {
      const isDataOnly = start + count <= blob.layout.dataRows; // of which nothing is wrong
      if (!honest.includes(id)) continue;
      const refusal = await disperser.deliver(forged, id);
      equal(refusal, isDataOnly ? undefined : 'ROW_COMBINATION');
    }
    equal((await disperser.collect(forged)).isQuorum, false);
    const { suite, combiner } = quorum;
    // What the data rows give is not what was committed to: those that show it are asked for as well.
    for (const isServed of [() => true, (row: number) => row % 3 !== 0]) {
      serveByAll(forged, isServed);
      const verdict = await sample(forged);
      ok(verdict.kind === 'badEncoding', verdict.kind);
      verifyBadRow(verdict.evidence, blob.commitment, { suite, combiner });
    }
    // Data rows alone are of some codeword: everyone reads null, and nobody can show it.
    serveByAll(forged, (row) => row < blob.layout.dataRows);
    const whole = await sample(forged);
    ok(whole.kind === 'available' && whole.confidence.kind === 'read', whole.kind);
    equal(whole.confidence.value.kind, 'null');
  });

  /** All signers turn, and serve these rows of the blob as they were committed to. */
  function serveByAll({ blob, order }: ForgedBlob, isServed: (row: number) => boolean): void {
    corruptSigners(quorum.signers, new Set(seats.keys()), () => 'unstoring');
    const arcs = arcsOf({ blob, committee: quorum.chain.committeeAt(order.epoch) }, quorum.suite);
    for (const signer of quorum.signers) {
      const arc = arcs.find(({ id }) => id === signer.index);
      const own = arc === undefined ? [] : arcRows(arc, blob.layout);
      signer.rowsOf = async (path) => {
        const { searchParams } = new URL(path, 'http://signer');
        const query = parseRowQuery(searchParams.get('index'), searchParams.get('form') ?? 'full');
        const wanted = query.indexes.filter((row) => own.includes(row) && isServed(row));
        const rows = await rowsOf(blob, wanted, { signal });
        const { suite, layout } = blob;
        const header = provingHeaderOf(blob);
        return encodeRowReply(
          rows.map((row) =>
            encodeRow(
              query.form === 'bare'
                ? { kind: 'bare', suite, layout, row }
                : { kind: 'full', header, row },
            ),
          ),
        );
      };
    }
  }
});
