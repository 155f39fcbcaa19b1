import type { MatrixShape } from '../row-codec.ts';

/** Ends work between two steps of a device. */
export interface DeviceCall {
  readonly signal: AbortSignal;
}

/** What makes matrices of rows and keeps them: a GPU here, or one in another process. */
export interface RowDevice {
  /** Most bytes that one `write` takes, or one `read` gives: at least a row. */
  readonly pieceBytes: number;
  /**
   * An empty matrix.
   *
   * @param shape - checked by the caller: what this package's codecs take, rows up to 32 KiB
   * @throws {CodecError} DEVICE_LOST; DEVICE_FULL
   */
  create(shape: MatrixShape, call: DeviceCall): Promise<RowMatrix>;
  /** Gives the device back, and all matrices with it. */
  close(): Promise<void>;
}

/**
 * A matrix on a device. Data is written, then encoded; then the rest may be asked for, also several
 * things at once. All throw the signal's reason, and CodecError DEVICE_LOST or
 * DEVICE_FULL.
 */
export interface RowMatrix {
  /** Writes into the data rows from byte `at`, a multiple of 4; the piece's length is one too. */
  write(at: number, piece: Uint8Array, call: DeviceCall): Promise<void>;
  /** Makes all parity rows. */
  encode(call: DeviceCall): Promise<void>;
  /** 32 bytes for each row, data first. */
  leaves(call: DeviceCall): Promise<Uint8Array>;
  /** 32 bytes for each data row, or for each parity row. */
  combine(coefficients: Uint8Array, part: 'data' | 'parity', call: DeviceCall): Promise<Uint8Array>;
  /** The rows with these indexes, one after another; not more than `pieceBytes` in all. */
  read(indexes: readonly number[], call: DeviceCall): Promise<Uint8Array>;
  /** Gives the memory back once nothing is under way. */
  release(): void;
}
