/**
 * Keys of this package in the index, beside the log layer's single letters.
 *
 * | key | value | meaning | since |
 * |---|---|---|---|
 * | `~shard` | text `id/count` | the shard whose segments the directory holds | layout 1 |
 * | `~move` | JSON | a change of the shard that is under way, and where it is | layout 1 |
 * | `~prune` | JSON | up to which sector expired files were or are being given up | layout 1 |
 * | `~expiry` | JSON | which files were given up since nobody pays for them, and how far that is | layout 1 |
 * | `~miner` | 32 bytes | the miner id that sealed pieces are for | layout 1 |
 * | `~sealed/` segment u64 | sealed record | a segment of the flow of which a sealed copy lies in `sealed/`: written after that is durable | layout 1 |
 * | `~duty/book` | JSON | whose duties of possession are kept at which contract, and up to which block its events are read | layout 1 |
 * | `~duty/set/` duty u64 | JSON | numbers of the files of a duty | layout 1 |
 * | `~duty/past/` duty u64 | JSON | what became of a duty's periods, and up to which | layout 1 |
 * | `~scrub` | JSON | where scrubbing is, and what its last pass found | layout 1 |
 */
export const SHARD_KEY: Uint8Array = new TextEncoder().encode('~shard');

/** Where scrubbing is. */
export const SCRUB_KEY: Uint8Array = new TextEncoder().encode('~scrub');

/** A change of the shard under way. */
export const MOVE_KEY: Uint8Array = new TextEncoder().encode('~move');

/** How far expired files were given up. */
export const PRUNE_KEY: Uint8Array = new TextEncoder().encode('~prune');

/** How far files that nobody pays for were given up. */
export const EXPIRY_KEY: Uint8Array = new TextEncoder().encode('~expiry');

/** The miner id that sealed pieces here are for. */
export const MINER_KEY: Uint8Array = new TextEncoder().encode('~miner');

/** Records of sealed segments: followed by the segment's index in the flow, 8 bytes big-endian. */
export const SEALED_PREFIX: Uint8Array = new TextEncoder().encode('~sealed/');

/** Whose duties are kept, and how far the contract's events are read. */
export const DUTY_BOOK_KEY: Uint8Array = new TextEncoder().encode('~duty/book');

/** Files of duties: followed by the duty's number, 8 bytes big-endian. */
export const DUTY_SET_PREFIX: Uint8Array = new TextEncoder().encode('~duty/set/');

/** What became of duties' periods: followed by the duty's number, 8 bytes big-endian. */
export const DUTY_PAST_PREFIX: Uint8Array = new TextEncoder().encode('~duty/past/');
