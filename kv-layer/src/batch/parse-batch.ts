import {
  BATCH_VERSION_BYTES,
  MAX_BATCH_ITEMS,
  parseAddress,
  STREAM_ID_BYTES,
  toHex,
  viewOf,
} from '@cairn/primitives';
import { BatchError, type BatchSection } from '../errors.ts';
import { type StreamId, streamIdOf } from '../stream-id.ts';
import { accessOpShape, isAccessOp } from './access-op.ts';
import {
  type AccessControl,
  type BatchSource,
  readableBytes,
  type StreamBatch,
  type StreamKey,
  type StreamWrite,
} from './stream-batch.ts';

/** What makes a batch unreadable, as result strings tell it apart. */
export type ParseFault = 'invalid' | 'list too long';

/** A write as its header states it: the value lies in the batch's file. */
export interface WriteHeader extends StreamKey {
  /** First byte of the value in the file. */
  readonly valueOffset: number;
  readonly valueBytes: number;
  /** `keyText` of the key once somebody needed it. */
  text?: string | undefined;
}

/**
 * A batch as far as it can be read. Sections after `fault`'s are empty: replay judges each section
 * before it looks at the next, so what is wrong later may be masked by what is wrong earlier.
 */
export interface ParsedBatch {
  readonly version: bigint;
  readonly reads: readonly StreamKey[];
  readonly writes: readonly WriteHeader[];
  readonly controls: readonly AccessControl[];
  readonly fault?: { readonly section: BatchSection; readonly reason: ParseFault };
  /** Where reading ended. */
  readonly endOffset: number;
}

/** The first look into a file; doubled until the headers fit. */
const FIRST_WINDOW_BYTES = 65_536;

/**
 * Reads a batch as every node must: zeros up to the end of the last sector count as data, and what
 * follows the last control is ignored. Values are not read. Memory grows with the headers, not with
 * the values.
 *
 * @throws what the source throws; never for what the file holds
 */
export async function parseBatch(
  source: BatchSource,
  { signal }: { readonly signal: AbortSignal },
): Promise<ParsedBatch> {
  const { bytes, readableBytes } = source;
  if (bytes !== undefined) return parseBatchBytes(bytes, readableBytes);
  let head: Head | 'short' = 'short';
  for (let window = FIRST_WINDOW_BYTES; head === 'short'; window *= 2) {
    const length = Math.min(window, readableBytes);
    head = parseHead(await source.read(0, length, { signal }), readableBytes);
  }
  if (head.fault !== undefined) return { ...head, controls: [] };
  let tail: Tail | 'short' = 'short';
  for (let window = FIRST_WINDOW_BYTES; tail === 'short'; window *= 2) {
    const length = Math.min(window, readableBytes - head.endOffset);
    const part = await source.read(head.endOffset, length, { signal });
    tail = parseControls(part, head.endOffset, readableBytes);
  }
  return { ...head, ...tail };
}

/**
 * Whether the first bytes of a file show that its batch cannot be read, whatever follows: what every node
 * gives as its result is decided then, and the rest of the file is not needed.
 *
 * @param head - from the file's first byte on, values among them
 * @param sizeBytes - of the whole file
 */
export function isRefusedByHead(head: Uint8Array, sizeBytes: number): boolean {
  const readable = readableBytes(sizeBytes);
  const parsed = parseHead(head.subarray(0, readable), readable);
  return parsed !== 'short' && parsed.fault !== undefined;
}

/**
 * `parseBatch` of a file in memory.
 *
 * @param readable - bytes that count as data; those beyond `bytes` are zero
 */
export function parseBatchBytes(bytes: Uint8Array, readable: number): ParsedBatch {
  let padded = bytes;
  if (readable > bytes.length) {
    padded = new Uint8Array(readable);
    padded.set(bytes);
  }
  const head = requireWhole(parseHead(padded, readable));
  if (head.fault !== undefined) return { ...head, controls: [] };
  const rest = padded.subarray(head.endOffset);
  return { ...head, ...requireWhole(parseControls(rest, head.endOffset, readable)) };
}

