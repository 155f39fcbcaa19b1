import { SECTOR_BYTES, SEGMENT_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';

/**
 * Protocol numbers of proofs of random access. They are the 0G network's and stand in the mining
 * contract: a change here is a different network.
 */

/** What `poraVersion()` of a contract says that keeps these rules. */
export const PORA_VERSION = 1;
/** Bytes of a piece: what is sealed by itself and shown in an answer. */
export const PIECE_BYTES = 4096;
/** Sectors of a piece: 16. */
export const PIECE_SECTORS: number = PIECE_BYTES / SECTOR_BYTES;
/** Levels of a piece's tree: log2 of its sectors. */
export const PIECE_HEIGHT = 4;
/** Pieces of a segment, the unit that a nonce recalls: 64. */
export const SEGMENT_PIECES: number = SEGMENT_BYTES / PIECE_BYTES;
/** Bytes of a word: the step of a seal's chain. */
export const WORD_BYTES = 32;
/** Words of a piece. */
export const PIECE_WORDS: number = PIECE_BYTES / WORD_BYTES;
/** Bytes of a pad; it masks four pieces and begins anew with the fifth. */
export const PAD_BYTES = 16_384;
/** Pieces that a pad masks before it begins anew. */
export const PAD_PIECES: number = PAD_BYTES / PIECE_BYTES;
/** Sectors whose fees are kept together: 8 GiB. Ranges begin at multiples of it. */
export const PRICING_SECTORS: number = 2 ** 25;
/** Sectors of a shard that are mined at most: 8 TiB. */
export const MAX_RANGE_SECTORS: number = 2 ** 35;
/** Sectors of a segment, as ranges count. */
export const RECALL_SECTORS: number = SEGMENT_SECTORS;
/** The most a hash can be, and the target of a network that takes every hash. */
export const MAX_TARGET: bigint = 2n ** 256n - 1n;
/** Factor by which a target moves in an epoch at most, up and down. */
export const MAX_TARGET_STEP = 2n;
/** Who asks a contract what to mine: it answers this caller only. */
export const WORKER_CALLER = '0x000000000000000000000000000000000000000a';
