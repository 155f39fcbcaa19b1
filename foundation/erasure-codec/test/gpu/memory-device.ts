import { plainBlake3Suite } from '@cairn/commitments/rows';
import type { RowDevice, RowMatrix } from '../../src/gpu/row-device.ts';
import { scalarCombiner } from '../../src/kernels/scalar-combiner.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
import type { MatrixShape } from '../../src/row-codec.ts';

/** A device whose matrices lie in memory; it counts those that were not given back. */
export class MemoryDevice implements RowDevice {
  readonly pieceBytes: number;
  held = 0;
  isClosed = false;
  /** Called before a matrix is encoded: to wait, or to fail. */
  beforeEncode: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  constructor(pieceBytes: number) {
    this.pieceBytes = pieceBytes;
  }

  create(shape: MatrixShape): Promise<RowMatrix> {
    this.held += 1;
    const { dataRows, rows, rowBytes } = shape;
    const all = new Uint8Array(rows * rowBytes);
    const split = dataRows * rowBytes;
    return Promise.resolve({
      write: (at, piece) => {
        all.set(piece, at);
        return Promise.resolve();
      },
      encode: async (call) => {
        await this.beforeEncode(call.signal);
        all.set(await referenceCodec().encode(all.subarray(0, split), shape, call), split);
      },
      leaves: () => Promise.resolve(plainBlake3Suite.leaves(all, rowBytes)),
      combine: (coefficients, part) => {
        const some = part === 'data' ? all.subarray(0, split) : all.subarray(split);
        return Promise.resolve(scalarCombiner().combineRows(some, rowBytes, coefficients));
      },
      read: (indexes) => {
        const found = new Uint8Array(indexes.length * rowBytes);
        for (const [at, index] of indexes.entries()) {
          found.set(all.subarray(index * rowBytes, (index + 1) * rowBytes), at * rowBytes);
        }
        return Promise.resolve(found);
      },
      release: () => {
        this.held -= 1;
      },
    });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
