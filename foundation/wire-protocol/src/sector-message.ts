import { concatBytes, MAX_PROOF_DEPTH, SECTOR_BYTES, SEGMENT_HEIGHT } from '@cairn/primitives';
import { refuseField } from './check.ts';

/** Content type of a sector with its path to the file's root. */
export const SECTOR_MESSAGE_TYPE = 'application/vnd.cairn.sector';
const SIBLING_BYTES = 32;
/** Bytes of the longest sector message: the deepest path inside a segment, and above it. */
export const MAX_SECTOR_MESSAGE_BYTES: number =
  SECTOR_BYTES + (SEGMENT_HEIGHT + MAX_PROOF_DEPTH) * SIBLING_BYTES;

/** A sector and its path, claimed, not proven. What is asked for says of which file and where. */
export interface SectorFields {
  /** 256 bytes. */
  readonly data: Uint8Array;
  /** 32 bytes each, from the sector up to below the root, at most 50. */
  readonly siblings: readonly Uint8Array[];
}

/** The sector's 256 bytes, then its siblings. */
export function encodeSectorMessage({ data, siblings }: SectorFields): Uint8Array {
  return concatBytes(data, ...siblings);
}

/** @throws {WireError} WIRE_FIELD unless it is 256 bytes and up to 50 whole siblings */
export function parseSectorMessage(bytes: Uint8Array): SectorFields {
  const rest = bytes.length - SECTOR_BYTES;
  if (rest < 0 || rest % SIBLING_BYTES !== 0 || bytes.length > MAX_SECTOR_MESSAGE_BYTES) {
    const expected = `${SECTOR_BYTES} bytes and up to ${SEGMENT_HEIGHT + MAX_PROOF_DEPTH} siblings of ${SIBLING_BYTES}`;
    refuseField('sector message', 'length', expected, `${bytes.length} bytes`);
  }
  const siblings: Uint8Array[] = [];
  for (let at = SECTOR_BYTES; at < bytes.length; at += SIBLING_BYTES) {
    siblings.push(bytes.subarray(at, at + SIBLING_BYTES));
  }
  return { data: bytes.subarray(0, SECTOR_BYTES), siblings };
}
