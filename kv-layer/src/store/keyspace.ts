import {
  bigEndianBytes,
  concatBytes,
  type KeyRange,
  viewOf,
  writeSafeU64,
} from '@cairn/primitives';
import type { ByteArena } from './byte-arena.ts';

/**
 * Every key of a state's store. A key is the generation u32, one letter and binary fields; numbers
 * are 64 bits big-endian. A generation is one replay with one set of watched streams; another set is
 * another generation, so that both lie beside each other until one takes over. `table` is 0 for
 * keys and values, 1 for roles, whose keys are kind u8, account 20, key. All since layout version 1, B since 2.
 *
 * | letter | key | value | meaning |
 * |---|---|---|---|
 * | I | – | version u16, chain id u64, flow 20, sender source u8, stream ids | whose state this is |
 * | N | – | progress record | where replay goes on; written with every group |
 * | L | table, stream, key | row | the newest row of a key; absent: never written |
 * | H | table, stream, escaped key, inverted version | row | rows that a newer one replaced |
 * | C | sequence, part u32 | changes | keys and roles that a committed entry wrote, with what was before |
 * | S | stream, sequence | root record | roots of a stream after an entry that committed to it |
 * | T | sequence | text | the result string of an entry |
 * | M | sequence | time u64 | chain time from this entry on, where it differs from the one before |
 * | W | stream, account | count u32 | keys that an account is special writer of |
 * | U | table, stream | page | the page above all of a tree: its one branch |
 * | P | table, stream, page name | page | pages of a tree |
 * | K | table, stream, hash 32 | path | paths of a tree too long for its pages |
 * | X | stream, name, field, key, version | field, key | secondary index: where a field had a value |
 * | Y | stream, name | index state | how far an index is |
 * | B | stream, first key | subtree | keys of a snapshot that lie in the value file until one is needed |
 */
export const KEY = {
  identity: 'I',
  progress: 'N',
  latest: 'L',
  history: 'H',
  changes: 'C',
  root: 'S',
  result: 'T',
  time: 'M',
  specialWriter: 'W',
  treeRoot: 'U',
  treePage: 'P',
  treePath: 'K',
  index: 'X',
  indexState: 'Y',
  subtree: 'B',
} as const;

/** A letter of `KEY`. */
export type KeyLetter = (typeof KEY)[keyof typeof KEY];

/** Keys and values, or roles. */
export const TABLE = { keys: 0, roles: 1 } as const;

/** A table of `TABLE`. */
export type Table = (typeof TABLE)[keyof typeof TABLE];

/** Each by itself. */
const newBytes: Pick<ByteArena, 'take'> = { take: (length) => new Uint8Array(length) };

/** A table as a field of a key. */
export const TABLE_FIELD: Readonly<Record<Table, Uint8Array>> = {
  [TABLE.keys]: Uint8Array.of(TABLE.keys),
  [TABLE.roles]: Uint8Array.of(TABLE.roles),
};

/** Makes the keys of one generation. */
export class Keyspace {
  readonly #prefix: Uint8Array;

  constructor(generation: number) {
    this.#prefix = bigEndianBytes(generation, 4);
  }

  /** The key of a letter and its fields; a number takes 8 bytes. */
  key(letter: KeyLetter, ...fields: readonly (number | Uint8Array)[]): Uint8Array {
    return this.#join(letter, fields, newBytes);
  }

  /** `key` as a part of the longer strings of an arena. */
  keyIn(arena: ByteArena, letter: KeyLetter, fields: readonly Uint8Array[]): Uint8Array {
    return this.#join(letter, fields, arena);
  }

  #join(
    letter: KeyLetter,
    fields: readonly (number | Uint8Array)[],
    arena: Pick<ByteArena, 'take'>,
  ): Uint8Array {
    let length = 5;
    for (const field of fields) length += typeof field === 'number' ? 8 : field.length;
    const key = arena.take(length);
    key.set(this.#prefix);
    key[4] = letter.charCodeAt(0);
    let at = 5;
    for (const field of fields) {
      if (typeof field === 'number') {
        writeSafeU64(viewOf(key), at, field);
        at += 8;
      } else {
        key.set(field, at);
        at += field.length;
      }
    }
    return key;
  }

  /** The key of the newest row. */
  latest(table: Table, stream: Uint8Array, key: Uint8Array): Uint8Array {
    return this.key(KEY.latest, TABLE_FIELD[table], stream, key);
  }

  /** The key of a replaced row. */
  history(table: Table, stream: Uint8Array, key: Uint8Array, version: number): Uint8Array {
    const table8 = Uint8Array.of(table);
    return this.key(KEY.history, table8, stream, escaped(key), invertedVersion(version));
  }

  /** Replaced rows of a key with versions up to `version`, newest first. */
  historyUpTo(table: Table, stream: Uint8Array, key: Uint8Array, version: number): KeyRange {
    return {
      gte: this.history(table, stream, key, version),
      lt: successorOf(this.key(KEY.history, Uint8Array.of(table), stream, escaped(key))),
    };
  }

  /** All keys that begin with a letter and fields. */
  range(letter: KeyLetter, ...fields: readonly (number | Uint8Array)[]): KeyRange {
    const gte = this.key(letter, ...fields);
    return { gte, lt: successorOf(gte) };
  }

  /** Everything of the generation. */
  get all(): KeyRange {
    return { gte: this.#prefix, lt: successorOf(this.#prefix) };
  }
}

/** Bytes of a `latest` key before the key itself. */
export const LATEST_HEAD_BYTES: number = 5 + 1 + 32;

/** A key as part of a longer one, in the same order: zeros become 00 ff, and 00 00 ends it. */
export function escaped(key: Uint8Array): Uint8Array {
  let zeros = 0;
  for (const byte of key) if (byte === 0) zeros += 1;
  const bytes = new Uint8Array(key.length + zeros + 2);
  let at = 0;
  for (const byte of key) {
    bytes[at] = byte;
    at += 1;
    if (byte === 0) {
      bytes[at] = 0xff;
      at += 1;
    }
  }
  return bytes;
}

/** Versions so that the newest comes first. */
function invertedVersion(version: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = viewOf(bytes);
  writeSafeU64(view, 0, version);
  for (let at = 0; at < 8; at += 1) bytes[at] = ~(bytes[at] ?? 0) & 0xff;
  return bytes;
}

/** The first key that does not begin with `prefix`. */
export function successorOf(prefix: Uint8Array): Uint8Array {
  const next = prefix.slice();
  for (let at = next.length - 1; at >= 0; at -= 1) {
    if (next[at] !== 255) {
      next[at] = (next[at] ?? 0) + 1;
      return next.subarray(0, at + 1);
    }
  }
  return concatBytes(prefix, new Uint8Array(1).fill(255));
}
