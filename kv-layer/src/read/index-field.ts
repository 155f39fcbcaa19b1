import { concatBytes, utf8Bytes, viewOf } from '@cairn/primitives';

/** Longest value that is looked into: a record, not a file. */
export const MAX_INDEXED_VALUE_BYTES = 65_536;
/** Longest text that is indexed; longer ones are not, so that keys of an index stay small. */
const MAX_FIELD_TEXT_BYTES = 256;
const MAX_FIELD_DEPTH = 16;
const TYPE = { boolean: 1, number: 2, text: 3 } as const;

/** What an index is over: where in a JSON value, and of which keys. */
export interface IndexDefinition {
  /** Names of members from the outside in, 1 to 16. */
  readonly field: readonly string[];
  /** Keys that begin with this text; all unless told. */
  readonly prefix?: string;
}

/** A value that is indexed. Order: false, true, numbers, texts by their bytes. */
export type FieldValue = string | number | boolean;

/** The value of the key that declares an index. */
export function encodeIndexDefinition({ field, prefix }: IndexDefinition): Uint8Array {
  return utf8Bytes(JSON.stringify({ field, ...(prefix === undefined ? {} : { prefix }) }));
}

/** The definition in a value; `undefined` for what is none: then there is no such index. */
export function parseIndexDefinition(value: Uint8Array): IndexDefinition | undefined {
  const json = jsonOf(value);
  if (typeof json !== 'object' || json === null) return undefined;
  const { field, prefix } = json as { field?: unknown; prefix?: unknown };
  if (!Array.isArray(field) || field.length < 1 || field.length > MAX_FIELD_DEPTH) return undefined;
  if (!field.every((name) => typeof name === 'string')) return undefined;
  if (prefix !== undefined && typeof prefix !== 'string') return undefined;
  return { field, ...(prefix === undefined ? {} : { prefix }) };
}

/** What a value has in the field, as bytes that sort; `undefined` if nothing that is indexed. */
export function fieldOf(value: Uint8Array, { field }: IndexDefinition): Uint8Array | undefined {
  let at = jsonOf(value);
  for (const name of field) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean'
    ? encodeField(at)
    : undefined;
}

/** A field's value as bytes that sort as values do; `undefined` for texts over 256 bytes. */
export function encodeField(value: FieldValue): Uint8Array | undefined {
  if (typeof value === 'boolean') return Uint8Array.of(TYPE.boolean, value ? 1 : 0);
  if (typeof value === 'number') return encodeNumber(value);
  const text = utf8Bytes(value);
  return text.length > MAX_FIELD_TEXT_BYTES
    ? undefined
    : concatBytes(Uint8Array.of(TYPE.text), text);
}

/** A double whose bytes sort as numbers do: the sign turned over, and of negative ones every bit. */
function encodeNumber(value: number): Uint8Array {
  const bytes = new Uint8Array(9);
  bytes[0] = TYPE.number;
  viewOf(bytes).setFloat64(1, value === 0 ? 0 : value); // −0 is 0
  const isNegative = value < 0;
  for (let at = 1; at < 9; at += 1) {
    const byte = bytes[at] ?? 0;
    bytes[at] = isNegative ? ~byte & 0xff : at === 1 ? byte ^ 0x80 : byte;
  }
  return bytes;
}

function jsonOf(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined; // no JSON
    throw error;
  }
}
