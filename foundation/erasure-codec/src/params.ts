import { KIB, MIB } from '@cairn/primitives';

/** Version of the code, the layout and the commitment together. */
export const CODEC_VERSION = 1;

/** Bytes of a symbol, an element of GF(2^16). */
export const SYMBOL_BYTES = 2;

/** A row is whole chunks: 32 symbols, first their low bytes, then their high bytes. */
export const CHUNK_BYTES = 64;

/** Version, log2 K, cosets, zero, length: at the start of row 0. */
export const HEADER_BYTES = 8;

/**
 * Cosets of parity of a network that says nothing else: rate 1/4. Of a quorum's seats, those that
 * hold K rows are then at most 2/7.
 */
export const DEFAULT_PARITY_COSETS = 3;
/** The most parity cosets a blob may have. */
export const MAX_PARITY_COSETS = 3;

/**
 * Symbols of a row's random combination: 256 bits. With N slices and T guesses of whoever makes the
 * blob, a matrix that is no codeword passes with probability T · 2^(N − 256): 2^−92 for N = 100 and
 * T = 2^64. Agreement does not rest on it, because readers encode again; it must not depend on the
 * epoch.
 */
export const COMBINATION_SYMBOLS = 16;
/** Bytes of a row's combination. */
export const COMBINATION_BYTES: number = COMBINATION_SYMBOLS * SYMBOL_BYTES;

/** Longest payload: the largest class, less its header. */
export const MAX_PAYLOAD_BYTES: number = 128 * MIB - HEADER_BYTES;

/** Data rows by length: more rows make smaller slices, fewer make shorter paths. */
export const LAYOUT_CLASSES: readonly { readonly log2K: number; readonly maxBytes: number }[] = [
  { log2K: 6, maxBytes: 64 * KIB },
  { log2K: 8, maxBytes: MIB },
  { log2K: 10, maxBytes: 16 * MIB },
  { log2K: 12, maxBytes: 128 * MIB },
];

/**
 * Members of a quorum up to which each least number of data rows holds: K ≥ 2N keeps the share of
 * seats that holds K rows at 2/7 or below, however the seats are spread.
 */
export const QUORUM_CLASSES: readonly { readonly maxMembers: number; readonly minLog2K: number }[] =
  [
    { maxMembers: 32, minLog2K: 6 },
    { maxMembers: 128, minLog2K: 8 },
    { maxMembers: 512, minLog2K: 10 },
  ];
