import assert from 'node:assert/strict';
import { equalBytes, seededRng } from '@cairn/primitives';
import { arcRows, assignRows } from '../src/assign-rows.ts';
import { headerOf } from '../src/commitment.ts';
import { layoutOf } from '../src/layout.ts';
import { type Slice, sliceOf, verifySlice } from '../src/slice.ts';
import { encodeSlice, parseSlice, sliceMessageBytes } from '../src/slice-message.ts';
import {
  committed,
  flipped,
  forge,
  isSliceFault,
  type MemoryBlob,
  optionsOf,
  refusalOf,
  rowAt,
  SUITES,
  sliceAt,
  smallLayout,
} from './blob-support.ts';
import { bytesOf, signal } from './support.ts';

const ROWS = [254, 255, 0, 1, 130];

for (const suite of SUITES) {
  describe(`a slice with ${suite.name}`, () => {
    let blob: MemoryBlob;
    let slice: Slice;
    before(async () => {
      blob = await committed(5_000, suite);
      slice = await sliceOf(blob, ROWS, { signal });
    });
    const verify = (bytes: Uint8Array, expected = {}): unknown =>
      verifySlice(
        parseSlice(bytes),
        { layout: blob.layout, commitment: blob.commitment, rows: ROWS, ...expected },
        { suite },
      );

    it('travels and is accepted by its holder', () => {
      const bytes = encodeSlice(slice);
      assert.equal(bytes.length, sliceMessageBytes(blob.layout, ROWS.length));
      assert.deepEqual(parseSlice(bytes), slice);
      assert.ok(equalBytes(encodeSlice(parseSlice(bytes)), bytes));
      verify(bytes);
    });

    it('is refused when it is not the slice expected', () => {
      const bytes = encodeSlice(slice);
      for (const rows of [
        [],
        [254, 255, 0, 1],
        [254, 255, 0, 1, 130, 131],
        [0, 1, 130, 254, 255],
        [254, 255, 0, 1, 131],
      ]) {
        assert.throws(
          () => verify(bytes, { rows }),
          isSliceFault({ code: 'SLICE_ROWS', expected: rows, actual: ROWS }),
        );
      }
      for (const [network, payloadBytes, field] of [
        [{}, 5_001, 'payloadBytes'],
        [{ minLog2K: 7 }, 5_000, 'log2K'],
        [{ cosets: 2 }, 5_000, 'cosets'],
      ] as const) {
        assert.throws(
          () => verify(bytes, { layout: layoutOf(payloadBytes, network) }),
          isSliceFault({ code: 'SLICE_HEADER', field }),
        );
      }
      const other = SUITES[1 - suite.id];
      assert.ok(other);
      assert.throws(
        () => verifySlice(slice, { ...blob, rows: ROWS }, { suite: other }),
        isSliceFault({ code: 'SLICE_HEADER', field: 'suite' }),
      );
    });

    it('is refused with any bit changed, of the message or of the commitment', () => {
      const bytes = encodeSlice(slice);
      const rng = seededRng(77);
      const start = 8 + 24;
      const roots = start + 4 * 32;
      const combinations = roots + 64 * 32;
      const bits = [
        ...Array.from({ length: 8 * start }, (_, bit) => bit),
        ...Array.from({ length: 32 }, () => 8 * start + rng.below(8 * (roots - start))),
        ...Array.from({ length: 32 }, () => 8 * roots + rng.below(8 * (combinations - roots))),
        ...Array.from({ length: 8 * 8 }, (_, bit) => 8 * combinations + bit), // count, first index
        ...Array.from(
          { length: 48 },
          () => 8 * combinations + rng.below(8 * (bytes.length - combinations)),
        ),
      ];
      const codes = bits.map((bit) => refusalOf(() => verify(flipped(bytes, bit)), `bit ${bit}`));
      for (const code of [
        'SLICE_FORM',
        'SLICE_HEADER',
        'SLICE_LENGTH',
        'SLICE_COMMITMENT',
        'ROW_PATH',
      ]) {
        assert.ok(codes.includes(code), code);
      }
      for (let bit = 0; bit < 256; bit += 32) {
        const commitment = flipped(blob.commitment, bit);
        assert.throws(
          () => verify(bytes, { commitment }),
          isSliceFault({ code: 'SLICE_COMMITMENT' }),
        );
      }
    });

    it('is refused whole for one row of another place, path or blob', () => {
      const last = slice.rows.length - 1;
      const swap = (row: object): Slice => ({
        ...slice,
        rows: slice.rows.map((old, at) => (at === last ? { ...old, ...row } : old)),
      });
      for (const row of [
        { bytes: rowAt(blob, 131).bytes },
        { path: rowAt(blob, 131).path },
        { ...rowAt(blob, 131), index: 130 },
        { ...rowAt(blob, 2), index: 130 }, // the same place of another coset
      ]) {
        assert.throws(
          () => verify(encodeSlice(swap(row))),
          isSliceFault({ code: 'ROW_PATH', index: 130 }),
        );
      }
    });

    it('has one form only: rows forwards round the circle, once', () => {
      const { rows } = slice;
      const [a, b, c] = rows;
      assert.ok(a && b && c);
      for (const wrong of [[], [a, a], [c, a, b, c], [a, c, b]]) {
        assert.equal(
          refusalOf(() => encodeSlice({ ...slice, rows: wrong }), 'encoding'),
          'SLICE_FORM',
        );
      }
      encodeSlice({ ...slice, rows: [c, a, b] }); // another first, which the assignment decides
      const bytes = encodeSlice(slice);
      for (const wrong of [
        bytes.subarray(1),
        bytes.subarray(0, -1),
        new Uint8Array([...bytes, 0]),
      ]) {
        refusalOf(() => parseSlice(wrong), 'parsing');
      }
      const empty = bytes.slice(0, sliceMessageBytes(blob.layout, 0)).fill(0, -4);
      assert.throws(
        () => parseSlice(empty),
        isSliceFault({ code: 'SLICE_FORM', field: 'count', actual: 0 }),
      );
    });
  });

  describe(`rows that are no codeword, with ${suite.name}`, () => {
    it('are refused by every member that has one of them, and by no other', async () => {
      const layout = smallLayout(6, 2, 3_000);
      const honest = {
        data: bytesOf(64 * 64, 1),
        parity: await optionsOf(suite).codec.encode(bytesOf(64 * 64, 1), layout, { signal }),
      };
      const wrong = new Set([70, 71, 130, 191]);
      for (const index of wrong) {
        const at = (index - 64) * 64 + (index % 64);
        honest.parity[at] = (honest.parity[at] ?? 0) ^ 1;
      }
      const blob = await forge(honest, layout, suite);
      const members = Array.from({ length: 16 }, (_, id) => ({ id, seats: 1 + (id % 3) }));
      const arcs = assignRows(members, layout, {
        suite,
        commitment: blob.commitment,
        seed: bytesOf(32, 9),
      });
      let refused = 0;
      for (const arc of arcs) {
        const rows = arcRows(arc, layout);
        const check = (): unknown => verifySlice(sliceAt(blob, rows), { ...blob, rows }, { suite });
        const bad = rows.find((index) => wrong.has(index));
        if (bad === undefined) check();
        else {
          assert.throws(check, isSliceFault({ code: 'ROW_COMBINATION', index: bad }));
          refused += 1;
        }
      }
      assert.ok(refused >= 2 && refused < arcs.length);
    });

    it('are refused by holders of parity when a data row is the wrong one', async () => {
      const layout = smallLayout(4, 1, 500);
      const data = bytesOf(16 * 64, 1);
      const parity = await optionsOf(suite).codec.encode(data, layout, { signal });
      const blob = await forge({ data: flipped(data, 999), parity }, layout, suite);
      for (let index = 0; index < 32; index += 1) {
        const expected = { ...blob, rows: [index] };
        const check = (): unknown => verifySlice(sliceAt(blob, [index]), expected, { suite });
        if (index < 16) check();
        else assert.throws(check, isSliceFault({ code: 'ROW_COMBINATION', index }));
      }
    });

    it('are refused with combinations that are not those of the rows', async () => {
      const layout = smallLayout(4, 1, 500);
      const data = bytesOf(16 * 64, 1);
      const parity = await optionsOf(suite).codec.encode(data, layout, { signal });
      const blob = await forge({ data, parity }, layout, suite, (combinations) => {
        combinations[5 * 32 + 31] = (combinations[5 * 32 + 31] ?? 0) ^ 128;
      });
      const refused = Array.from({ length: 32 }, (_, index) => index).filter((index) => {
        try {
          verifySlice(sliceAt(blob, [index]), { ...blob, rows: [index] }, { suite });
          return false;
        } catch {
          return true;
        }
      });
      assert.deepEqual(refused, [5, ...Array.from({ length: 16 }, (_, at) => 16 + at)]);
      assert.deepEqual(headerOf(blob).combinations, blob.combinations);
    });
  });
}
