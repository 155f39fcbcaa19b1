import { type KeyRange, viewOf } from '@cairn/primitives';

/**
 * Every key of the log layer's stores. A key is one letter and binary fields; numbers are 64 bits
 * big-endian, so that keys sort as their numbers do. The chain id is not in the keys: a store
 * belongs to one chain and one log contract, which its identity record names and every opening
 * checks. All since layout version 1.
 *
 * | letter | key | value | meaning |
 * |---|---|---|---|
 * | I | – | version u16, chain id u64, flow 20 | whose store this is |
 * | N | – | next sequence u64, flow snapshot | state after the last applied step |
 * | E | sequence | entry record | a log entry |
 * | A | start sector | sequence | entry that begins at a sector of the flow |
 * | R | root 32, sequence | – | entries of a root that are not pruned |
 * | G | root 32, sequence | – | finalised entries of a root |
 * | U | sequence | – | entries neither finalised nor pruned |
 * | S | sequence | flags u8: 1 finalised, 2 pruned | state of an entry; absent: 0 |
 * | B | block number | hash 32, next sequence u64, flow snapshot | blocks applied, the newest 256 |
 * | F | level u8, index u64 | hash 32 | nodes of the flow tree |
 * | O | root 32, start sector | block number u64, entry record | entries a rollback removed |
 * | M | sector | piece record | a stored piece: written after its data is durable |
 * | Q | sector | piece record | a piece whose data was found damaged; never served |
 * | H | ordinal u64 | piece record | a piece moved out of the way of another, see D |
 * | D | ordinal u64 | data | its bytes |
 */
export const KEY = {
  identity: 'I',
  next: 'N',
  entry: 'E',
  start: 'A',
  root: 'R',
  finalised: 'G',
  pending: 'U',
  state: 'S',
  block: 'B',
  flowNode: 'F',
  orphan: 'O',
  piece: 'M',
  quarantine: 'Q',
  stash: 'H',
  stashData: 'D',
} as const;

/** A letter of `KEY`. */
export type KeyLetter = (typeof KEY)[keyof typeof KEY];

/** The key of a letter and its binary fields; a number takes 8 bytes. */
export function keyOf(letter: KeyLetter, ...fields: readonly (number | Uint8Array)[]): Uint8Array {
  let length = 1;
  for (const field of fields) length += typeof field === 'number' ? 8 : field.length;
  const key = new Uint8Array(length);
  key[0] = letter.charCodeAt(0);
  let at = 1;
  for (const field of fields) {
    if (typeof field === 'number') writeNumber(key, at, field);
    else key.set(field, at);
    at += typeof field === 'number' ? 8 : field.length;
  }
  return key;
}

/** As `writeSafeU64` does, without a view: every look into the index makes a key. */
function writeNumber(key: Uint8Array, at: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`cannot encode ${value} as an unsigned 64-bit number`);
  }
  let rest = value;
  for (let place = at + 7; place >= at; place -= 1) {
    key[place] = rest & 255;
    rest = Math.floor(rest / 256);
  }
}

/** The key of a node of the flow tree. */
export function flowNodeKey(level: number, index: number): Uint8Array {
  return keyOf(KEY.flowNode, Uint8Array.of(level), index);
}

/** All keys that begin with a letter and fields. */
export function rangeOf(
  letter: KeyLetter,
  ...fields: readonly (number | Uint8Array)[]
): Required<Pick<KeyRange, 'gte' | 'lt'>> {
  const gte = keyOf(letter, ...fields);
  return { gte, lt: successorOf(gte) };
}

/** Keys of a letter whose last number lies in `[from, to)`. */
export function numberRange(letter: KeyLetter, from: number, to: number): KeyRange {
  return { gte: keyOf(letter, from), lt: keyOf(letter, to) };
}

/** The number in the last 8 bytes of a key. */
export function lastNumber(key: Uint8Array): number {
  const view = viewOf(key);
  const at = key.length - 8;
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

/** The first key that does not begin with `prefix`. */
function successorOf(prefix: Uint8Array): Uint8Array {
  const next = prefix.slice();
  for (let at = next.length - 1; at >= 0; at -= 1) {
    if (next[at] !== 255) {
      next[at] = (next[at] ?? 0) + 1;
      return next.subarray(0, at + 1);
    }
  }
  return next;
}
