import type { Hasher } from '@cairn/commitments';
import { concatBytes, type FileStore, MAX_INLINE_VALUE_BYTES } from '@cairn/primitives';
import type { WriteHeader } from '../batch/parse-batch.ts';
import type { BatchSource } from '../batch/stream-batch.ts';
import { bytesDigests, DIGEST_PIECE_BYTES, EMPTY_HASH, piecesDigest } from '../tree/digests.ts';
import type { Row } from './row.ts';

/** Bytes that wait for one write to the value file. */
const FLUSH_BYTES = 4 * 1024 * 1024;

/**
 * Puts the values of committed entries where they stay: short ones into their rows, others one after
 * another into the value file. What it wrote counts only once a row names it.
 */
export class ValueWriter {
  readonly #file: FileStore;
  readonly #hasher: Hasher;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #end: number;
  #isWritten = false;

  /** @param end - where the next value goes */
  constructor(file: FileStore, hasher: Hasher, end: number) {
    this.#file = file;
    this.#hasher = hasher;
    this.#end = end;
  }

  /** Bytes of the value file in use. */
  get end(): number {
    return this.#end;
  }

  /** Rows for the writes of an entry, in order. Long values pass by in pieces of 64 KiB. */
  async rowsOf(
    writes: readonly WriteHeader[],
    source: BatchSource,
    { version, signal }: { readonly version: number; readonly signal: AbortSignal },
  ): Promise<Row[]> {
    const values: Uint8Array[] = [];
    const rows: { -readonly [Field in keyof Row]: Row[Field] }[] = [];
    for (const { valueOffset, valueBytes } of writes) {
      const isLong = valueBytes > DIGEST_PIECE_BYTES;
      const value = isLong
        ? EMPTY_HASH.subarray(0, 0)
        : await bytesOf(source, valueOffset, valueBytes, signal);
      const position = valueBytes > MAX_INLINE_VALUE_BYTES ? this.#end : undefined;
      const valueDigest = isLong
        ? await this.#copy(source, { valueOffset, valueBytes }, signal)
        : EMPTY_HASH;
      if (!isLong && position !== undefined) await this.#put(value);
      values.push(value);
      rows.push({
        version,
        valueOffset,
        valueBytes,
        valueDigest,
        ...(position === undefined ? { inline: value } : { position }),
      });
    }
    const digests = bytesDigests(values, this.#hasher);
    for (const [index, row] of rows.entries()) {
      // A copy: a part of all digests would keep them in memory.
      if (row.valueBytes <= DIGEST_PIECE_BYTES)
        row.valueDigest = (digests[index] ?? EMPTY_HASH).slice();
    }
    return rows;
  }

  /** Makes everything written durable. */
  async sync(): Promise<void> {
    await this.#flush();
    if (this.#isWritten) await this.#file.sync();
    this.#isWritten = false;
  }

  async #put(value: Uint8Array): Promise<void> {
    this.#waiting.push(value);
    this.#waitingBytes += value.length;
    this.#end += value.length;
    if (this.#waitingBytes >= FLUSH_BYTES) await this.#flush();
  }

  async #copy(
    source: BatchSource,
    { valueOffset, valueBytes }: Pick<WriteHeader, 'valueOffset' | 'valueBytes'>,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const put = (piece: Uint8Array): Promise<void> => this.#put(piece);
    return piecesDigest(
      (async function* () {
        for (let done = 0; done < valueBytes; done += DIGEST_PIECE_BYTES) {
          const length = Math.min(DIGEST_PIECE_BYTES, valueBytes - done);
          const piece = await bytesOf(source, valueOffset + done, length, signal);
          await put(piece);
          yield piece;
        }
      })(),
      this.#hasher,
    );
  }

  async #flush(): Promise<void> {
    if (this.#waitingBytes === 0) return;
    const bytes = concatBytes(...this.#waiting);
    await this.#file.write(this.#end - this.#waitingBytes, bytes);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#isWritten = true;
  }
}

/** A copy of bytes of a file in memory: rows outlive the batch that they came in. */
function bytesHere({ bytes }: BatchSource, offset: number, length: number): Uint8Array | undefined {
  // Beyond the file's end lie the zeros of its last sector: `read` knows them.
  if (bytes === undefined || offset + length > bytes.length) return undefined;
  return bytes.slice(offset, offset + length);
}

/** A copy of bytes of a file. */
async function bytesOf(
  source: BatchSource,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  const here = bytesHere(source, offset, length);
  return here ?? new Uint8Array(await source.read(offset, length, { signal }));
}
