/**
 * Keys of this package in the index, beside the log layer's single letters.
 *
 * | key | value | meaning | since |
 * |---|---|---|---|
 * | `~shard` | text `id/count` | the shard whose segments the directory holds | layout 1 |
 * | `~scrub` | JSON | where scrubbing is, and what its last pass found | layout 1 |
 */
export const SHARD_KEY: Uint8Array = new TextEncoder().encode('~shard');

/** Where scrubbing is. */
export const SCRUB_KEY: Uint8Array = new TextEncoder().encode('~scrub');
