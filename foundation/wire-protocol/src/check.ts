import {
  type Address,
  type ChainId,
  chainIdOf,
  type Hex,
  isHexOf,
  isRecord,
  parseAddress,
  parseRoot,
  type Root,
  type Sequence,
  sequenceOf,
} from '@cairn/primitives';
import { WireError } from './errors.ts';

/** A JSON object whose fields have not been looked at. */
export type Fields = Readonly<Record<string, unknown>>;

/** What `value` is, in a few words, never more than 60 characters of it. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'string') {
    return value.length > 60 ? `"${value.slice(0, 57)}…"` : `"${value}"`;
  }
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value;
}

/** @throws {WireError} WIRE_FIELD, always */
export function refuseField(what: string, field: string, expected: string, value: unknown): never {
  const actual = describeValue(value);
  throw new WireError(
    { code: 'WIRE_FIELD', what, field, expected, actual },
    `${what}.${field} must be ${expected}, not ${actual}`,
  );
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT */
export function fieldsOf(value: unknown, what: string): Fields {
  if (isRecord(value)) return value;
  const actual = describeValue(value);
  throw new WireError(
    { code: 'WIRE_NOT_AN_OBJECT', what, actual },
    `${what} must be an object, not ${actual}`,
  );
}

/** @throws {WireError} WIRE_TOO_LONG */
export function assertBound(length: number, max: number, what: string): void {
  if (length <= max) return;
  throw new WireError(
    { code: 'WIRE_TOO_LONG', what, length, max },
    `${what} has length ${length}, at most ${max} is allowed`,
  );
}

/** @throws {WireError} WIRE_FIELD, WIRE_TOO_LONG */
export function textField(fields: Fields, field: string, what: string, maxLength: number): string {
  const value = fields[field];
  if (typeof value !== 'string') refuseField(what, field, 'text', value);
  assertBound(value.length, maxLength, `${what}.${field}`);
  return value;
}

/** An integer from `min` (0 unless told) to `max` (2^53 − 1 unless told). @throws {WireError} WIRE_FIELD */
export function naturalField(
  fields: Fields,
  field: string,
  what: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): number {
  const value = fields[field];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    refuseField(what, field, `an integer from ${min} to ${max}`, value);
  }
  return value;
}

/** @throws {WireError} WIRE_FIELD */
export function booleanField(fields: Fields, field: string, what: string): boolean {
  const value = fields[field];
  if (typeof value !== 'boolean') refuseField(what, field, 'true or false', value);
  return value;
}

/** @throws {WireError} WIRE_FIELD, WIRE_TOO_LONG; what `parse` throws */
export function listField<Item>(
  fields: Fields,
  field: string,
  what: string,
  maxLength: number,
  parse: (item: unknown, index: number) => Item,
): Item[] {
  const value = fields[field];
  if (!Array.isArray(value)) refuseField(what, field, 'a list', value);
  assertBound(value.length, maxLength, `${what}.${field}`);
  return value.map(parse);
}

/** Hex of `byteLength` bytes, lower-cased. @throws {WireError} WIRE_FIELD */
export function hexOf(value: unknown, byteLength: number, what: string, field: string): Hex {
  if (!isHexOf(value, byteLength)) {
    refuseField(what, field, `0x and ${byteLength * 2} hex digits`, value);
  }
  return value.toLowerCase() as Hex;
}

/** @throws {WireError} WIRE_FIELD */
export function rootField(fields: Fields, field: string, what: string): Root {
  return parseRoot(hexOf(fields[field], 32, what, field));
}

/** @throws {WireError} WIRE_FIELD */
export function addressField(fields: Fields, field: string, what: string): Address {
  return parseAddress(hexOf(fields[field], 20, what, field));
}

/** @throws {WireError} WIRE_FIELD */
export function chainIdField(fields: Fields, field: string, what: string): ChainId {
  return chainIdOf(naturalField(fields, field, what, { min: 1 }));
}

/** @throws {WireError} WIRE_FIELD */
export function sequenceField(fields: Fields, field: string, what: string): Sequence {
  return sequenceOf(naturalField(fields, field, what));
}

/** An http or https URL of at most 2,048 characters, without trailing slashes. @throws {WireError} WIRE_FIELD, WIRE_TOO_LONG */
export function urlOf(value: unknown, what: string, field: string): string {
  if (typeof value !== 'string') refuseField(what, field, 'a URL', value);
  assertBound(value.length, 2048, `${what}.${field}`);
  if (!/^https?:\/\/[^\s/]/i.test(value) || !URL.canParse(value)) {
    refuseField(what, field, 'an http or https URL', value);
  }
  return value.replace(/\/+$/, '');
}
