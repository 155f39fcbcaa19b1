import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from './bytes.ts';

/** Keccak-256 as Ethereum uses it. For cold paths: whole files go through `@cairn/commitments`. */
export function keccak256(...parts: readonly Uint8Array[]): Uint8Array {
  return keccak_256(
    parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(...parts),
  );
}
