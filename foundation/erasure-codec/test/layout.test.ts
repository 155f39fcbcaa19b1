import assert from 'node:assert/strict';
import { KIB, MIB } from '@cairn/primitives';
import fc from 'fast-check';
import { layoutOf } from '../src/layout.ts';
import { MAX_PAYLOAD_BYTES } from '../src/params.ts';
import { isCodecFault } from './support.ts';

describe('the layout of a payload', () => {
  const boundaries: readonly (readonly [payloadBytes: number, log2K: number, rowBytes: number])[] =
    [
      [0, 6, 64],
      [1, 6, 64],
      [4_087, 6, 64],
      [4_088, 6, 64],
      [4_089, 6, 128],
      [64 * KIB - 9, 6, KIB],
      [64 * KIB - 8, 6, KIB],
      [64 * KIB - 7, 8, 320],
      [MIB - 9, 8, 4 * KIB],
      [MIB - 8, 8, 4 * KIB],
      [MIB - 7, 10, KIB + 64],
      [16 * MIB - 9, 10, 16 * KIB],
      [16 * MIB - 8, 10, 16 * KIB],
      [16 * MIB - 7, 12, 4 * KIB + 64],
      [128 * MIB - 9, 12, 32 * KIB],
      [128 * MIB - 8, 12, 32 * KIB],
    ];

  for (const [payloadBytes, log2K, rowBytes] of boundaries) {
    it(`has ${2 ** log2K} data rows of ${rowBytes} bytes for ${payloadBytes}`, () => {
      const dataRows = 2 ** log2K;
      const expected = { payloadBytes, log2K, dataRows, cosets: 3, rows: 4 * dataRows, rowBytes };
      assert.deepEqual(layoutOf(payloadBytes), expected);
    });
  }

  it('holds header and payload, with less than a chunk to spare in each row', () => {
    const network = fc.record({
      cosets: fc.integer({ min: 1, max: 3 }),
      minLog2K: fc.integer({ min: 6, max: 12 }),
    });
    fc.assert(
      fc.property(fc.nat(MAX_PAYLOAD_BYTES), network, (payloadBytes, { cosets, minLog2K }) => {
        const layout = layoutOf(payloadBytes, { cosets, minLog2K });
        const { log2K, dataRows, rows, rowBytes } = layout;
        assert.equal(dataRows, 2 ** log2K);
        assert.equal(rows, dataRows * (1 + cosets));
        assert.equal(log2K, Math.max(minLog2K, layoutOf(payloadBytes).log2K));
        assert.equal(rowBytes % 64, 0);
        assert.ok(dataRows * rowBytes >= payloadBytes + 8);
        assert.ok(dataRows * (rowBytes - 64) < payloadBytes + 8);
      }),
    );
  });

  it('has at least the data rows that the network asks for', () => {
    assert.equal(layoutOf(0, { minLog2K: 10 }).dataRows, 1_024);
    assert.equal(layoutOf(16 * MIB, { minLog2K: 8 }).dataRows, 4_096);
  });

  it('has as many parity cosets as the network says', () => {
    for (const cosets of [1, 2, 3]) assert.equal(layoutOf(1, { cosets }).rows, 64 * (1 + cosets));
  });

  it('is refused beyond 128 MiB with the header', () => {
    const [actualBytes, maxBytes] = [128 * MIB - 7, 128 * MIB - 8];
    assert.throws(
      () => layoutOf(actualBytes),
      isCodecFault({ code: 'PAYLOAD_TOO_LARGE', actualBytes, maxBytes }),
    );
  });

  it('is refused for a network that no blob can have', () => {
    for (const cosets of [0, 4, -1, 1.5, Number.NaN]) {
      assert.throws(
        () => layoutOf(1, { cosets }),
        isCodecFault({ code: 'LAYOUT', field: 'cosets', actual: cosets }),
      );
    }
    for (const minLog2K of [5, 13, 6.5, Number.NaN]) {
      assert.throws(
        () => layoutOf(1, { minLog2K }),
        isCodecFault({ code: 'LAYOUT', field: 'minLog2K', actual: minLog2K }),
      );
    }
  });

  it('is not computed for what is no length', () => {
    for (const length of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => layoutOf(length), RangeError);
    }
  });
});