/**
 * Reads a batch as a client wrote it: exactly these bytes, no padding, nothing behind.
 *
 * @throws {BatchError} KV_BATCH_MALFORMED with the section and how far it was read
 */
export function decodeBatch(bytes: Uint8Array): StreamBatch {
  const { version, reads, writes, controls, fault, endOffset } = parseBatchBytes(
    bytes,
    bytes.length,
  );
  const section = fault?.section ?? (endOffset === bytes.length ? undefined : 'end');
  if (section !== undefined) {
    throw new BatchError(
      { code: 'KV_BATCH_MALFORMED', section, offset: endOffset },
      section === 'end'
        ? `a batch of ${endOffset} bytes is followed by ${bytes.length - endOffset} more`
        : `the batch cannot be read past byte ${endOffset} of ${bytes.length}: its ${section} are ${
            fault?.reason === 'invalid' ? 'cut off or malformed' : 'too many'
          }`,
    );
  }
  const withValue = ({ stream, key, valueOffset, valueBytes }: WriteHeader): StreamWrite => ({
    stream,
    key,
    value: bytes.subarray(valueOffset, valueOffset + valueBytes),
  });
  return { version, reads, writes: writes.map(withValue), controls };
}

type Head = Omit<ParsedBatch, 'controls'>;
type Tail = Pick<ParsedBatch, 'controls' | 'fault' | 'endOffset'>;

/** Everything before the controls, from the first bytes of a file; `short` if it needs more of them. */
function parseHead(bytes: Uint8Array, readable: number): Head | 'short' {
  const cursor = new Cursor(bytes, 0, readable);
  const reads: StreamKey[] = [];
  const writes: WriteHeader[] = [];
  const version = cursor.u64();
  let section: BatchSection = 'version';
  const done = (reason?: ParseFault): Head | 'short' => {
    if (cursor.isShort) return 'short';
    const fault = reason === undefined ? {} : { fault: { section, reason } };
    return { version: version ?? 0n, reads, writes, endOffset: cursor.offset, ...fault };
  };
  if (version === undefined) return done('invalid');
  section = 'reads';
  const readCount = cursor.u32();
  if (readCount === undefined) return done('invalid');
  if (readCount > MAX_BATCH_ITEMS) return done('list too long');
  for (let index = 0; index < readCount; index += 1) {
    const read = cursor.streamKey();
    if (read === undefined) return done('invalid');
    reads.push(read);
  }
  section = 'writes';
  const writeCount = cursor.u32();
  if (writeCount === undefined) return done('invalid');
  if (writeCount > MAX_BATCH_ITEMS) return done('list too long');
  const keys: StreamKey[] = [];
  const lengths: number[] = [];
  for (let index = 0; index < writeCount; index += 1) {
    const key = cursor.streamKey();
    const valueBytes = key === undefined ? undefined : cursor.length();
    if (key === undefined || valueBytes === undefined) return done('invalid');
    keys.push(key);
    lengths.push(valueBytes);
  }
  section = 'values';
  // Lengths are 64 bits of whoever wrote them: checked one by one, never summed past the end.
  let end = cursor.offset;
  for (let index = 0; index < keys.length; index += 1) {
    const [name, valueBytes] = [keys[index], lengths[index]];
    if (name === undefined || valueBytes === undefined) continue;
    const { stream, key } = name;
    if (valueBytes > readable - end) return done('invalid');
    writes.push({ stream, key, valueOffset: end, valueBytes, text: undefined });
    end += valueBytes;
  }
  return { version, reads, writes, endOffset: end };
}

/** The controls, from the bytes at `start` of a file; `short` if it needs more of them. */
function parseControls(bytes: Uint8Array, start: number, readable: number): Tail | 'short' {
  const cursor = new Cursor(bytes, start, readable);
  const controls: AccessControl[] = [];
  const fail = (reason: ParseFault): Tail | 'short' =>
    cursor.isShort
      ? 'short'
      : { controls, endOffset: cursor.offset, fault: { section: 'controls', reason } };
  const count = cursor.u32();
  if (count === undefined) return fail('invalid');
  if (count > MAX_BATCH_ITEMS) return fail('list too long');
  for (let index = 0; index < count; index += 1) {
    const control = cursor.control();
    if (control === undefined) return fail('invalid');
    controls.push(control);
  }
  return { controls, endOffset: cursor.offset };
}

