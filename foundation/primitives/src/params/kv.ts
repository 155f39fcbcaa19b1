/**
 * Protocol numbers of the key-value layer. Those of the wire are the 0G network's: results of
 * replays depend on them, so a change here is a different network.
 */

/** SHA-256 of "STREAM": the first 32 bytes of the tags of every key-value log entry. */
export const STREAM_DOMAIN = '0xdf2ff3bb0af36c6384e6206552a4ed807f6f6a26e7d0aa6bff772ddc9d4307aa';
/** Bytes of a stream's id. */
export const STREAM_ID_BYTES = 32;
/** Reads, writes and access controls of one batch, each: 65,536 itself is legal. */
export const MAX_BATCH_ITEMS = 65_536;
/** Bytes of a key: the length field has 24 bits. */
export const MAX_KEY_BYTES: number = 2 ** 24 - 1;
/** Bytes before the first list of a batch: its version. */
export const BATCH_VERSION_BYTES = 8;
/** The version of a blind write: no key is ever newer. */
export const BLIND_VERSION: bigint = 2n ** 64n - 1n;
/** Bytes that one read of a value may ask for (0G's `max_query_len_in_bytes`). */
export const MAX_VALUE_SLICE_BYTES = 262_144;
/** Characters of a key that a result string shows. */
export const RESULT_KEY_CHARACTERS = 32;

/**
 * Bytes of a value that lie in the index beside their key. Longer ones lie in a flat file: an index
 * would rewrite them several times, and rows that are read without their value stay small.
 */
export const MAX_INLINE_VALUE_BYTES = 1024;
/** Log entries that are applied together, at most: what a crash makes a node do again. */
export const MAX_REPLAY_GROUP = 1024;
/** Key writes in memory before a group is written: 65,536 rows of a kibibyte are 64 MiB. */
export const MAX_GROUP_WRITES = 65_536;
/** Keys that one page of a scan gives; more go on from its cursor. */
export const MAX_SCAN_KEYS = 4096;
/** Bytes of keys and values that one page of a scan gives before it ends early. */
export const MAX_SCAN_BYTES: number = 8 * 1024 ** 2;
/** Rows that one page of a scan looks at, tombstones and expired keys among them: about 100 ms. */
export const MAX_SCAN_STEPS = 65_536;
/** Keys of one call that asks for many. */
export const MAX_MULTI_GET_KEYS = 1024;
/**
 * Keys changed between a version that is asked for with proof and the newest one: the older tree is
 * made from the newer by taking them back, in memory, about 100 ms for so many.
 */
export const MAX_PROOF_REWIND_KEYS = 16_384;
/** Bytes of tree pages that are kept in memory. */
export const MAX_TREE_CACHE_BYTES: number = 64 * 1024 ** 2;
/** Bytes of a proof of a state: 4,096 leaves with keys of a few kibibytes each. */
export const MAX_STATE_PROOF_BYTES: number = 16 * 1024 ** 2;
