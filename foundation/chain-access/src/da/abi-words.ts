import type { Snapshot } from '@cairn/attestation';
import { toHex } from '@cairn/primitives';

const WORD_BYTES = 32;

/** The 96 bytes of a key in three words. */
export function keyOfWords(words: readonly [bigint, bigint, bigint]): Uint8Array {
  const key = new Uint8Array(words.length * WORD_BYTES);
  for (const [index, word] of words.entries()) {
    let rest = word;
    for (let at = WORD_BYTES - 1; at >= 0; at -= 1) {
      key[index * WORD_BYTES + at] = Number(rest & 0xffn);
      rest >>= 8n;
    }
  }
  return key;
}

/** Whole words of bytes as arguments of a call. */
export function wordsOfBytes(bytes: Uint8Array): string[] {
  const count = bytes.length / WORD_BYTES;
  return Array.from({ length: count }, (_, index) =>
    toHex(bytes.subarray(index * WORD_BYTES, (index + 1) * WORD_BYTES)),
  );
}

/** A snapshot as an argument of a call. */
export function snapshotArgument(snapshot: Snapshot): unknown[] {
  const { epoch, quorumId, memberCount, totalWeight, membersRoot, aggregateKey } = snapshot;
  const key = wordsOfBytes(aggregateKey);
  return [epoch, quorumId, memberCount, totalWeight, toHex(membersRoot), key];
}
