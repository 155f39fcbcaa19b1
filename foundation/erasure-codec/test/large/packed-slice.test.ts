import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { loadRowSuite, sha256Suite, sha256SuiteOver } from '@cairn/commitments/rows';
import { concatBytes, isFault, seededRng } from '@cairn/primitives';
import fc from 'fast-check';
import { arcRows, type RowArc } from '../../src/assign-rows.ts';
import { type CommittedBlob, commitBlob } from '../../src/commitment.ts';
import { packedSliceBytes, packedSliceOf } from '../../src/packed-slice.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
import { sliceOf } from '../../src/slice.ts';
import {
  encodeSlice,
  parseSlice,
  sliceMessageBytes,
  verifySliceMessage,
} from '../../src/slice-message.ts';

const signal = new AbortController().signal;
const SEED = 20_261_122;

describe('packed slices', () => {
  /** With the platform's SHA-256: tens of thousands of hashes are made. */
  const suiteOf = async (name: 'blake3' | 'sha256') =>
    name === 'blake3'
      ? loadRowSuite(0)
      : sha256SuiteOver((...parts) => {
          const hash = createHash('sha256');
          for (const part of parts) hash.update(part);
          return Uint8Array.from(hash.digest());
        });

  for (const name of ['blake3', 'sha256'] as const) {
    it(`give the same rows and paths as whole ones, for any arc (${name})`, async () => {
      const suite = await suiteOf(name);
      const payload = seededRng(1).fill(new Uint8Array(900));
      const blob = await commitBlob(
        payload,
        { cosets: 3 },
        { codec: referenceCodec(), suite, signal },
      );
      const { rows } = blob.layout;
      const arcs = fc.record({
        start: fc.integer({ min: 0, max: rows - 1 }),
        count: fc.oneof(fc.integer({ min: 1, max: rows }), fc.constant(rows)),
      });
      await fc.assert(
        fc.asyncProperty(arcs, async (arc) => {
          const rows = arcRows(arc, blob.layout);
          const slice = await sliceOf(blob, rows, { signal });
          const packed = await packedMessage(blob, arc);
          equal(packed.length, packedSliceBytes(blob.layout, arc));
          const expected = { commitment: blob.commitment, layout: blob.layout, rows };
          const whole = encodeSlice(slice);
          deepEqual(encodeSlice(verifySliceMessage(packed, expected, { suite })), whole);
          deepEqual(encodeSlice(verifySliceMessage(whole, expected, { suite })), whole);
        }),
        { seed: SEED, numRuns: 60 },
      );
    });
  }

  it('are refused where anything is changed, and where no suite is expected', async () => {
    const suite = await suiteOf('blake3');
    const payload = seededRng(2).fill(new Uint8Array(100));
    const blob = await commitBlob(payload, {}, { codec: referenceCodec(), suite, signal });
    const { layout, commitment } = blob;
    const arc = { start: 250, count: 40 };
    const packed = await packedMessage(blob, arc);
    const expected = { commitment, layout, rows: arcRows(arc, layout) };
    const verify = (bytes: Uint8Array, by = suite) =>
      verifySliceMessage(bytes, expected, { suite: by });
    verify(packed);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: packed.length * 8 - 1 }), (bit) => {
        const changed = packed.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        throws(() => verify(changed), isFault);
      }),
      { seed: SEED, numRuns: 150 },
    );
    throws(() => verify(packed.subarray(0, -1)), { code: 'SLICE_LENGTH' });
    throws(() => verify(packed, sha256Suite), { code: 'SLICE_HEADER' });
    throws(() => parseSlice(packed), { code: 'SLICE_FORM' });
  });

  it('are of arcs that a blob has only', async () => {
    const options = { codec: referenceCodec(), suite: await suiteOf('blake3'), signal };
    const blob = await commitBlob(new Uint8Array(9), {}, options);
    for (const [start, count] of [
      [blob.layout.rows, 1],
      [0, 0],
      [0, blob.layout.rows + 1],
    ] as const) {
      await rejects(packedSliceOf(blob, { start, count }, { signal }), { code: 'SLICE_FORM' });
    }
  });

  it('are as long as their rows, combinations and a few hashes', () => {
    const layout = {
      payloadBytes: 131_072,
      log2K: 8,
      dataRows: 256,
      cosets: 3,
      rows: 1024,
      rowBytes: 576,
    };
    const arc = { start: 200, count: 255 };
    const fixed = 40 + 32 * 4 + 32 * 256 + 255 * 576;
    const length = packedSliceBytes(layout, arc);
    ok(length > fixed && length <= fixed + 64 * 8 * 2, `${length - fixed} bytes of hashes`);
    ok(length < 0.75 * sliceMessageBytes(layout, 255));
  });
});

async function packedMessage(
  blob: CommittedBlob,
  arc: Pick<RowArc<number>, 'start' | 'count'>,
): Promise<Uint8Array> {
  return concatBytes(...(await packedSliceOf(blob, arc, { signal })));
}
