import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { plainBlake3Suite, sha256Suite } from '@cairn/commitments/rows';
import { isFault, seededRng } from '@cairn/primitives';
import fc from 'fast-check';
import { arcRows } from '../../src/assign-rows.ts';
import { commitBlob } from '../../src/commitment.ts';
import { encodePackedSlice, packedSliceBytes } from '../../src/packed-slice.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
import { sliceOf, verifySlice } from '../../src/slice.ts';
import { encodeSlice, parseSlice, sliceMessageBytes } from '../../src/slice-message.ts';

const signal = new AbortController().signal;
const SEED = 20_261_122;

describe('packed slices', () => {
  for (const suite of [plainBlake3Suite, sha256Suite]) {
    it(`give the same rows and paths as whole ones, for any arc (${suite.name})`, async () => {
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
          const slice = await sliceOf(blob, arcRows(arc, blob.layout), { signal });
          const packed = encodePackedSlice(slice);
          equal(packed.length, packedSliceBytes(blob.layout, arc));
          deepEqual(encodeSlice(parseSlice(packed, suite)), encodeSlice(slice));
        }),
        { seed: SEED, numRuns: 60 },
      );
    });
  }

  it('are refused where anything is changed, and where no suite is expected', async () => {
    const suite = plainBlake3Suite;
    const payload = seededRng(2).fill(new Uint8Array(100));
    const blob = await commitBlob(payload, {}, { codec: referenceCodec(), suite, signal });
    const { layout, commitment } = blob;
    const rows = arcRows({ start: 250, count: 40 }, layout);
    const packed = encodePackedSlice(await sliceOf(blob, rows, { signal }));
    const expected = { commitment, layout, rows };
    verifySlice(parseSlice(packed, suite), expected, { suite });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: packed.length * 8 - 1 }), (bit) => {
        const changed = packed.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        throws(() => verifySlice(parseSlice(changed, suite), expected, { suite }), isFault);
      }),
      { seed: SEED, numRuns: 150 },
    );
    throws(() => parseSlice(packed.subarray(0, -1), suite), { code: 'SLICE_LENGTH' });
    throws(() => parseSlice(packed), { code: 'SLICE_FORM' });
    throws(() => parseSlice(packed, sha256Suite), { code: 'SLICE_HEADER' });
  });

  it('are of rows that follow one another only', async () => {
    const suite = plainBlake3Suite;
    const blob = await commitBlob(
      new Uint8Array(9),
      {},
      { codec: referenceCodec(), suite, signal },
    );
    const slice = await sliceOf(blob, [1, 2, 4], { signal });
    throws(() => encodePackedSlice(slice), { code: 'SLICE_FORM' });
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
