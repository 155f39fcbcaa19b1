/**
 * Keys of this package in `index/`, beside the log layer's single letters. Streams, results and
 * roots lie in `state/`, in the key-value layer's own key space.
 *
 * | key | value | meaning | since |
 * |---|---|---|---|
 * | `~kv/streams` | JSON | streams that were added or discovered, and up to which entry was looked | layout 1 |
 * | `~kv/time/` block hash 32 | u64 | time of a block with log entries, in seconds | layout 1 |
 * | `~kv/from/` transaction hash 32 | 20 bytes | who signed a transaction with entries of watched streams | layout 1 |
 * | `~kv/base` | JSON | the snapshot that the state began with: its last entry, that one's block, the file | layout 1 |
 */
export const STREAMS_KEY: Uint8Array = new TextEncoder().encode('~kv/streams');

/** Followed by a block's hash. */
export const TIME_PREFIX: Uint8Array = new TextEncoder().encode('~kv/time/');

/** Followed by a transaction's hash. */
export const SENDER_PREFIX: Uint8Array = new TextEncoder().encode('~kv/from/');

/** Where the snapshot is noted that the state began with. */
export const BASE_KEY: Uint8Array = new TextEncoder().encode('~kv/base');
