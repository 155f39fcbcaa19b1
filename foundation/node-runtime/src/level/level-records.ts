import { type Checksum, CRC_POLYNOMIAL, createCrc32, viewOf } from '@cairn/primitives';

/** LevelDB's logs are cut into blocks of so many bytes; no record begins in the last six of one. */
const LOG_BLOCK_BYTES = 32_768;
const RECORD_HEAD_BYTES = 7;
const FULL = 1;
const FIRST = 2;
const LAST = 4;
/** LevelDB stores checksums turned and shifted by this, so that one over bytes with checksums is none. */
const MASK_DELTA = 0xa282ead8;

/** Castagnoli's checksum as LevelDB stores it. */
export function levelChecksum(): Checksum {
  const crc = createCrc32(CRC_POLYNOMIAL.castagnoli);
  return (bytes) => {
    const sum = crc(bytes);
    return (((sum >>> 15) | (sum << 17)) + MASK_DELTA) >>> 0;
  };
}

/** What a log holds. */
export interface LevelLog {
  /** Its whole records, those after a damaged one too, as LevelDB reads them. */
  readonly records: readonly Uint8Array[];
  /** Whether the last record is cut short, as a crash leaves it while it is written. */
  readonly isTorn: boolean;
  /** Where the first record is that is not what LevelDB wrote; the rest of its block is not read. */
  readonly damagedAt: number | undefined;
}

/** Reads a log file of LevelDB, a write-ahead log or a manifest, as LevelDB does. */
export function readLevelLog(bytes: Uint8Array, checksum: Checksum): LevelLog {
  const records: Uint8Array[] = [];
  const view = viewOf(bytes);
  let parts: Uint8Array[] = [];
  let damagedAt: number | undefined;
  const isCut = (at: number, leftInBlock: number): boolean =>
    at + RECORD_HEAD_BYTES > bytes.length ||
    (at + leftInBlock > bytes.length &&
      at + RECORD_HEAD_BYTES + view.getUint16(at + 4, true) > bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const leftInBlock = LOG_BLOCK_BYTES - (at % LOG_BLOCK_BYTES);
    if (leftInBlock < RECORD_HEAD_BYTES) {
      at += leftInBlock;
      continue;
    }
    if (isCut(at, leftInBlock)) return { records, isTorn: true, damagedAt };
    const end = at + RECORD_HEAD_BYTES + view.getUint16(at + 4, true);
    const type = bytes[at + 6] ?? 0;
    const isSound =
      end <= at + leftInBlock &&
      type >= FULL &&
      type <= LAST &&
      checksum(bytes.subarray(at + 6, end)) === view.getUint32(at, true);
    if (!isSound) {
      damagedAt ??= at;
      parts = [];
      at += leftInBlock;
      continue;
    }
    const isFirst = type === FULL || type === FIRST;
    if (isFirst) parts = [];
    if (isFirst || parts.length > 0) parts.push(bytes.subarray(at + RECORD_HEAD_BYTES, end));
    else damagedAt ??= at; // what it goes on with is not there
    if (parts.length > 0 && (type === FULL || type === LAST)) {
      records.push(joined(parts));
      parts = [];
    }
    at = end;
  }
  return { records, isTorn: parts.length > 0, damagedAt };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads the numbers and strings that LevelDB's records are made of. Every read checks that the bytes are there. */
export class LevelBytes {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A number in groups of seven bits, lowest first. @throws {RangeError} beyond 2^53 or the end */
  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 56; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 && Number.isSafeInteger(value)) return value;
    }
    throw new RangeError(`no number at byte ${this.#at} of ${this.#bytes.length}`);
  }

  /** @throws {RangeError} beyond the end */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw new RangeError(`${length} bytes at byte ${this.#at} of ${this.#bytes.length}`);
    }
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** Bytes with their length before them. @throws {RangeError} beyond the end */
  string(): Uint8Array {
    return this.take(this.varint());
  }
}
