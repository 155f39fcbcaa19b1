import assert from 'node:assert/strict';
import { CodecError, verifyBadRow } from '@cairn/erasure-codec';
import { isFault } from '@cairn/primitives';
import type { SampleVerdict } from '../../src/sampling/verdict.ts';
import { badBlob, bytesOf, honestBlob, kernels, suiteOf } from '../support/blobs.ts';
import { testGroup } from '../support/committees.ts';
import { expectKind, sampleOf, withheldPart } from '../support/sampling.ts';

/** A network of up to 32 members: the smallest blobs have 64 data rows. */
const NETWORK = { cosets: 3, minLog2K: 6 };
const GROUP = testGroup([1, 1, 1, 1, 2]);

function payloadOf(verdict: SampleVerdict): Uint8Array | undefined {
  const { confidence } = expectKind(verdict, 'available');
  assert.ok(confidence.kind === 'read', 'small blobs are read whole');
  return confidence.value.kind === 'payload' ? confidence.value.payload : undefined;
}

describe('asking for a small blob', () => {
  it('reads it whole, of any size, from its data rows', async () => {
    for (const bytes of [0, 1, 1000, 60_000]) {
      const blob = await honestBlob(bytes, NETWORK);
      const { verdict, signers } = await sampleOf(blob, GROUP, () => ({}));
      assert.deepEqual(payloadOf(verdict), bytesOf(bytes, bytes + 1));
      const { drawn, answered, required, missing } = verdict.report;
      assert.deepEqual(
        { drawn, answered, required, missing: missing.length },
        {
          drawn: 64,
          answered: 64,
          required: 64,
          missing: 0,
        },
      );
      assert.ok(signers.seen.filter(({ form }) => form === 'full').length <= 3);
    }
  });

  it('reads the largest that it reads whole', async () => {
    const blob = await honestBlob(2 ** 20 - 8, NETWORK);
    assert.equal(blob.layout.dataRows, 256);
    const { verdict } = await sampleOf(blob, GROUP, () => ({}));
    assert.deepEqual(payloadOf(verdict), bytesOf(2 ** 20 - 8, 2 ** 20 - 7));
  });

  it('takes parity for the data rows that do not come', async () => {
    const blob = await honestBlob(5000, NETWORK);
    const { verdict } = await sampleOf(blob, GROUP, () => ({ withholds: (row) => row < 64 }));
    assert.deepEqual(payloadOf(verdict), bytesOf(5000, 5001));
    assert.ok(verdict.report.missing.length > 32);
  });

  it('reads it from the last rows that give it back, wherever they are', async () => {
    const blob = await honestBlob(5000, NETWORK);
    const held = testGroup([1, 1, 1, 1]);
    for (const seed of [1, 2, 3]) {
      const hidden = withheldPart(0.7, 256, seed);
      const { verdict } = await sampleOf(blob, held, () => ({
        withholds: (row) => hidden.has(row),
      }));
      assert.deepEqual(payloadOf(verdict), bytesOf(5000, 5001));
    }
  });

  it('is done with silent and lying members of any kind but honest ones with enough rows', async () => {
    const blob = await honestBlob(5000, NETWORK);
    const { verdict, signers } = await sampleOf(blob, GROUP, (at) => {
      if (at === 0) return { isSilent: true };
      if (at === 1) return { lie: (row) => ({ ...row, bytes: bytesOf(row.bytes.length, 8) }) };
      return {};
    });
    assert.deepEqual(payloadOf(verdict), bytesOf(5000, 5001));
    const [silent] = GROUP.committee.members;
    const asked = signers.seen.filter(({ signer }) => signer === silent?.signer);
    assert.ok(asked.length <= 2, 'a holder that failed is not asked in the next round');
  });

  it('says unavailable with a row too few', async () => {
    const blob = await honestBlob(5000, NETWORK);
    const { signers } = await sampleOf(blob, GROUP, () => ({}));
    const held = [...signers.sockets.keys()].flatMap((signer) => [...signers.rowsOf(signer)]);
    const hidden = new Set(held.slice(63));
    const { verdict } = await sampleOf(blob, GROUP, () => ({
      withholds: (row) => hidden.has(row),
    }));
    const { report } = expectKind(verdict, 'unavailable');
    assert.equal(report.answered, 63);
    assert.equal(report.required, 64);
    assert.equal(report.missing.length, held.length - 63);
  });

  it('shows a bad encoding where a bad row is met', async () => {
    const bad = await badBlob(5000, NETWORK, [64, 65, 66, 67]);
    const { verdict } = await sampleOf(bad, GROUP, () => ({
      withholds: (row) => row < 64 || row > 130,
    }));
    const { evidence } = expectKind(verdict, 'badEncoding');
    const check = { suite: suiteOf(0), combiner: kernels.combiner };
    verifyBadRow(evidence, bad.commitment, check);
  });

  it('refuses a quorum that rows cannot be shared out to', async () => {
    const blob = await honestBlob(5000, NETWORK);
    const large = testGroup(Array.from({ length: 33 }, () => 1));
    await assert.rejects(
      sampleOf(blob, GROUP, () => ({}), {}).then(() => sampleOf(blob, large, () => ({}))),
      (error) => error instanceof CodecError && isFault(error, 'QUORUM_TOO_LARGE'),
    );
  });
});
