import { type Checksum, viewOf } from '@cairn/primitives';
import { LevelBytes } from './level-records.ts';

/** The end of a table: places of two blocks, padded, and a number that says what the file is. */
const FOOTER_BYTES = 48;
const MAGIC = 0xdb4775248b80fb57n;
const PLAIN = 0;
const SNAPPY = 1;
/** An index block is of one table of some 2 MiB, so far smaller. */
const MAX_INDEX_BYTES: number = 64 * 1024 * 1024;

interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * Checks every block of a table against its checksum: the keys and values, the index of them, the filter.
 *
 * @returns what is wrong, as the end of a sentence; `undefined` if nothing is
 */
export function faultOfTable(bytes: Uint8Array, checksum: Checksum): string | undefined {
  if (bytes.length < FOOTER_BYTES) return `has ${bytes.length} bytes, less than the end of a table`;
  const view = viewOf(bytes);
  if (view.getBigUint64(bytes.length - 8, true) !== MAGIC) return 'does not end as a table does';
  const block = ({ offset, length }: Place): Uint8Array => {
    const end = offset + length + 1;
    if (end + 4 > bytes.length - FOOTER_BYTES) throw new RangeError(`a block ends at ${end}`);
    if (checksum(bytes.subarray(offset, end)) !== view.getUint32(end, true)) {
      throw new RangeError(`the block of ${length} bytes at ${offset} has another checksum`);
    }
    return bytes.subarray(offset, end);
  };
  try {
    const footer = new LevelBytes(bytes.subarray(bytes.length - FOOTER_BYTES));
    const placeOf = (from: LevelBytes): Place => ({ offset: from.varint(), length: from.varint() });
    const lists = [placeOf(footer), placeOf(footer)];
    for (const list of lists) {
      for (const value of valuesOf(unpacked(block(list)))) block(placeOf(new LevelBytes(value)));
    }
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return `is damaged: ${error.message}`;
    throw error;
  }
}

/** The values of a block's entries, whose keys share what they begin with. @throws {RangeError} */
function valuesOf(block: Uint8Array): Uint8Array[] {
  if (block.length < 4) throw new RangeError(`an index of ${block.length} bytes`);
  const restarts = viewOf(block).getUint32(block.length - 4, true);
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) throw new RangeError(`an index with ${restarts} places to begin at`);
  const from = new LevelBytes(block.subarray(0, end));
  const values: Uint8Array[] = [];
  while (!from.isAtEnd) {
    from.varint(); // bytes shared with the key before
    const [rest, length] = [from.varint(), from.varint()];
    from.take(rest);
    values.push(from.take(length));
  }
  return values;
}

/** A block as it was before it was packed. @throws {RangeError} */
function unpacked(packed: Uint8Array): Uint8Array {
  const content = packed.subarray(0, -1);
  const kind = packed.at(-1);
  if (kind === PLAIN) return content;
  if (kind === SNAPPY) return unpackSnappy(content);
  throw new RangeError(`a block is packed in a way ${kind} that this build does not know`);
}

/**
 * Undoes Snappy: the length, then pieces that are given or copied from what came before.
 *
 * @throws {RangeError} for what Snappy did not make
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
export function unpackSnappy(packed: Uint8Array): Uint8Array {
  const from = new LevelBytes(packed);
  const length = from.varint();
  if (length > MAX_INDEX_BYTES) throw new RangeError(`a packed block of ${length} bytes`);
  const bytes = new Uint8Array(length);
  const number = (count: number): number =>
    from.take(count).reduceRight((value, byte) => value * 256 + byte, 0);
  let at = 0;
  while (!from.isAtEnd) {
    const tag = number(1);
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >>> 2;
      const piece = from.take(short < 60 ? short + 1 : number(short - 59) + 1);
      if (at + piece.length > length) throw new RangeError('a packed block is too long');
      bytes.set(piece, at);
      at += piece.length;
      continue;
    }
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const back = kind === 1 ? (tag >>> 5) * 256 + number(1) : number(kind === 2 ? 2 : 4);
    if (back === 0 || back > at || at + count > length) {
      throw new RangeError(`a packed block goes ${back} bytes back from ${at}`);
    }
    for (let copied = 0; copied < count; copied += 1, at += 1) bytes[at] = bytes[at - back] ?? 0;
  }
  if (at !== length) throw new RangeError(`a packed block of ${length} bytes ends after ${at}`);
  return bytes;
}
