import { bigEndianBytes, concatBytes, keccak256 } from '@cairn/primitives';

/** A key of a mapping: a number, or a word of 32 bytes. */
export type SlotKey = number | Uint8Array;

/**
 * Where Solidity keeps a variable, or the value of a mapping under keys.
 *
 * @param base - the variable's slot
 * @param keys - for each mapping within mappings, the outermost first
 * @returns 32 bytes
 */
export function storageSlot(base: number, ...keys: readonly SlotKey[]): Uint8Array {
  return keys.reduce<Uint8Array>(
    (slot, key) => keccak256(concatBytes(wordOf(key), slot)),
    wordOf(base),
  );
}

function wordOf(key: SlotKey): Uint8Array {
  return key instanceof Uint8Array ? key : bigEndianBytes(key, 32);
}
