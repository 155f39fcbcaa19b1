import { SEGMENT_BYTES } from '@cairn/primitives';

/** A part of a file: bytes from `offset` on. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** The bytes of a file, wherever they are: on disk, in a browser's blob, in memory. */
export interface FileSource {
  readonly sizeBytes: number;
  /**
   * Exactly `length` bytes from `offset`.
   *
   * @throws {RangeError} beyond the end; what the medium throws; the signal's reason
   */
  read(
    offset: number,
    length: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /** The bytes in order, in pieces of any size, of the whole file or of `range`. */
  stream(options: StreamOptions, range?: ByteRange): AsyncIterable<Uint8Array>;
}

/** How a file is streamed. */
export interface StreamOptions {
  readonly signal: AbortSignal;
  /**
   * Whether a piece's memory may be used again once the next piece is asked for; false unless told.
   * For readers that have copied, hashed or written a piece by then: it saves an array for each.
   */
  readonly reuse?: boolean;
}

/** A file that is in memory already. Pieces share its memory. */
export function memoryFileSource(bytes: Uint8Array): FileSource {
  return {
    sizeBytes: bytes.length,
    async read(offset, length, { signal }) {
      signal.throwIfAborted();
      assertRange({ offset, length }, bytes.length);
      return bytes.subarray(offset, offset + length);
    },
    async *stream({ signal }, range = { offset: 0, length: bytes.length }) {
      assertRange(range, bytes.length);
      const end = range.offset + range.length;
      for (let at = range.offset; at < end; at += SEGMENT_BYTES) {
        signal.throwIfAborted();
        yield bytes.subarray(at, Math.min(end, at + SEGMENT_BYTES));
      }
    },
  };
}

/** A part of a file as a file of its own: what a fragment is. @throws {RangeError} beyond the end */
export function sliceSource(source: FileSource, offset: number, length: number): FileSource {
  assertRange({ offset, length }, source.sizeBytes);
  return {
    sizeBytes: length,
    read: async (at, count, options) => {
      assertRange({ offset: at, length: count }, length);
      return source.read(offset + at, count, options);
    },
    stream: (options, range = { offset: 0, length }) => {
      assertRange(range, length);
      return source.stream(options, { offset: offset + range.offset, length: range.length });
    },
  };
}

/** @throws {RangeError} unless the range lies within `sizeBytes` */
export function assertRange({ offset, length }: ByteRange, sizeBytes: number): void {
  const isRange =
    Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!isRange || offset + length > sizeBytes) {
    throw new RangeError(`bytes ${offset} + ${length} are not within a file of ${sizeBytes} bytes`);
  }
}
