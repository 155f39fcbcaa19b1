import { type Address, bigEndianBytes, concatBytes, fromHex } from '@cairn/primitives';

/**
 * Packed big-endian fields one after another.
 *
 * @param fields - an address or bytes as they are, or a number with the bytes it takes
 * @throws {RangeError} if a number is negative, not whole, or needs more bytes
 */
export function packed(
  ...fields: readonly (
    | Address
    | Uint8Array
    | readonly [value: number | bigint, byteLength: number]
  )[]
): Uint8Array {
  return concatBytes(
    ...fields.map((field) => {
      if (field instanceof Uint8Array) return field;
      if (typeof field === 'string') return fromHex(field);
      const [value, byteLength] = field;
      return bigEndianBytes(value, byteLength);
    }),
  );
}

/** @throws {RangeError} unless there are `length` bytes */
export function assertBytes(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length === length) return;
  throw new RangeError(`${what} has ${length} bytes, not ${bytes.length}`);
}
