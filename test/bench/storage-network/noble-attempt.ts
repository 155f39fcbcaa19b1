import { blake2b } from '@noble/hashes/blake2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

const PIECE_BYTES = 4096;
const PAD_BYTES = 16_384;

/** An attempt over a segment as one would write it with @noble/hashes alone: the smallest hash's first byte. */
export function nobleAttempt(prompt: Uint8Array, segment: Uint8Array): number {
  const seed = blake2b(prompt, { dkLen: 64 });
  const pad = noblePad(seed);
  const message = new Uint8Array(128 + PIECE_BYTES);
  message.set(seed, 32);
  let best = 255;
  for (let piece = 0; piece < segment.length / PIECE_BYTES; piece += 1) {
    message[31] = piece;
    const from = piece * PIECE_BYTES;
    const mask = from % PAD_BYTES;
    for (let at = 0; at < PIECE_BYTES; at += 1) {
      message[128 + at] = (segment[from + at] ?? 0) ^ (pad[mask + at] ?? 0);
    }
    best = Math.min(best, blake2b(message, { dkLen: 64 })[0] ?? 255);
  }
  return best;
}

/** A pad from its seed. */
export function noblePad(seed: Uint8Array): Uint8Array {
  const pad = new Uint8Array(PAD_BYTES);
  const cell = seed.slice();
  for (let at = 0; at < PAD_BYTES; at += 64) {
    cell.set(keccak_256(cell), 0);
    cell.set(keccak_256(cell), 32);
    pad.set(cell, at);
  }
  return pad;
}

/** Seals a piece in place from its first mask. */
export function nobleSeal(piece: Uint8Array, firstMask: Uint8Array): void {
  let mask = firstMask;
  for (let at = 0; at < PIECE_BYTES; at += 32) {
    const word = piece.subarray(at, at + 32);
    for (let byte = 0; byte < 32; byte += 1) word[byte] = (word[byte] ?? 0) ^ (mask[byte] ?? 0);
    mask = keccak_256(word);
  }
}
