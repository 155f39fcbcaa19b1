/** What JSON text can hold; a whole number beyond 2^53 − 1 is a bigint on the way out. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * JSON text in which a bigint is written as a plain decimal number, digit for digit.
 *
 * Fields that are `undefined` are left out.
 *
 * @throws {TypeError} for functions and symbols at the top, and for numbers that are not finite
 */
export function stringifyJson(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new TypeError(`${value} has no JSON form`);
    }
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON form`);
    return text;
  }
  if (isList(value)) return `[${value.map(stringifyJson).join(',')}]`;
  const fields: string[] = [];
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) fields.push(`${JSON.stringify(key)}:${stringifyJson(field)}`);
  }
  return `{${fields.join(',')}}`;
}

/** `JSON.parse` typed for outside text: nothing is known about what comes back. @throws {SyntaxError} */
export function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** Whether `value` is a JSON object: not null, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
