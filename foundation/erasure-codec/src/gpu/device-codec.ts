import { Semaphore } from '@cairn/primitives';
import { assertShape } from '../assert-shape.ts';
import { CodecError } from '../errors.ts';
import { COMBINATION_SYMBOLS } from '../params.ts';
import { assertDataLength, assertRowIndexes, parityMemory } from '../row-choice.ts';
import type {
  DecodeOptions,
  EncodeOptions,
  HeldRows,
  HoldingCodec,
  MatrixShape,
  PlacedRow,
  RowCodec,
} from '../row-codec.ts';
import type { DeviceCall, RowDevice, RowMatrix } from './row-device.ts';

/** The longest row of any blob: combining it takes half a mebibyte of coefficients. */
const LARGEST_ROW_BYTES = 32_768;
/** Calls that may wait while one encodes. */
const MAX_WAITING = 64;

/** The codec over a device: what it is asked is checked here, and carried over in pieces. */
export class DeviceCodec implements HoldingCodec {
  readonly name = 'gpu';
  readonly suite = 0;
  readonly #device: RowDevice;
  readonly #decoder: Pick<RowCodec, 'decode'>;
  /** One matrix is made at a time: the device is busy with it, and its planes take memory. */
  readonly #turns = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });

  constructor(device: RowDevice, decoder: Pick<RowCodec, 'decode'>) {
    this.#device = device;
    this.#decoder = decoder;
  }

  async encode(data: Uint8Array, shape: MatrixShape, options: EncodeOptions): Promise<Uint8Array> {
    const { dataRows, rows, rowBytes } = shape;
    const call = { signal: options.signal };
    const parity = parityMemory(options.into, shape);
    return this.#make(data, shape, call, async (matrix) => {
      try {
        const indexes = Array.from({ length: rows - dataRows }, (_, index) => dataRows + index);
        let written = 0;
        for (const some of this.#batches(indexes, rowBytes)) {
          const piece = await matrix.read(some, call);
          parity.set(piece, written);
          written += piece.length;
        }
        return parity;
      } finally {
        matrix.release();
      }
    });
  }

  decode(
    rows: readonly PlacedRow[],
    shape: MatrixShape,
    options: DecodeOptions,
  ): Promise<Uint8Array> {
    return this.#decoder.decode(rows, shape, options);
  }

  async hold(data: Uint8Array, shape: MatrixShape, call: DeviceCall): Promise<HeldRows> {
    return this.#make(data, shape, call, async (matrix) => {
      const leaves = await matrix.leaves(call);
      return {
        leaves,
        combine: (coefficients, part, options) => {
          assertCoefficients(coefficients, shape);
          return matrix.combine(coefficients, part, options);
        },
        read: (indexes, options) => this.#read(matrix, indexes, shape, options),
        release: () => matrix.release(),
      };
    });
  }

  close(): Promise<void> {
    return this.#device.close();
  }

  /** Makes a matrix and hands it to `finish`, which gives it back or keeps it; a failure gives it back. */
  async #make<Result>(
    data: Uint8Array,
    shape: MatrixShape,
    call: DeviceCall,
    finish: (matrix: RowMatrix) => Promise<Result>,
  ): Promise<Result> {
    call.signal.throwIfAborted();
    assertShape(shape);
    assertRowBytes(shape);
    assertDataLength(data, shape);
    return this.#turns.run(async () => {
      const matrix = await this.#device.create(shape, call);
      try {
        const { pieceBytes } = this.#device;
        for (let at = 0; at < data.length; at += pieceBytes) {
          await matrix.write(at, data.subarray(at, at + pieceBytes), call);
        }
        await matrix.encode(call);
        return await finish(matrix);
      } catch (error) {
        matrix.release();
        throw error;
      }
    }, call.signal);
  }

  async #read(
    matrix: RowMatrix,
    indexes: readonly number[],
    { rows, rowBytes }: MatrixShape,
    call: DeviceCall,
  ): Promise<readonly Uint8Array[]> {
    assertRowIndexes(indexes, rows);
    const found: Uint8Array[] = [];
    for (const some of this.#batches(indexes, rowBytes)) {
      const piece = await matrix.read(some, call);
      for (let at = 0; at < piece.length; at += rowBytes) {
        found.push(piece.subarray(at, at + rowBytes));
      }
    }
    return found;
  }

  *#batches(indexes: readonly number[], rowBytes: number): Generator<readonly number[]> {
    const rows = Math.floor(this.#device.pieceBytes / rowBytes);
    for (let at = 0; at < indexes.length; at += rows) yield indexes.slice(at, at + rows);
  }
}

function assertRowBytes({ rowBytes }: MatrixShape): void {
  if (rowBytes <= LARGEST_ROW_BYTES) return;
  throw new CodecError(
    { code: 'LAYOUT', field: 'rowBytes', actual: rowBytes },
    `rows on a device have up to ${LARGEST_ROW_BYTES} bytes, not ${rowBytes}`,
  );
}

function assertCoefficients(coefficients: Uint8Array, { rowBytes }: MatrixShape): void {
  const expected = rowBytes * COMBINATION_SYMBOLS;
  if (coefficients.length === expected) return;
  throw new RangeError(
    `coefficients of such rows have ${expected} bytes, not ${coefficients.length}`,
  );
}
