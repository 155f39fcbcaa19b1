import { concatBytes, keccak256 } from '@cairn/primitives';
import { blake2b } from '@cairn/primitives/hashes';
import { word } from './digests.ts';
import { PAD_BYTES, PAD_PIECES, PIECE_BYTES, WORD_BYTES } from './params.ts';

/** What a piece is sealed for. */
export interface SealTerms {
  /** 32 bytes. */
  readonly minerId: Uint8Array;
  /** Digest of the context whose range holds the piece's last sector, 32 bytes. */
  readonly context: Uint8Array;
  /** The piece's first sector in the flow. */
  readonly position: number;
}

/** What all attempts of a miner in an epoch share: 32 bytes each. */
export interface PuzzleDigests {
  readonly minerId: Uint8Array;
  readonly subtask: Uint8Array;
  readonly range: Uint8Array;
}

/** An attempt: what one nonce leads to. */
export interface Attempt {
  /** 64 bytes that its hashes begin with. */
  readonly seed: Uint8Array;
  /** 16 KiB that mask four pieces, then the next four. */
  readonly pad: Uint8Array;
  /** 32 bytes that choose the segment. */
  readonly recall: Uint8Array;
}

/**
 * What a piece's first mask hashes: 96 bytes. Every further mask is the hash of the sealed word
 * before, so that sealing is a chain, and any word can be opened with the one before it.
 */
export function maskPrompt({ minerId, context, position }: SealTerms): Uint8Array {
  return concatBytes(minerId, context, word(position));
}

/** A piece sealed, in plain JavaScript: the oracle of the kernels, for single pieces. */
export function sealPiece(plain: Uint8Array, terms: SealTerms): Uint8Array {
  return convert(plain, terms, (_plain, sealed) => sealed);
}

/** A sealed piece's content. */
export function unsealPiece(sealed: Uint8Array, terms: SealTerms): Uint8Array {
  return convert(sealed, terms, (given) => given);
}

/** A nonce's seed, pad and recall, in plain JavaScript. */
export function prepareAttempt(nonce: Uint8Array, digests: PuzzleDigests): Attempt {
  const seed = blake2b(digests.minerId, nonce, digests.subtask, digests.range);
  const pad = new Uint8Array(PAD_BYTES);
  let left = seed.subarray(0, WORD_BYTES);
  let right = seed.subarray(WORD_BYTES);
  for (let at = 0; at < PAD_BYTES; at += 2 * WORD_BYTES) {
    left = keccak256(left, right);
    right = keccak256(left, right);
    pad.set(left, at);
    pad.set(right, at + WORD_BYTES);
  }
  return { seed, pad, recall: keccak256(left, right) };
}

/**
 * The hash that an attempt compares for a piece: 32 bytes.
 *
 * @param index - the piece's place in its segment, 0 … 63
 */
export function pieceHash(
  sealed: Uint8Array,
  index: number,
  { seed, pad }: Pick<Attempt, 'seed' | 'pad'>,
): Uint8Array {
  const start = (index % PAD_PIECES) * PIECE_BYTES;
  const mixed = sealed.map((byte, at) => byte ^ (pad[start + at] ?? 0));
  return blake2b(word(index), seed, new Uint8Array(WORD_BYTES), mixed).slice(0, WORD_BYTES);
}

/** Words with each mask; `sealed` picks, of a word before and after, the one that is sealed. */
function convert(
  piece: Uint8Array,
  terms: SealTerms,
  sealed: (before: Uint8Array, after: Uint8Array) => Uint8Array,
): Uint8Array {
  if (piece.length !== PIECE_BYTES) {
    throw new RangeError(`a piece has ${PIECE_BYTES} bytes, not ${piece.length}`);
  }
  const converted = new Uint8Array(PIECE_BYTES);
  let mask = keccak256(maskPrompt(terms));
  for (let at = 0; at < PIECE_BYTES; at += WORD_BYTES) {
    const before = piece.subarray(at, at + WORD_BYTES);
    const after = before.map((byte, index) => byte ^ (mask[index] ?? 0));
    converted.set(after, at);
    mask = keccak256(sealed(before, after));
  }
  return converted;
}
