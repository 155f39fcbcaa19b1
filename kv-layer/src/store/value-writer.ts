import { HASH_BYTES, type Hasher } from '@cairn/commitments';
import { concatBytes, type FileStore, MAX_INLINE_VALUE_BYTES } from '@cairn/primitives';
import type { WriteHeader } from '../batch/parse-batch.ts';
import type { BatchSource } from '../batch/stream-batch.ts';
import { DIGEST_PIECE_BYTES, EMPTY_HASH, partDigests, piecesDigest } from '../tree/digests.ts';
import { ByteArena } from './byte-arena.ts';
import { makeRowRecord } from './row.ts';

/** Bytes that wait for one write to the value file. */
const FLUSH_BYTES = 4 * 1024 * 1024;

/**
 * Puts the values of committed entries where they stay: short ones into their rows, others one after
 * another into the value file. What it wrote counts only once a row names it.
 */
export class ValueWriter {
  readonly #file: FileStore;
  readonly #hasher: Hasher;
  readonly #arena = new ByteArena();
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

  /** Stored rows for the writes of an entry, in order. Long values pass by in pieces of 64 KiB. */
  async recordsOf(
    writes: readonly WriteHeader[],
    source: BatchSource,
    { version, signal }: { readonly version: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array[]> {
    const bytes: Uint8Array[] = [];
    const starts: number[] = [];
    const lengths: number[] = [];
    const positions: (number | undefined)[] = [];
    const long = new Map<number, Uint8Array>();
    for (const write of writes) {
      const { valueOffset, valueBytes } = write;
      positions.push(valueBytes > MAX_INLINE_VALUE_BYTES ? this.#end : undefined);
      if (valueBytes > DIGEST_PIECE_BYTES) {
        long.set(lengths.length, await this.#copy(source, write, signal));
        bytes.push(EMPTY_HASH);
        starts.push(0);
        lengths.push(0);
        continue;
      }
      const isHere = isInMemory(source, write);
      const from = isHere ? source.bytes : await bytesOf(source, valueOffset, valueBytes, signal);
      const start = isHere ? valueOffset : 0;
      if (valueBytes > MAX_INLINE_VALUE_BYTES) {
        await this.#put(from.subarray(start, start + valueBytes));
      }
      bytes.push(from);
      starts.push(start);
      lengths.push(valueBytes);
    }
    const digests = partDigests({ bytes, starts, lengths }, this.#hasher);
    for (const [index, digest] of long) digests.set(digest, index * HASH_BYTES);
    const records: Uint8Array[] = [];
    for (let index = 0; index < writes.length; index += 1) {
      const write = writes[index];
      if (write === undefined) continue;
      const parts = {
        version,
        valueOffset: write.valueOffset,
        valueBytes: write.valueBytes,
        inline: { bytes: bytes[index] ?? EMPTY_HASH, start: starts[index] ?? 0 },
        position: positions[index],
        digests,
        digestAt: index * HASH_BYTES,
      };
      records.push(makeRowRecord(parts, this.#arena));
    }
    return records;
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

/** Whether the bytes of a value are in memory: beyond the file's end lie zeros, which only `read` knows. */
function isInMemory(
  source: BatchSource,
  { valueOffset, valueBytes }: Pick<WriteHeader, 'valueOffset' | 'valueBytes'>,
): source is BatchSource & { readonly bytes: Uint8Array } {
  return source.bytes !== undefined && valueOffset + valueBytes <= source.bytes.length;
}

/** A copy of bytes of a file. */
async function bytesOf(
  source: BatchSource,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (length === 0) return new Uint8Array(0);
  return new Uint8Array(await source.read(offset, length, { signal }));
}
