import { crc32 } from 'node:zlib';
import { concatBytes, isRecord, MIB, parseJson, utf8Text, viewOf } from '@cairn/primitives';
import { StorageNodeError } from '../errors.ts';

/**
 * A snapshot is a magic and frames: kind u8, length u32, payload, CRC-32 u32 of all before it. The
 * last frame holds the totals and the SHA-256 of everything before it. Numbers are big-endian.
 *
 * | kind | payload |
 * |---|---|
 * | 1 head | JSON: layout, chain, shard, program |
 * | 2 entries | of the index: key length u32, value length u32, key, value, again and again |
 * | 3 piece | sector u64, record length u32, record, data |
 * | 4 end | JSON: pieces, pieceBytes, entries, sha256 |
 */
export const FRAME = { head: 1, entries: 2, piece: 3, end: 4 } as const;

/** `CAIRNSNP` and the version of this form, 1. */
export const SNAPSHOT_MAGIC: Uint8Array = Uint8Array.of(
  ...new TextEncoder().encode('CAIRNSNP'),
  0,
  1,
);

/** The longest payload: an entry of the index with the longest tags is far below it. */
export const MAX_FRAME_BYTES: number = 4 * MIB;

/** A frame as it was read. */
export interface Frame {
  readonly kind: number;
  readonly payload: Uint8Array;
  /** Where in the stream it begins. */
  readonly offset: number;
}

/** A frame as bytes. */
export function encodeFrame(kind: number, ...payload: readonly Uint8Array[]): Uint8Array {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  const head = new Uint8Array(5);
  viewOf(head).setUint8(0, kind);
  viewOf(head).setUint32(1, length);
  const body = concatBytes(head, ...payload);
  const sum = new Uint8Array(4);
  viewOf(sum).setUint32(0, crc32(body));
  return concatBytes(body, sum);
}

/**
 * Frames of a stream, each compared with its checksum; refused before memory is taken for more than
 * a frame may have.
 *
 * @param onBytes - told of everything of the stream that lies before the frame yielded next
 * @throws {StorageNodeError} SNAPSHOT_DAMAGED; what the stream throws
 */
export async function* readFrames(
  stream: AsyncIterable<Uint8Array>,
  onBytes: (bytes: Uint8Array) => void,
): AsyncGenerator<Frame, void, void> {
  const reader = new ByteReader(stream);
  const magic = await reader.take(SNAPSHOT_MAGIC.length);
  if (magic === undefined || Buffer.compare(magic, SNAPSHOT_MAGIC) !== 0) {
    throw damagedAt(0, 'it does not begin as a snapshot of this version does');
  }
  onBytes(magic);
  for (;;) {
    const { offset } = reader;
    const head = await reader.take(5);
    if (head === undefined) throw damagedAt(offset, 'it ends before its last frame');
    const length = viewOf(head).getUint32(1);
    if (length > MAX_FRAME_BYTES) throw damagedAt(offset, `a frame claims ${length} bytes`);
    const rest = await reader.take(length + 4);
    if (rest === undefined) throw damagedAt(offset, 'it ends within a frame');
    const sum = crc32(rest.subarray(0, length), crc32(head));
    if (viewOf(rest).getUint32(length) !== sum) throw damagedAt(offset, 'a checksum differs');
    const kind = head[0] ?? 0;
    yield { kind, payload: rest.subarray(0, length), offset };
    onBytes(head);
    onBytes(rest);
    if (kind !== FRAME.end) continue;
    if ((await reader.take(1)) !== undefined)
      throw damagedAt(reader.offset, 'bytes follow its end');
    return;
  }
}

/** The JSON of a frame. @throws {StorageNodeError} SNAPSHOT_DAMAGED */
export function frameJson({ payload, offset }: Frame): Readonly<Record<string, unknown>> {
  try {
    const value = parseJson(utf8Text(payload));
    if (isRecord(value)) return value;
  } catch {
    // told below, like any other value that is no record
  }
  throw damagedAt(offset, 'a frame is not the JSON it should be');
}

/** The fault for a snapshot that is not what was written. */
export function damagedAt(offset: number, what: string): StorageNodeError {
  return new StorageNodeError(
    { code: 'SNAPSHOT_DAMAGED', offset, what },
    `the snapshot is damaged at byte ${offset}: ${what}; nothing was restored`,
  );
}

/** Takes exact lengths from a stream; holds no more than one part of it besides. */
class ByteReader {
  readonly #parts: AsyncIterator<Uint8Array>;
  #held: Uint8Array = new Uint8Array(0);
  #offset = 0;

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#parts = stream[Symbol.asyncIterator]();
  }

  get offset(): number {
    return this.#offset;
  }

  /** The next `length` bytes; `undefined` where fewer are left. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    let needed = length;
    while (needed > 0) {
      if (this.#held.length === 0) {
        const { value, done } = await this.#parts.next();
        if (done === true) return undefined;
        this.#held = value;
      }
      const part = this.#held.subarray(0, needed);
      parts.push(part);
      this.#held = this.#held.subarray(part.length);
      needed -= part.length;
    }
    this.#offset += length;
    return concatBytes(...parts);
  }
}
