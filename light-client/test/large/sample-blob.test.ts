import assert from 'node:assert/strict';
import {
  encodeBadRow,
  encodeRow,
  headerOf,
  parseBadRow,
  rowsOf,
  verifyBadRow,
} from '@cairn/erasure-codec';
import { isFault, seededRng } from '@cairn/primitives';
import { encodeRowReply } from '@cairn/wire-protocol/da';
import { sampleBlob } from '../../src/sampling/sample-blob.ts';
import { badBlob, bytesOf, honestBlob, kernels, signal, suiteOf } from '../support/blobs.ts';
import { nextGroup, testGroup } from '../support/committees.ts';
import {
  blobAlone,
  blobWithHeader,
  depsOf,
  expectKind,
  sampleOf,
  withheldPart,
} from '../support/sampling.ts';
import { type Manner, MemorySigners } from '../support/signers.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** A network of up to 512 members: even small blobs have 1,024 data rows. */
const NETWORK = { cosets: 3, minLog2K: 10 };
const GROUP = testGroup(Array.from({ length: 30 }, (_, index) => 1 + (index % 3)));

describe('sampling a blob', () => {
  it('finds an honest one available, and says how sure that is', async () => {
    for (const suite of [0, 1]) {
      const blob = await honestBlob(20_000, NETWORK, suite);
      const { verdict, signers } = await sampleOf(blob, GROUP, () => ({}));
      const { confidence, report } = expectKind(verdict, 'available');
      assert.ok(confidence.kind === 'sampled' && confidence.bits > 150, JSON.stringify(confidence));
      assert.equal(report.answered, report.drawn);
      assert.deepEqual(report.missing, []);
      assert.equal(report.needed, 1024);
      assert.ok(report.rows > 4096 - 30 && report.rows <= 4096);
      assert.equal(report.holders, new Set(signers.seen.map(({ signer }) => signer)).size);
    }
  });

  it('asks each holder for its own rows only, each once, and few for what proves them', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const { verdict, signers } = await sampleOf(blob, GROUP, () => ({}), { parallel: 4 });
    assert.equal(verdict.kind, 'available');
    for (const { signer, indexes } of signers.seen) {
      assert.ok(indexes.every((row) => signers.rowsOf(signer).has(row)));
    }
    const asked = signers.seen.flatMap(({ indexes }) => indexes);
    assert.equal(new Set(asked).size, verdict.report.drawn);
    assert.ok(asked.length <= verdict.report.drawn + 2); // the slower of three are asked again
    assert.ok(signers.seen.filter(({ form }) => form === 'full').length <= 3);
    assert.ok(signers.mostAtOnce <= 4);
  });

  it('asks for no proof that it has', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const asked = blobWithHeader(blob);
    const { verdict, signers } = await sampleOf(blob, GROUP, () => ({}), { asked });
    assert.equal(verdict.kind, 'available');
    assert.ok(signers.seen.every(({ form }) => form === 'bare'));
  });

  it('still finds it available while a fifth of the rows is withheld', async () => {
    // One in 10^6 of such samples fails, and there are 20.
    const blob = await honestBlob(9_000, NETWORK);
    for (let seed = 1; seed <= 20; seed += 1) {
      const hidden = withheldPart(0.2, blob.layout.rows, seed);
      const manner: Manner = { withholds: (row) => hidden.has(row) };
      const { verdict } = await sampleOf(blob, GROUP, () => manner, { seed });
      const { confidence, report } = expectKind(verdict, 'available');
      assert.ok(confidence.kind === 'sampled' && confidence.bits >= 40);
      assert.equal(report.answered + report.missing.length, report.drawn);
      assert.ok(report.missing.every(({ index }) => hidden.has(index)));
      assert.ok(
        report.missing.every(({ code }) => code === 'HOLDER_LACKS_ROW'),
        JSON.stringify(report.missing),
      );
    }
  });

  it('never finds one available of which too few rows are served', async () => {
    // Each sample would with a probability below 2^-40.
    const blob = await honestBlob(9_000, NETWORK);
    for (let seed = 1; seed <= 20; seed += 1) {
      const part = 1 - 1023 / blob.layout.rows;
      const hidden = withheldPart(part, blob.layout.rows, seed);
      const manner: Manner = { withholds: (row) => hidden.has(row) };
      const { verdict } = await sampleOf(blob, GROUP, () => manner, { seed });
      const { report } = expectKind(verdict, 'unavailable');
      assert.equal(report.missing.length, report.drawn - report.answered);
    }
  });

  it('may say either in between', async () => {
    const blob = await honestBlob(9_000, NETWORK);
    const seen = new Set<string>();
    for (let seed = 1; seed <= 12; seed += 1) {
      const hidden = withheldPart(0.41, blob.layout.rows, seed);
      const manner: Manner = { withholds: (row) => hidden.has(row) };
      seen.add((await sampleOf(blob, GROUP, () => manner, { seed })).verdict.kind);
    }
    assert.deepEqual([...seen].sort(), ['available', 'unavailable']);
  });

  it('counts silent, busy, lying and unreachable holders as missing, each with its reason', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const other = bytesOf(64, 9);
    const manners: readonly Manner[] = [
      { isSilent: true },
      { delayMs: 11_000 },
      { delayMs: 9_000 },
      { status: 503 },
      { body: bytesOf(100, 3) },
      { lie: (row) => ({ ...row, bytes: other }) },
      { lie: (row) => ({ ...row, path: row.path.map((byte) => byte ^ 1) }) },
      { lie: (row) => ({ ...row, index: (row.index + 1) % 1024 }) },
    ];
    const group = testGroup([...Array.from({ length: 8 }, () => 1), 20]);
    const { verdict, signers } = await sampleOf(blob, group, (at) => manners[at] ?? {});
    const { report } = expectKind(verdict, 'available');
    const members = group.committee.members.map(({ signer }) => signer);
    const codes = manners.map((_, at) => {
      const own = report.missing.filter(({ holder }) => holder === members[at]);
      return [...new Set(own.map(({ code }) => code))].join();
    });
    assert.deepEqual(codes, [
      'DEADLINE_PASSED',
      'DEADLINE_PASSED',
      '',
      'TRANSPORT_STATUS',
      'WIRE_MAGIC',
      'ROW_PATH',
      'ROW_PATH',
      'HOLDER_ANSWER',
    ]);
    assert.equal(report.holders, 2);
    assert.ok(signers.seen.length < 40);
  });

  it('says unavailable, without waiting for each in turn, where nobody answers', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const { verdict, clock } = await sampleOf(blob, GROUP, () => ({ isSilent: true }));
    const { report } = expectKind(verdict, 'unavailable');
    assert.equal(clock.now(), 30_000); // three holders, then sixteen, then fourteen
    assert.equal(report.answered, 0);
    assert.equal(report.holders, 0);
    assert.ok(report.missing.every(({ code }) => code === 'DEADLINE_PASSED'));
  });

  it('counts rows of members without an address as missing', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const clock = new VirtualClock();
    const signers = new MemorySigners(blob, GROUP.committee, clock);
    const [first = '0x' as never] = signers.sockets.keys();
    const sockets = new Map(signers.sockets).set(first, 'ftp://example.test');
    const request = { blob: blobAlone(blob), committee: GROUP.committee, sockets };
    const verdict = await sampleBlob(request, depsOf(signers, clock, 1), { signal });
    const { report } = expectKind(verdict, 'available');
    assert.ok(report.missing.length > 0);
    assert.ok(report.missing.every(({ code }) => code === 'HOLDER_NO_ADDRESS'));
  });

  it('shows a bad encoding by evidence that needs the commitment alone', async () => {
    const bad = await badBlob(
      20_000,
      NETWORK,
      Array.from({ length: 3000 }, (_, at) => 1024 + at),
    );
    const { verdict } = await sampleOf(bad, GROUP, () => ({}));
    const { evidence } = expectKind(verdict, 'badEncoding');
    const received = parseBadRow(encodeBadRow(evidence));
    const check = { suite: suiteOf(0), combiner: kernels.combiner };
    assert.ok(verifyBadRow(received, bad.commitment, check).row.index >= 1024);
    const honest = await honestBlob(20_000, NETWORK);
    assert.throws(
      () => verifyBadRow(received, honest.commitment, check),
      (error) => isFault(error, 'SLICE_COMMITMENT'),
    );
  });

  it('lets no holder make a good blob look badly encoded', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const bad = await badBlob(20_000, NETWORK, [1500]);
    const [row] = await rowsOf(bad, [1500], { signal });
    if (row === undefined) throw new Error('no row');
    const body = encodeRowReply([encodeRow({ kind: 'full', header: headerOf(bad), row })]);
    const { verdict } = await sampleOf(blob, GROUP, (at) => (at < 3 ? { body } : {}));
    assert.equal(verdict.kind, 'available');
  });

  it('takes no row from a reply that was damaged, wherever, and never more', async () => {
    const blob = await honestBlob(9_000, NETWORK);
    const rng = seededRng(20_261_122);
    const garble = (body: Uint8Array): Uint8Array => {
      const damaged = body.slice();
      const at = rng.below(body.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << rng.below(8));
      return damaged;
    };
    for (let seed = 1; seed <= 20; seed += 1) {
      const { verdict } = await sampleOf(blob, GROUP, (at) => (at % 5 === 0 ? { garble } : {}), {
        seed,
      });
      const { report } = expectKind(verdict, 'available');
      const codes = new Set(report.missing.map(({ code }) => code));
      assert.ok(!codes.has('ROW_COMBINATION') && !codes.has('NOT_ASKED'), [...codes].join());
    }
  });

  it('refuses members of another quorum than certified the blob', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const asked = { ...blobAlone(blob), quorum: { epoch: 7, quorumId: 0 } };
    const other = nextGroup(GROUP, [1, 1, 1]);
    await assert.rejects(
      sampleOf(blob, other, () => ({}), { asked }),
      (error) => isFault(error, 'SAMPLE_COMMITTEE'),
    );
  });

  it('stops when told, and blames no holder for it', async () => {
    const blob = await honestBlob(20_000, NETWORK);
    const stop = new AbortController();
    const saved: number[] = [];
    const sample = sampleOf(blob, GROUP, () => ({}), {
      signal: stop.signal,
      parallel: 1,
      onProgress: ({ answered }) => {
        saved.push(answered.length);
        if (saved.length === 4) stop.abort(new Error('enough'));
      },
    });
    await assert.rejects(sample, /enough/);
    assert.equal(saved.length, 4);
  });
});
