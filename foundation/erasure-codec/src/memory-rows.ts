import type { RowSuite } from '@cairn/commitments/rows';
import { type Clock, systemClock } from '@cairn/primitives';
import type { RowCombiner } from './combination.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import { COMBINATION_BYTES } from './params.ts';
import { assertRowIndexes } from './row-choice.ts';
import type { HeldRows, MatrixShape, RowCodec } from './row-codec.ts';
import { HASH_BYTES } from './transcript.ts';

/** What encodes, hashes and combines rows in memory. */
export interface MemoryRowsOptions {
  readonly codec: Pick<RowCodec, 'encode'>;
  /** Where the parity goes: see `EncodeOptions`. It stays in use as long as the rows. */
  readonly into?: Uint8Array | undefined;
  readonly suite: RowSuite;
  /** The one in plain TypeScript unless told. */
  readonly combiner?: RowCombiner | undefined;
  /** Gives others their turn. */
  readonly clock?: Pick<Clock, 'sleep'> | undefined;
  readonly signal: AbortSignal;
}

/** Bytes of rows after which others get their turn: tens of milliseconds. */
const BYTES_PER_TURN = 2 ** 21;

/** Rows in this thread's memory: data as given, and the parity of a codec. */
export class MemoryRows implements HeldRows {
  /** The data rows, one after another. */
  readonly data: Uint8Array;
  /** The parity rows, coset after coset. */
  readonly parity: Uint8Array;
  readonly leaves: Uint8Array;
  readonly #rowBytes: number;
  readonly #combiner: RowCombiner;
  readonly #clock: Pick<Clock, 'sleep'>;

  private constructor(
    data: Uint8Array,
    parity: Uint8Array,
    leaves: Uint8Array,
    rowBytes: number,
    combiner: RowCombiner,
    clock: Pick<Clock, 'sleep'>,
  ) {
    this.data = data;
    this.parity = parity;
    this.leaves = leaves;
    this.#rowBytes = rowBytes;
    this.#combiner = combiner;
    this.#clock = clock;
  }

  /**
   * Encodes data rows and hashes all rows.
   *
   * @param data - `dataRows` rows one after another; kept, not copied
   * @throws {CodecError} ROW_LENGTH; the signal's reason
   */
  static async encode(
    data: Uint8Array,
    shape: MatrixShape,
    options: MemoryRowsOptions,
  ): Promise<MemoryRows> {
    const { codec, signal, into } = options;
    const parity = await codec.encode(data, shape, { signal, into });
    return MemoryRows.of({ data, parity }, shape, options);
  }

  /** Rows that are there already, whatever they hold. @throws the signal's reason */
  static async of(
    { data, parity }: Pick<MemoryRows, 'data' | 'parity'>,
    { dataRows, rows, rowBytes }: MatrixShape,
    {
      suite,
      combiner = scalarCombiner(),
      clock = systemClock(),
      signal,
    }: Omit<MemoryRowsOptions, 'codec' | 'into'>,
  ): Promise<MemoryRows> {
    const leaves = new Uint8Array(rows * HASH_BYTES);
    const hash = (some: Uint8Array): Uint8Array => suite.leaves(some, rowBytes);
    const turns = { clock, signal };
    await mapRows(data, rowBytes, leaves, hash, turns);
    await mapRows(parity, rowBytes, leaves.subarray(dataRows * HASH_BYTES), hash, turns);
    return new MemoryRows(data, parity, leaves, rowBytes, combiner, clock);
  }

  async combine(
    coefficients: Uint8Array,
    part: 'data' | 'parity',
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    const rows = this[part];
    const combinations = new Uint8Array((rows.length / this.#rowBytes) * COMBINATION_BYTES);
    const combine = (some: Uint8Array): Uint8Array =>
      this.#combiner.combineRows(some, this.#rowBytes, coefficients);
    await mapRows(rows, this.#rowBytes, combinations, combine, { clock: this.#clock, signal });
    return combinations;
  }

  async read(
    indexes: readonly number[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly Uint8Array[]> {
    signal.throwIfAborted();
    assertRowIndexes(indexes, this.leaves.length / HASH_BYTES);
    return indexes.map((index) => this.rowAt(index));
  }

  /** A view of a row. @param index - 0 … rows − 1 */
  rowAt(index: number): Uint8Array {
    const at = index * this.#rowBytes;
    const parityAt = at - this.data.length;
    return parityAt < 0
      ? this.data.subarray(at, at + this.#rowBytes)
      : this.parity.subarray(parityAt, parityAt + this.#rowBytes);
  }

  release(): void {
    // its memory goes with the last reference to it
  }
}

/** Writes to `results` what `map` makes of the rows, many at once; others get their turn between. */
async function mapRows(
  rows: Uint8Array,
  rowBytes: number,
  results: Uint8Array,
  map: (rows: Uint8Array) => Uint8Array,
  { clock, signal }: { readonly clock: Pick<Clock, 'sleep'>; readonly signal: AbortSignal },
): Promise<void> {
  const perTurn = Math.ceil(BYTES_PER_TURN / rowBytes) * rowBytes;
  let written = 0;
  for (let at = 0; at < rows.length; at += perTurn) {
    await clock.sleep(0, signal);
    const some = map(rows.subarray(at, at + perTurn));
    results.set(some, written);
    written += some.length;
  }
}
