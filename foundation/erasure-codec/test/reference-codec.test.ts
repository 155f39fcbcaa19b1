import assert from 'node:assert/strict';
import { toHex } from '@cairn/primitives';
import { pointOf } from '../src/field.ts';
import { referenceCodec } from '../src/reference-codec.ts';
import type { MatrixShape, PlacedRow } from '../src/row-codec.ts';
import { readSymbol } from '../src/symbols.ts';
import {
  bytesOf,
  isCodecFault,
  lagrange,
  placedRows,
  shapeOf,
  shuffled,
  signal,
} from './support.ts';

const codec = referenceCodec();

/** Data of chance for a shape, and all rows made of it. */
async function encoded(
  shape: MatrixShape,
  seed: number,
): Promise<{ readonly data: Uint8Array; readonly rows: PlacedRow[] }> {
  const data = bytesOf(shape.dataRows * shape.rowBytes, seed);
  const parity = await codec.encode(data, shape, { signal });
  return { data, rows: placedRows(data, parity, shape.rowBytes) };
}

/** Fails unless `rows` decode to `data`. */
async function assertDecodes(
  rows: readonly PlacedRow[],
  shape: MatrixShape,
  data: Uint8Array,
  what: string,
): Promise<void> {
  assert.ok(Buffer.from(await codec.decode(rows, shape, { signal })).equals(data), what);
}

describe('the parity of the reference codec', () => {
  const shape = shapeOf(2, 2);
  const data = Uint8Array.from({ length: 256 }, (_, index) => index * 7);

  it('is a known answer, made by an implementation that shares no code', async () => {
    // Python: shift-and-reduce multiplication, Lagrange's formula, no tables.
    const first =
      '0x64636a7178474e555c5b38332a251c170e0900e1e8f7fec5cccbd2d9bab5aca7' +
      '9e99908b82676e757c7b4249505f3c372e29201b120d04e5ecebf2f9c0cfd6dd';
    const last =
      '0xa9aea7bcb58a8398919608031a152c273e39302c253a330801061f148a859c97' +
      'aea9a0bbb2aaa3b8b1b68f849d920c071e19102b223d342821263f340d021b10';
    const parity = await codec.encode(data, shape, { signal });
    assert.equal(parity.length, 512);
    assert.equal(toHex(parity.subarray(0, 64)), first);
    assert.equal(toHex(parity.subarray(-64)), last);
  });

  for (const [log2K, cosets] of [
    [2, 2],
    [3, 3],
    [4, 1],
  ] as const) {
    it(`is Lagrange's interpolation for ${2 ** log2K} data rows`, async () => {
      const small = shapeOf(log2K, cosets, 128);
      const { rows } = await encoded(small, log2K);
      for (let column = 0; column < 64; column += 1) {
        const symbols = Uint16Array.from(rows, ({ bytes }) => readSymbol(bytes, column));
        const values = symbols.subarray(0, small.dataRows);
        for (let index = small.dataRows; index < small.rows; index += 1) {
          assert.equal(symbols[index], lagrange(values, pointOf(index)), `${index}.${column}`);
        }
      }
    });
  }

  it('is of data that has the length of its rows', async () => {
    for (const actualBytes of [0, 255, 257, 512]) {
      await assert.rejects(
        codec.encode(new Uint8Array(actualBytes), shape, { signal }),
        isCodecFault({ code: 'ROW_LENGTH', expectedBytes: 256, actualBytes }),
      );
    }
  });

  it('leaves the data as it is', async () => {
    const before = data.slice();
    await codec.encode(data, shape, { signal });
    assert.deepEqual(data, before);
  });
});

describe('the reference codec', () => {
  for (const log2K of [2, 3, 4, 5, 6, 7, 8]) {
    for (const cosets of [1, 2, 3]) {
      it(`makes data of any ${2 ** log2K} rows out of ${2 ** log2K * (1 + cosets)}`, async () => {
        for (const rowBytes of [64, 128]) {
          const shape = shapeOf(log2K, cosets, rowBytes);
          const { data, rows } = await encoded(shape, log2K * 4 + cosets);
          for (let seed = 0; seed < (log2K < 6 ? 8 : 1); seed += 1) {
            const some = shuffled(rows, seed).slice(0, shape.dataRows);
            await assertDecodes(some, shape, data, `seed ${seed}, ${rowBytes}-byte rows`);
          }
        }
      });
    }
  }

  for (const cosets of [1, 2, 3]) {
    it(`makes data of any one coset out of ${1 + cosets}, and of any two halves`, async () => {
      for (const log2K of [0, 1, 3, 6]) {
        const shape = shapeOf(log2K, cosets);
        const { dataRows } = shape;
        const { data, rows } = await encoded(shape, 9);
        const starts = Array.from({ length: 1 + cosets }, (_, coset) => coset * dataRows);
        for (const start of starts) {
          const coset = rows.slice(start, start + dataRows);
          await assertDecodes(coset.toReversed(), shape, data, `rows from ${start}`);
        }
        for (const start of starts.slice(1)) {
          const halves = rows.slice(start - dataRows / 2, start + dataRows / 2);
          await assertDecodes(halves, shape, data, `rows on both sides of ${start}`);
        }
      }
    });
  }

  it('makes up for every single lost data row', async () => {
    const shape = shapeOf(4, 1);
    const { data, rows } = await encoded(shape, 5);
    for (let lost = 0; lost < shape.dataRows; lost += 1) {
      for (const spare of [16, 31]) {
        const some = rows.filter(({ index }) => index === spare || (index < 16 && index !== lost));
        await assertDecodes(some, shape, data, `row ${spare} for row ${lost}`);
      }
    }
  });

  for (const log2K of [10, 12]) {
    it(`makes data of any ${2 ** log2K} rows out of ${2 ** (log2K + 2)}`, async () => {
      const shape = shapeOf(log2K, 3);
      const { dataRows } = shape;
      const { data, rows } = await encoded(shape, log2K);
      await assertDecodes(rows.slice(-dataRows), shape, data, 'the last coset');
      await assertDecodes(shuffled(rows, 1).slice(0, dataRows), shape, data, 'seed 1');
    });
  }
});

