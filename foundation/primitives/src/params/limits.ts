/** Bounds on what a node takes in and holds. Each states why it is what it is. */

/** A JSON-RPC body: 0G nodes allow 100 MiB, and clients with large task sizes rely on it. */
export const MAX_JSON_RPC_BODY_BYTES: number = 100 * 1024 ** 2;
/** A JSON-RPC reply, as on 0G nodes. */
export const MAX_JSON_RPC_REPLY_BYTES: number = 10 * 1024 ** 2;
/** Nesting of a JSON body: the deepest legal message has 5 levels. */
export const MAX_JSON_DEPTH = 16;
/** Calls in one JSON-RPC batch; each may hold megabytes. */
export const MAX_JSON_RPC_BATCH = 100;
/** Path length of a segment proof: 2^40 segments of a file are far beyond the chain's limits. */
export const MAX_PROOF_DEPTH = 40;
/** Bytes of the largest file that may wait in memory for its log entry (0G's value). */
export const MAX_CACHED_FILE_BYTES: number = 10 * 1024 ** 2;
/** Bytes of all segments that wait in memory for log entries, together. 0G allows 1 GiB. */
export const MAX_CACHED_BYTES: number = 64 * 1024 ** 2;
/** How long a file without a log entry waits for one (0G's value). */
export const CACHED_FILE_EXPIRY_MS = 300_000;
/** Segments verified and written at once; more wait their turn in a queue. */
export const MAX_CONCURRENT_WRITES = 16;
/** Uploads waiting for a turn; the official client opens one request per segment of a 4 GiB file. */
export const MAX_QUEUED_WRITES = 16_384;
/** Sectors one download call may ask for: a segment. */
export const MAX_DOWNLOAD_SECTORS = 1024;
/** Bytes of a directory manifest: about 100,000 entries. */
export const MAX_MANIFEST_BYTES: number = 32 * 1024 ** 2;
/** Depth of a directory manifest. */
export const MAX_MANIFEST_DEPTH = 64;
/** Blocks whose hashes a follower remembers: the deepest reorg it unwinds without starting over. */
export const MAX_BLOCK_MARKS = 256;
