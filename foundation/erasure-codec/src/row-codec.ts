import type { BlobLayout } from './layout.ts';

/** The shape of a matrix of rows: all that a code needs to know. */
export type MatrixShape = Pick<BlobLayout, 'log2K' | 'dataRows' | 'cosets' | 'rows' | 'rowBytes'>;

/** A row somebody has, with its place. */
export interface PlacedRow {
  /** 0 … rows − 1: data first, then the parity cosets one after another. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

/** Memory of a whole matrix: all zero at first, the caller's own. */
export interface MatrixMemory {
  /** `dataRows · rowBytes` bytes. */
  readonly data: Uint8Array;
  /** `cosets · dataRows · rowBytes` bytes. */
  readonly parity: Uint8Array;
}

/** How to encode. */
export interface EncodeOptions {
  readonly signal: AbortSignal;
  /**
   * Where the parity goes, `cosets · dataRows · rowBytes` bytes: memory that was used before costs
   * no page faults. None of it is of the data. It is what the call resolves to. Undefined if the call
   * fails.
   */
  readonly into?: Uint8Array | undefined;
}

/** How to decode. */
export interface DecodeOptions {
  readonly signal: AbortSignal;
  /**
   * Where the data rows go, `dataRows · rowBytes` bytes, none of them of the rows given. It is what
   * the call resolves to. Undefined if the call fails.
   */
  readonly into?: Uint8Array | undefined;
}

/**
 * Makes parity of data, and data of any K rows. Every implementation gives the same bytes.
 *
 * Column by column, row i is f(w_i) for a polynomial of degree below K over GF(2^16): any K rows
 * determine the others. Columns do not touch each other.
 */
export interface RowCodec {
  readonly name: 'reference' | 'wasm' | 'wasm-relaxed' | 'gpu';
  /**
   * The parity rows of data rows.
   *
   * @param data - `dataRows` rows one after another
   * @returns `cosets · dataRows` rows one after another, the caller's own
   * @throws {CodecError} ROW_LENGTH if the data or `into` does not fit the shape; the signal's reason
   */
  encode(data: Uint8Array, shape: MatrixShape, options: EncodeOptions): Promise<Uint8Array>;
  /**
   * The data rows of any `dataRows` rows with different places; further ones are not looked at.
   *
   * @returns `dataRows` rows one after another, the caller's own
   * @throws {CodecError} TOO_FEW_ROWS, ROW_INDEX, ROW_LENGTH; the signal's reason
   */
  decode(
    rows: readonly PlacedRow[],
    shape: MatrixShape,
    options: DecodeOptions,
  ): Promise<Uint8Array>;
  /**
   * Memory in which this codec encodes without copies, where there is such: `data` filled and
   * `parity` given as `into`. Absent where any memory does as well.
   *
   * @throws {CodecError} LAYOUT; {RangeError} if the engine has no more memory
   */
  newMatrix?(shape: MatrixShape): Promise<MatrixMemory>;
  /** Gives its memory, threads and device back. */
  close(): Promise<void>;
}

/** All rows of a matrix, kept where they were made: in memory, or on a device. */
export interface HeldRows {
  /** The BLAKE3 or SHA-256 leaf of each row, 32 bytes each, data first: what trees are built over. */
  readonly leaves: Uint8Array;
  /**
   * The combinations of the data rows or of all parity rows, as `RowCombiner` makes them.
   *
   * @param coefficients - 32 bytes for each column
   * @returns 32 bytes for each row, in order
   * @throws the signal's reason; DEVICE_LOST, DEVICE_FULL and QUEUE_FULL where a device holds them
   */
  combine(
    coefficients: Uint8Array,
    part: 'data' | 'parity',
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /**
   * The bytes of rows, in the order asked for. Rows in memory are views, not copies.
   *
   * @param indexes - 0 … rows − 1
   * @throws {CodecError} ROW_INDEX; the signal's reason; DEVICE_LOST, DEVICE_FULL and QUEUE_FULL
   *   where a device holds them
   */
  read(
    indexes: readonly number[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly Uint8Array[]>;
  /** Gives their memory back; nothing is asked of them afterwards. */
  release(): void;
}

/** A codec that hashes and combines as well, so that rows need not leave the place they are made. */
export interface HoldingCodec extends RowCodec {
  /** The suite whose leaves it makes. */
  readonly suite: number;
  /**
   * Encodes, hashes every row, and keeps all rows.
   *
   * @param data - `dataRows` rows one after another; they must not change before `release`: rows in
   *   memory are views of them, and rows of a device that is lost may be made of them again
   * @param options - `into` is used where the parity is held in memory, and stays in use until `release`
   * @throws {CodecError} ROW_LENGTH; DEVICE_LOST; DEVICE_FULL; QUEUE_FULL where too many wait for a
   *   device; the signal's reason
   */
  hold(data: Uint8Array, shape: MatrixShape, options: EncodeOptions): Promise<HeldRows>;
}
