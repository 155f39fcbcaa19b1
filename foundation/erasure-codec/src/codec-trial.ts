import type { RowSuite } from '@cairn/commitments/rows';
import { type Clock, equalBytes, seededRng } from '@cairn/primitives';
import type { RowCombiner } from './combination.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import { MemoryRows } from './memory-rows.ts';
import { COMBINATION_SYMBOLS } from './params.ts';
import { referenceCodec } from './reference-codec.ts';
import type { HeldRows, HoldingCodec, MatrixShape, RowCodec } from './row-codec.ts';

/** A codec that may hold rows. */
export type AnyCodec = RowCodec & Partial<Pick<HoldingCodec, 'suite' | 'hold'>>;

/** What encodes, hashes and combines with a codec. */
export interface TrialOptions {
  readonly suite: RowSuite;
  readonly combiner: RowCombiner;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where parity in memory goes. */
  readonly into?: Uint8Array | undefined;
}

const SELF_TEST_SHAPES = [
  { log2K: 6, dataRows: 64, cosets: 2, rows: 192, rowBytes: 192 },
  { log2K: 8, dataRows: 256, cosets: 3, rows: 1024, rowBytes: 64 },
  { log2K: 6, dataRows: 64, cosets: 1, rows: 128, rowBytes: 2112 }, // several chunks of a hash, the last short
] as const;
/** The rows of a blob of 1 MiB: some tens of milliseconds of one core. */
const CALIBRATION_SHAPE: MatrixShape = {
  log2K: 10,
  dataRows: 1024,
  cosets: 3,
  rows: 4096,
  rowBytes: 1024,
};
const CALIBRATION_RUNS = 3;
/** No further run is begun after so long. */
const CALIBRATION_MS = 500;

/** Rows held by the codec itself where it holds those of the suite, else in memory. */
export async function holdWith(
  codec: AnyCodec,
  data: Uint8Array,
  shape: MatrixShape,
  options: TrialOptions,
): Promise<HeldRows> {
  return codec.hold !== undefined && codec.suite === options.suite.id
    ? codec.hold(data, shape, { signal: options.signal, into: options.into })
    : MemoryRows.encode(data, shape, { ...options, codec });
}

/**
 * Compares a codec with the reference codec, the suite and the combiner in plain TypeScript.
 *
 * @returns what differed; `undefined` if nothing did
 * @throws what the codec throws
 */
export async function selfTest(
  codec: AnyCodec,
  options: TrialOptions,
): Promise<string | undefined> {
  const { suite, signal } = options;
  const reference = referenceCodec();
  for (const shape of SELF_TEST_SHAPES) {
    const rng = seededRng(shape.rows);
    const data = rng.fill(new Uint8Array(shape.dataRows * shape.rowBytes));
    const coefficients = rng.fill(new Uint8Array(shape.rowBytes * COMBINATION_SYMBOLS));
    const plain = { suite, combiner: scalarCombiner(), codec: reference, signal };
    const expected = await MemoryRows.encode(data, shape, plain);
    const what = `of ${shape.dataRows} rows and ${shape.cosets} cosets`;
    if (!equalBytes(await codec.encode(data, shape, { signal }), expected.parity)) {
      return `its parity ${what} is wrong`;
    }
    const rows = Array.from({ length: shape.dataRows }, (_, at) => {
      const index = (at * 7 + 11) % shape.rows; // 7 and the number of rows have no common factor
      return { index, bytes: expected.rowAt(index) };
    });
    if (!equalBytes(await codec.decode(rows, shape, { signal }), data)) {
      return `its decoding ${what} is wrong`;
    }
    const held = await holdWith(codec, data, shape, options);
    try {
      if (!equalBytes(held.leaves, expected.leaves)) return `its leaves ${what} are wrong`;
      for (const part of ['data', 'parity'] as const) {
        const actual = await held.combine(coefficients, part, { signal });
        if (!equalBytes(actual, await expected.combine(coefficients, part, { signal }))) {
          return `its combinations ${what} are wrong`;
        }
      }
      const [last = data] = await held.read([shape.rows - 1], { signal });
      if (!equalBytes(last, expected.rowAt(shape.rows - 1)))
        return `a row it held ${what} is wrong`;
    } finally {
      held.release();
    }
  }
  return undefined;
}

/**
 * How fast a codec encodes, hashes and combines, by the clock on the wall: 10^6 bytes of data a
 * second, the best of up to three runs of 1 MiB after one that warms it up.
 *
 * @throws what the codec throws
 */
export async function calibrate(codec: AnyCodec, options: TrialOptions): Promise<number> {
  const { clock, signal } = options;
  const { dataRows, rowBytes } = CALIBRATION_SHAPE;
  const rng = seededRng(1);
  const data = rng.fill(new Uint8Array(dataRows * rowBytes));
  const coefficients = rng.fill(new Uint8Array(rowBytes * COMBINATION_SYMBOLS));
  const started = clock.monotonic();
  let bestMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= CALIBRATION_RUNS; run += 1) {
    const from = clock.monotonic();
    const held = await holdWith(codec, data, CALIBRATION_SHAPE, options);
    await held.combine(coefficients, 'data', { signal });
    held.release();
    const ms = clock.monotonic() - from;
    if (run > 0 || ms > CALIBRATION_MS) bestMs = Math.min(bestMs, ms);
    if (clock.monotonic() - started > CALIBRATION_MS && bestMs < Number.POSITIVE_INFINITY) break;
  }
  return data.length / 1000 / Math.max(bestMs, 0.001);
}