function requireWhole<Part>(part: Part | 'short'): Part {
  if (part === 'short') throw new RangeError('a whole file was given, and parsing asks for more');
  return part;
}

/**
 * Reads fields from a window of a file. A field that ends beyond what is readable is `undefined`;
 * one that ends beyond the window only, too, and `isShort` tells.
 */
class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #readable: number;
  #at = 0;
  /** Whether a field lay beyond the window, yet within the file. */
  isShort = false;
  #streamAt = 0;
  #stream: StreamId | undefined;

  constructor(bytes: Uint8Array, start: number, readable: number) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#start = start;
    this.#readable = readable;
  }

  /** Bytes of the file read so far. */
  get offset(): number {
    return this.#start + this.#at;
  }

  u32(): number | undefined {
    if (!this.#has(4)) return undefined;
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4);
  }

  u64(): bigint | undefined {
    if (!this.#has(BATCH_VERSION_BYTES)) return undefined;
    this.#at += 8;
    return this.#view.getBigUint64(this.#at - 8);
  }

  /** A length of 64 bits; infinite where a number would lose digits. */
  length(): number | undefined {
    if (!this.#has(8)) return undefined;
    this.#at += 8;
    const high = this.#view.getUint32(this.#at - 8);
    const low = this.#view.getUint32(this.#at - 4);
    return high >= 2 ** 21 ? Number.POSITIVE_INFINITY : high * 2 ** 32 + low;
  }

  streamKey(): StreamKey | undefined {
    const stream = this.#streamId();
    const key = stream === undefined ? undefined : this.#key();
    return stream === undefined || key === undefined ? undefined : { stream, key };
  }

  control(): AccessControl | undefined {
    if (!this.#has(1)) return undefined;
    const op = this.#bytes[this.#at] ?? 0;
    if (!isAccessOp(op)) return undefined;
    this.#at += 1;
    const { hasKey, hasAccount } = accessOpShape(op);
    const stream = this.#streamId();
    if (stream === undefined) return undefined;
    const key = hasKey ? this.#key() : undefined;
    if (hasKey && key === undefined) return undefined;
    const account = hasAccount ? this.#take(20) : undefined;
    if (hasAccount && account === undefined) return undefined;
    return {
      op,
      stream,
      ...(key === undefined ? {} : { key }),
      ...(account === undefined ? {} : { account: parseAddress(toHex(account)) }),
    };
  }

  #key(): Uint8Array | undefined {
    if (!this.#has(3)) return undefined;
    const length = ((this.#bytes[this.#at] ?? 0) << 16) | this.#view.getUint16(this.#at + 1);
    if (length === 0) return undefined;
    this.#at += 3;
    return this.#take(length);
  }

  /** Batches name one stream over and over: its text is made once. */
  #streamId(): StreamId | undefined {
    if (!this.#has(STREAM_ID_BYTES)) return undefined;
    const start = this.#at;
    this.#at += STREAM_ID_BYTES;
    if (this.#stream === undefined || !this.#isSameStream(start)) {
      const bytes = this.#bytes.subarray(start, this.#at);
      this.#stream = streamIdOf(bytes);
      this.#streamAt = start;
    }
    return this.#stream;
  }

  /** Whether the id at an offset is the one read last. */
  #isSameStream(start: number): boolean {
    const bytes = this.#bytes;
    for (let at = 0; at < STREAM_ID_BYTES; at += 1) {
      if (bytes[start + at] !== bytes[this.#streamAt + at]) return false;
    }
    return true;
  }

  #take(count: number): Uint8Array | undefined {
    if (!this.#has(count)) return undefined;
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #has(count: number): boolean {
    if (this.offset + count > this.#readable) return false;
    if (this.#at + count <= this.#bytes.length) return true;
    this.isShort = true;
    return false;
  }
}
