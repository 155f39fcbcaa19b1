/**
 * Keys of this package in the index, beside the log layer's single letters.
 *
 * | key | value | meaning | since |
 * |---|---|---|---|
 * | `~shard` | text `id/count` | the shard whose segments the directory holds | layout 1 |
 */
export const SHARD_KEY: Uint8Array = new TextEncoder().encode('~shard');
