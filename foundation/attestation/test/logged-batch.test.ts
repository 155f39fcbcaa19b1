import assert from 'node:assert/strict';
import { isFault, keccak256 } from '@cairn/primitives';
import fc from 'fast-check';
import { DA_LOG_TYPES, type DaLogLeaf, encodeDaLogLeaf } from '../src/da-log-leaf.ts';
import { requireCounted, verifyDaLogLeaf, voidWordsOf } from '../src/logged-batch.ts';
import { leafHash, treePath, treeRoot } from '../src/merkle-tree.ts';
import { SEED } from './support.ts';

const PLACE = { batchRoot: keccak256(), epoch: 5, quorumId: 0, timeSeconds: 1_800_000_000 };

/** The log's leaf of a batch with void leaves, and its void words. */
function withVoids(count: number, voids: Iterable<number>) {
  const voidWords = voidWordsOf(count, voids);
  const voidsHash = keccak256(voidWords);
  const leaf: DaLogLeaf = { type: DA_LOG_TYPES.batchWithVoids, ...PLACE, count, voidsHash };
  return { leaf, voidWords };
}

function refused(code: string, call: () => unknown): void {
  assert.throws(call, (error) => isFault(error, code), code);
}

describe('logged batches', () => {
  it('keep a bit for each void leaf, lowest first, in words that are numbers', () => {
    const words = voidWordsOf(300, [0, 9, 255, 256]);
    const numbers = [words.subarray(0, 32), words.subarray(32)].map((word) =>
      BigInt(`0x${Buffer.from(word).toString('hex')}`),
    );
    assert.deepEqual(numbers, [1n | (1n << 9n) | (1n << 255n), 1n]);
    refused('PATH_INDEX', () => voidWordsOf(300, [300]));
  });

  it('count every leaf but the void ones', () => {
    const batch = fc
      .integer({ min: 1, max: 600 })
      .chain((count) =>
        fc.tuple(fc.constant(count), fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }))),
      );
    fc.assert(
      fc.property(batch, ([count, voids]) => {
        const logged = withVoids(count, voids);
        for (let index = 0; index < count; index += 1) {
          if (!voids.includes(index)) requireCounted(logged, index);
          else refused('DA_LOG_LEAF_VOID', () => requireCounted(logged, index));
        }
        refused('PATH_INDEX', () => requireCounted(logged, count));
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('believe no void words but those that the log names', () => {
    const { leaf, voidWords } = withVoids(2, [1]);
    for (const wrong of [
      undefined,
      new Uint8Array(0),
      new Uint8Array(32),
      voidWords.subarray(1),
      Uint8Array.of(...voidWords, 0),
      withVoids(300, [1]).voidWords,
    ]) {
      const claim = wrong === undefined ? { leaf } : { leaf, voidWords: wrong };
      refused('DA_LOG_VOIDS', () => requireCounted(claim, 0));
    }
    requireCounted({ leaf: { type: DA_LOG_TYPES.batch, ...PLACE, count: 2 } }, 1);
    const failed: DaLogLeaf = { type: DA_LOG_TYPES.failedChallenge, ...PLACE, count: 2 };
    refused('DA_LOG_NO_BATCH', () => requireCounted({ leaf: failed }, 0));
  });

  it('are proven to stand in the log', () => {
    const leaf: DaLogLeaf = { type: DA_LOG_TYPES.batch, ...PLACE, count: 2 };
    const logged = [leaf, withVoids(2, [0]).leaf, { ...leaf, epoch: 6 }].map(encodeDaLogLeaf);
    const hashes = logged.map(leafHash);
    const log = { root: treeRoot(hashes), count: 3 };
    for (const [index, body] of logged.entries()) {
      const proof = { body, index, path: treePath(hashes, index) };
      assert.deepEqual(encodeDaLogLeaf(verifyDaLogLeaf(proof, log)), body);
      refused('DA_LOG_FOREIGN', () => verifyDaLogLeaf({ ...proof, index: (index + 1) % 3 }, log));
      refused('PATH_INDEX', () => verifyDaLogLeaf(proof, { ...log, count: index }));
      refused('PATH_LENGTH', () => verifyDaLogLeaf({ ...proof, path: [] }, log));
    }
  });
});
