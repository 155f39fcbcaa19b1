import { fromHex, isRecord, parseJson, utf8Text } from '@cairn/primitives';
import { DispersalError } from './errors.ts';

/** Fields of a stored object; each is checked as it is read. */
export type StoredFields = Readonly<Record<string, unknown>>;

/** Reads JSON of the disperser's own. @throws {DispersalError} DISPERSAL_RECORD */
export function decodeStored<Value>(
  what: string,
  bytes: Uint8Array,
  read: (fields: StoredFields) => Value,
): Value {
  try {
    const fields = parseJson(utf8Text(bytes));
    if (isRecord(fields)) return read(fields);
    throw new TypeError('not an object');
  } catch (cause) {
    throw new DispersalError(
      { code: 'DISPERSAL_RECORD', what },
      `the stored record of ${what} cannot be read`,
      { cause },
    );
  }
}

/** Bytes of stored hex. */
export function bytesOf(value: unknown): Uint8Array {
  return fromHex(String(value));
}

/** What a stored list holds. */
export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value;
}

/** Numbers of a stored list. */
export function numbersOf(value: unknown): number[] {
  return listOf(value).map(Number);
}

/** One of a closed set of words. */
export function wordOf<Word extends string>(value: unknown, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw new TypeError(`not one of ${words.join(', ')}`);
  return word;
}
