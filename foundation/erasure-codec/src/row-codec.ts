import type { BlobLayout } from './layout.ts';

/** The shape of a matrix of rows: all that a code needs to know. */
export type MatrixShape = Pick<BlobLayout, 'log2K' | 'dataRows' | 'cosets' | 'rows' | 'rowBytes'>;

/** A row somebody has, with its place. */
export interface PlacedRow {
  /** 0 … rows − 1: data first, then the parity cosets one after another. */
  readonly index: number;
  readonly bytes: Uint8Array;
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
   * @throws {CodecError} ROW_LENGTH if the data does not fit the shape; the signal's reason
   */
  encode(
    data: Uint8Array,
    shape: MatrixShape,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /**
   * The data rows of any `dataRows` rows with different places; further ones are not looked at.
   *
   * @returns `dataRows` rows one after another, the caller's own
   * @throws {CodecError} TOO_FEW_ROWS, ROW_INDEX, ROW_LENGTH; the signal's reason
   */
  decode(
    rows: readonly PlacedRow[],
    shape: MatrixShape,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /** Gives its memory, threads and device back. */
  close(): Promise<void>;
}
