import { loadRowSuite, plainBlake3Suite } from '@cairn/commitments/rows';
import { concatBytes } from '@cairn/primitives';
import { scalarCombiner } from '../../src/kernels/scalar-combiner.ts';
import type { HoldingCodec, MatrixShape, RowCodec } from '../../src/row-codec.ts';
import { assertSameBytes, bytesOf, signal } from '../support.ts';

/** Checks everything a holding codec makes of chance data against codec, hash and combiner of the CPU. */
export async function assertHolds(
  codec: HoldingCodec,
  shape: MatrixShape,
  expectedCodec: Pick<RowCodec, 'encode'>,
  seed: number,
): Promise<void> {
  const { dataRows, rows, rowBytes } = shape;
  const data = bytesOf(dataRows * rowBytes, seed);
  const parity = await expectedCodec.encode(data, shape, { signal });
  const all = concatBytes(data, parity);
  const held = await codec.hold(data, shape, { signal });
  try {
    const suite = rows * rowBytes > 2 ** 20 ? await loadRowSuite(0) : plainBlake3Suite;
    assertSameBytes(held.leaves, suite.leaves(all, rowBytes), 'leaves');
    const coefficients = bytesOf(rowBytes * 16, seed + 1);
    for (const [part, bytes] of [
      ['data', data],
      ['parity', parity],
    ] as const) {
      assertSameBytes(
        await held.combine(coefficients, part, { signal }),
        scalarCombiner().combineRows(bytes, rowBytes, coefficients),
        `combinations of ${part}`,
      );
    }
    const indexes = [rows - 1, 0, dataRows, dataRows - 1, 0];
    const some = await held.read(indexes, { signal });
    for (const [at, index] of indexes.entries()) {
      const expected = all.subarray(index * rowBytes, (index + 1) * rowBytes);
      assertSameBytes(some[at] ?? new Uint8Array(0), expected, `row ${index}`);
    }
  } finally {
    held.release();
  }
  assertSameBytes(await codec.encode(data, shape, { signal }), parity, 'parity');
}
