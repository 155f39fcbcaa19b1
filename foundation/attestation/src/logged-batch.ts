import { equalBytes, keccak256 } from '@cairn/primitives';
import { DA_LOG_TYPES, type DaLogLeaf, parseDaLogLeaf } from './da-log-leaf.ts';
import { DaLogError } from './errors.ts';
import { assertIndex, leafHash, rootOfPath } from './merkle-tree.ts';

/** Void bits of one word, which is a number of 32 bytes. */
const WORD_BITS = 256;

declare const verified: unique symbol;

/** A leaf that stands in the log whose root was given. Only `verifyDaLogLeaf` makes one. */
export type VerifiedDaLogLeaf = DaLogLeaf & { readonly [verified]: 'logged' };

/** A leaf of a DA log with its proof, as anyone may bring it. */
export interface DaLogProof {
  readonly body: Uint8Array;
  readonly index: number;
  /** 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
}

/** A DA log at some time: what its entrance or a checkpoint of its shard says. */
export interface DaLogState {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Leaves. */
  readonly count: number;
}

/** A confirmed batch, and which of its leaves count. */
export interface LoggedBatch {
  readonly leaf: VerifiedDaLogLeaf;
  /** See `voidWordsOf`: for a batch that has void leaves. */
  readonly voidWords?: Uint8Array;
}

/**
 * Proves that a leaf stands in a DA log.
 *
 * @throws {DaLogError} DA_LOG_FOREIGN; {PathError} PATH_INDEX, PATH_LENGTH; {MessageError}
 */
export function verifyDaLogLeaf(
  { body, index, path }: DaLogProof,
  { root, count }: DaLogState,
): VerifiedDaLogLeaf {
  const found = rootOfPath({ leaf: leafHash(body), index, count, path });
  if (equalBytes(found, root)) return parseDaLogLeaf(body) as VerifiedDaLogLeaf;
  throw new DaLogError(
    { code: 'DA_LOG_FOREIGN', index, count },
    `what was brought is not leaf ${index} of the log with ${count} leaves`,
  );
}

/**
 * The void words of a batch, 32 bytes for each 256 leaves: bit n of word w, counted from the lowest,
 * stands for leaf 256w + n. Their hash stands in the batch's leaf of the log.
 *
 * @param count - leaves of the batch
 * @param voids - indexes of those that count for nothing
 * @throws {PathError} PATH_INDEX
 */
export function voidWordsOf(count: number, voids: Iterable<number>): Uint8Array {
  const words = new Uint8Array(voidWordsBytes(count));
  for (const index of voids) {
    assertIndex(index, count);
    const at = byteOf(index);
    words[at] = (words[at] ?? 0) | bitOf(index);
  }
  return words;
}

/**
 * Refuses a leaf of a batch that the log calls void.
 *
 * @param batch - words of another batch, or none where its leaf names some, prove nothing
 * @throws {DaLogError} DA_LOG_LEAF_VOID; DA_LOG_VOIDS; DA_LOG_NO_BATCH for a failed challenge;
 *   {PathError} PATH_INDEX
 */
export function requireCounted(
  { leaf, voidWords }: { readonly leaf: DaLogLeaf; readonly voidWords?: Uint8Array },
  leafIndex: number,
): void {
  const { type, count } = leaf;
  if (type === DA_LOG_TYPES.failedChallenge) {
    throw new DaLogError({ code: 'DA_LOG_NO_BATCH', type }, 'the log leaf tells of no batch');
  }
  assertIndex(leafIndex, count);
  if (leaf.type !== DA_LOG_TYPES.batchWithVoids) return;
  const expectedBytes = voidWordsBytes(count);
  const isOfBatch =
    voidWords?.length === expectedBytes && equalBytes(keccak256(voidWords), leaf.voidsHash);
  if (!isOfBatch) {
    const actualBytes = voidWords?.length ?? 0;
    throw new DaLogError(
      { code: 'DA_LOG_VOIDS', expectedBytes, actualBytes },
      `${actualBytes} bytes are not the ${expectedBytes} of void words that the log names`,
    );
  }
  if (((voidWords[byteOf(leafIndex)] ?? 0) & bitOf(leafIndex)) === 0) return;
  throw new DaLogError(
    { code: 'DA_LOG_LEAF_VOID', leafIndex, count },
    `leaf ${leafIndex} of ${count} counts for nothing: it was not paid for`,
  );
}

function voidWordsBytes(count: number): number {
  return Math.ceil(count / WORD_BITS) * (WORD_BITS / 8);
}

/** Words are numbers, whose lowest bits stand in their last byte. */
function byteOf(index: number): number {
  const wordBytes = WORD_BITS / 8;
  const word = Math.floor(index / WORD_BITS);
  return (word + 1) * wordBytes - 1 - Math.floor((index % WORD_BITS) / 8);
}

function bitOf(index: number): number {
  return 1 << (index % 8);
}
