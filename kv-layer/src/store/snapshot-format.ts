import { MAX_KEY_BYTES } from '@cairn/primitives';

/** What a snapshot begins with: "ckvs" and its format. One of format 1 has no subtrees, and is read as well. */
export const MAGIC: Uint8Array = Uint8Array.of(0x63, 0x6b, 0x76, 0x73, 2);
/** The oldest format that is read. */
export const FIRST_FORMAT = 1;

/** What comes next in a snapshot. */
export const MARK = { stream: 1, row: 2, end: 3, subtree: 4 } as const;

/** Mark u8, table u8, key length u32, then the numbers of a row: version, value offset and length u64. */
export const ROW_HEAD_BYTES = 30;

/** Mark u8, rows u32, their bytes u32, hash 32, lengths of the first key and the last u32. */
export const SUBTREE_HEAD_BYTES = 49;

/**
 * What a subtree is within. As many rows as are hashed and stored within some 10 ms, so that a read that needs
 * one of them does not wait long; no fewer than leave a list of subtrees that is short beside its rows; bytes
 * that are read at once; and a first key and a last that are held in memory until all is read: with both, at most
 * 128 bytes for each row.
 */
export const SUBTREE = {
  minRows: 32,
  maxRows: 1024,
  maxBytes: 4_194_304,
  maxKeyBytes: 2048,
} as const;

/** The longest key: that of a role is a kind and an account longer than what it is a role of. */
export const MAX_ROW_KEY_BYTES: number = MAX_KEY_BYTES + 21;
