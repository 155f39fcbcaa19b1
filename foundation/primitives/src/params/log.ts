/**
 * Protocol numbers of the log layer. They are the 0G network's: clients, contracts and stored
 * roots depend on each of them, so a change here is a different network.
 */

/** Bytes of a sector: the leaf of every tree and the unit of price. */
export const SECTOR_BYTES = 256;
/** Sectors of a full segment, the unit of transfer and of sharding. */
export const SEGMENT_SECTORS = 1024;
/** Bytes of a full segment: 262,144. */
export const SEGMENT_BYTES: number = SECTOR_BYTES * SEGMENT_SECTORS;
/** Height of a full segment's tree: log2 of its sectors. */
export const SEGMENT_HEIGHT = 10;
/** A padded length is a multiple of this part of the next power of two: at most 1/8 is waste. */
export const PADDING_STEPS = 16;
/** Nodes a submission has at most; follows from `PADDING_STEPS` = 2^4. */
export const MAX_SUBMISSION_NODES = 4;
/** Heights from here on are refused by our log contract: a file of 2^53 bytes is past what numbers count exactly. */
export const MAX_NODE_HEIGHT = 45;
/** The default size above which a client cuts a file into fragments: 4 GiB. */
export const FRAGMENT_BYTES: number = 4 * 1024 ** 3;
/** The smallest fragment: one sector. */
export const MIN_FRAGMENT_BYTES = 256;
