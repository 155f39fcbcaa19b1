import { SECTOR_BYTES, SEGMENT_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';

/** Bytes of every hash here. */
export const HASH_BYTES = 32;

/** Keccak-256 in bulk. Not for sharing between threads: an instance owns its scratch memory. */
export interface Hasher {
  readonly name: 'simd' | 'scalar' | 'noble';
  /**
   * Keccak-256 of each item of `input`, 32 bytes each, in order.
   *
   * @param input - items one after another; a multiple of `itemBytes`
   * @param itemBytes - bytes of one item, 1 … 65,536
   * @param output - filled and returned if given; at least 32 bytes for each item. It may be the
   *   beginning of `input` itself when items have at least 32 bytes
   * @throws {RangeError} if a length does not fit
   */
  hashMany(input: Uint8Array, itemBytes: number, output?: Uint8Array): Uint8Array;
  /**
   * Root over the sector hashes of a segment: 32 bytes that belong to the caller.
   *
   * On each level neighbours are hashed in pairs; an odd last one is carried up unchanged.
   *
   * @param data - 1 … 262,144 bytes; the last sector is filled up with zeros
   * @param leaves - sectors under the root, 1 … 1,024; those after the data are zero
   * @throws {RangeError} if the data does not fit under the leaves
   */
  segmentRoot(data: Uint8Array, leaves: number): Uint8Array;
}

/** Largest item that kernels take. */
export const MAX_ITEM_BYTES = 65_536;

/**
 * Checks the lengths of a call that hashes items and gives its output: `output` or a new array.
 *
 * @throws {RangeError} with the numbers, if they do not fit
 */
export function outputFor(
  input: Pick<Uint8Array, 'length'>,
  itemBytes: number,
  output?: Uint8Array,
): Uint8Array {
  if (!Number.isInteger(itemBytes) || itemBytes < 1 || itemBytes > MAX_ITEM_BYTES) {
    throw new RangeError(`items have 1 to ${MAX_ITEM_BYTES} bytes, not ${itemBytes}`);
  }
  if (input.length % itemBytes !== 0) {
    throw new RangeError(`${input.length} bytes are not a whole number of ${itemBytes}-byte items`);
  }
  const neededBytes = (input.length / itemBytes) * HASH_BYTES;
  if (output === undefined) return new Uint8Array(neededBytes);
  if (output.length < neededBytes) {
    throw new RangeError(`the hashes take ${neededBytes} bytes, the output has ${output.length}`);
  }
  return output.subarray(0, neededBytes);
}

/** @throws {RangeError} unless `dataBytes` fit under `leaves` and both are within a segment */
export function assertSegmentFits(dataBytes: number, leaves: number): void {
  if (!Number.isInteger(leaves) || leaves < 1 || leaves > SEGMENT_SECTORS) {
    throw new RangeError(`a segment has 1 to ${SEGMENT_SECTORS} leaves, not ${leaves}`);
  }
  if (dataBytes < 1 || dataBytes > leaves * SECTOR_BYTES || dataBytes > SEGMENT_BYTES) {
    throw new RangeError(`${dataBytes} bytes do not fit under ${leaves} leaves of a segment`);
  }
}
