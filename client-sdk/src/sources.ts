import { type FileSource, memoryFileSource } from '@cairn/log-layer';
import { SEGMENT_BYTES } from '@cairn/primitives';
import type { ByteRange, FileInput } from './client.ts';
import { SdkError } from './errors.ts';

/** A range cut at the end of the file. @throws {SdkError} SDK_RANGE if it begins after the end */
export function resolveRange(
  sizeBytes: number,
  range: ByteRange | undefined,
): { readonly start: number; readonly end: number } {
  const start = range?.offset ?? 0;
  const length = range?.length ?? Math.max(0, sizeBytes - start);
  const isWhole = Number.isSafeInteger(start) && Number.isSafeInteger(length);
  if (!isWhole || start < 0 || length < 0 || start > sizeBytes) {
    throw new SdkError(
      { code: 'SDK_RANGE', offset: start, length, sizeBytes },
      `${length} bytes from byte ${start} are not part of a file of ${sizeBytes} bytes`,
    );
  }
  return { start, end: Math.min(sizeBytes, start + length) };
}

/** A `Blob` or `File` of the browser, read a segment at a time. */
export function blobSource(blob: Blob): FileSource {
  const read = async (offset: number, length: number): Promise<Uint8Array> =>
    new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
  return { sizeBytes: blob.size, read, stream: streamOfReads(blob.size, read) };
}

/** A source's stream made of its positioned reads, one at a time. */
export function streamOfReads(
  sizeBytes: number,
  read: (
    offset: number,
    length: number,
    options: { readonly signal: AbortSignal },
  ) => Promise<Uint8Array>,
): FileSource['stream'] {
  return async function* stream({ signal }, range) {
    const { start, end } = resolveRange(sizeBytes, range);
    for (let at = start; at < end; at += SEGMENT_BYTES) {
      signal.throwIfAborted();
      yield await read(at, Math.min(SEGMENT_BYTES, end - at), { signal });
    }
  };
}

/** Sources read one after another as one. */
export function joinSources(parts: readonly FileSource[]): FileSource {
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const source: FileSource = {
    sizeBytes,
    read: (offset, length, options) => readFromStream(source, offset, length, options),
    async *stream(options, range) {
      const { start, end } = resolveRange(sizeBytes, range);
      let position = 0;
      for (const part of parts) {
        const from = Math.max(0, start - position);
        const to = Math.min(part.sizeBytes, end - position);
        position += part.sizeBytes;
        if (from < to) yield* part.stream(options, { offset: from, length: to - from });
      }
    },
  };
  return source;
}

/** Exactly `length` bytes from `offset` of a source that is best read as a stream. */
export async function readFromStream(
  source: Pick<FileSource, 'stream'>,
  offset: number,
  length: number,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  return collectBytes(source.stream({ signal }, { offset, length }), length);
}

/** All of a stream that is known to have `length` bytes; one piece is not copied. */
export async function collectBytes(
  stream: AsyncIterable<Uint8Array>,
  length: number,
): Promise<Uint8Array> {
  let whole: Uint8Array | undefined;
  let filled = 0;
  for await (const piece of stream) {
    if (filled + piece.length > length) {
      const actual = `at least ${filled + piece.length} bytes`;
      throw sourceChanged(`${length} bytes`, actual);
    }
    if (piece.length === length) return piece;
    whole ??= new Uint8Array(length);
    whole.set(piece, filled);
    filled += piece.length;
  }
  if (filled !== length) throw sourceChanged(`${length} bytes`, `${filled} bytes`);
  return whole ?? new Uint8Array(0);
}

function sourceChanged(expected: string, actual: string): SdkError {
  return new SdkError(
    { code: 'SDK_SOURCE_CHANGED', expected, actual },
    `a source that should give ${expected} gave ${actual}`,
  );
}

/** Whatever can be stored, as a source. */
export function sourceOf(input: FileInput): FileSource {
  if (input instanceof Uint8Array) return memoryFileSource(input);
  if (input instanceof Blob) return blobSource(input);
  return input;
}