describe('decoding', () => {
  const shape = shapeOf(3, 3);
  const wrong = (row: PlacedRow): PlacedRow => ({ ...row, bytes: row.bytes.map((byte) => ~byte) });

  it('does not look at rows beyond the first whole coset', async () => {
    const { data, rows } = await encoded(shape, 1);
    for (const first of [0, 8, 16, 24]) {
      const placed = rows
        .filter(({ index }) => index >= first || index % 8 > 0) // no whole coset before it
        .map((row) => (row.index >= first && row.index < first + 8 ? row : wrong(row)));
      await assertDecodes(shuffled(placed, first), shape, data, `coset from ${first}`);
    }
  });

  it('takes the rows with the lowest indexes where no coset is whole', async () => {
    const { data, rows } = await encoded(shape, 2);
    const some = rows.filter(({ index }) => index % 8 > 2); // 5 of each coset: the first two hold 8
    const placed = some.map((row, order) => (order < 8 ? row : wrong(row)));
    await assertDecodes(shuffled(placed, 1), shape, data, 'the lowest');
    const spoilt = some.map((row, order) => (order < 7 ? row : wrong(row)));
    const result = await codec.decode(spoilt, shape, { signal });
    assert.ok(!Buffer.from(result).equals(data), 'the eighth is looked at');
  });

  it('counts a row with the same place once: the first', async () => {
    const { data, rows } = await encoded(shape, 3);
    const some = shuffled(rows, 3).slice(0, 8);
    await assertDecodes([...some, ...some.map(wrong)], shape, data, 'repeated');
    const repeated = [...some.slice(0, 7), ...some.slice(0, 7), ...some.slice(0, 7).map(wrong)];
    await assert.rejects(
      codec.decode(repeated, shape, { signal }),
      isCodecFault({ code: 'TOO_FEW_ROWS', have: 7, need: 8 }),
    );
  });

  it('takes as many rows as there are data rows', async () => {
    const { rows } = await encoded(shape, 4);
    for (let have = 0; have < 8; have += 1) {
      await assert.rejects(
        codec.decode(shuffled(rows, have).slice(0, have), shape, { signal }),
        isCodecFault({ code: 'TOO_FEW_ROWS', have, need: 8 }),
      );
    }
  });

  it('takes rows that have a place', async () => {
    const { rows } = await encoded(shape, 5);
    for (const index of [-1, 32, 0.5, Number.NaN]) {
      const misplaced = [...rows, { index, bytes: new Uint8Array(64) }];
      await assert.rejects(
        codec.decode(misplaced, shape, { signal }),
        isCodecFault({ code: 'ROW_INDEX', index, rows: 32 }),
      );
    }
  });

  it("takes rows of the shape's length", async () => {
    const { rows } = await encoded(shape, 6);
    for (const actualBytes of [0, 63, 65, 128]) {
      const placed = rows.map((row) =>
        row.index === 3 ? { ...row, bytes: new Uint8Array(actualBytes) } : row,
      );
      await assert.rejects(
        codec.decode(placed, shape, { signal }),
        isCodecFault({ code: 'ROW_LENGTH', expectedBytes: 64, actualBytes }),
      );
    }
  });

  it('gives bytes that are not those of the rows', async () => {
    const { data, rows } = await encoded(shape, 7);
    const result = await codec.decode(rows, shape, { signal });
    for (const { bytes } of rows) bytes.fill(0);
    assert.ok(Buffer.from(result).equals(data));
  });
});

describe('a signal to the reference codec', () => {
  const reason = new Error('no longer wanted');

  it('that has aborted ends it before it starts', async () => {
    const shape = shapeOf(2, 1);
    const { data, rows } = await encoded(shape, 1);
    const options = { signal: AbortSignal.abort(reason) };
    const isReason = (error: unknown): boolean => error === reason;
    await assert.rejects(codec.encode(data, shape, options), isReason);
    await assert.rejects(codec.decode(rows, shape, options), isReason);
  });

  it('that aborts while others have their turn ends it there', async () => {
    const shape = shapeOf(10, 1, 2_048);
    const data = new Uint8Array(1_024 * 2_048);
    const rows = placedRows(data, data, 2_048).filter(({ index }) => index % 2 === 0);
    for (const run of ['encode', 'decode'] as const) {
      const controller = new AbortController();
      let turns = 0;
      const stopping = referenceCodec({
        sleep: async (_durationMs, inner) => {
          turns += 1;
          if (turns === 2) controller.abort(reason);
          inner.throwIfAborted();
        },
      });
      const { signal: stop } = controller;
      const outcome =
        run === 'encode'
          ? stopping.encode(data, shape, { signal: stop })
          : stopping.decode(rows, shape, { signal: stop });
      await assert.rejects(outcome, (error) => error === reason);
      assert.equal(turns, 2, run);
    }
  });
});
