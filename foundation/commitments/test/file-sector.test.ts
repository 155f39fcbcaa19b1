import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import fc from 'fast-check';
import {
  commitBytes,
  type FileSector,
  type Hasher,
  loadHasher,
  ProofError,
  proveFileSector,
  segmentDataBytes,
  verifyFileSector,
  verifySegment,
} from '../src/index.ts';
import { aperiodicBytes, flipBit, SEED } from './support.ts';

describe('paths from sectors to a file’s root', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await loadHasher();
  });

  function sectorOf(bytes: Uint8Array, index: number): FileSector {
    const { root, shape, tree } = commitBytes(hasher, bytes);
    const segmentIndex = Math.floor(index / 1024);
    const data = new Uint8Array(segmentDataBytes(shape, segmentIndex));
    data.set(bytes.subarray(segmentIndex * 262_144, segmentIndex * 262_144 + data.length));
    const proof = tree.proofAt(segmentIndex);
    const claim = { root, sizeBytes: bytes.length, index: segmentIndex, data, proof };
    return proveFileSector(verifySegment(claim, hasher), index % 1024, hasher);
  }

  it('lead to it from every sector that holds data, whatever the length', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 1_400_000 })),
        fc.double({ min: 0, max: 0.999999, noNaN: true }),
        (sizeBytes, where) => {
          const sectors = Math.ceil(sizeBytes / 256);
          const sector = sectorOf(aperiodicBytes(sizeBytes), Math.floor(where * sectors));
          verifyFileSector(sector, hasher);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('lead nowhere from other bytes, another place, another file or another path', () => {
    const sector = sectorOf(aperiodicBytes(700_000), 1500);
    const [first = new Uint8Array(0), ...rest] = sector.siblings;
    const others: readonly (readonly [Partial<FileSector>, string])[] = [
      [{ data: flipBit(sector.data, 9) }, 'PROOF_WRONG_ROOT'],
      [{ index: 1501 }, 'PROOF_WRONG_ROOT'],
      [{ root: flipBit(sector.root, 3) }, 'PROOF_WRONG_ROOT'],
      [{ siblings: [flipBit(first, 0), ...rest] }, 'PROOF_WRONG_ROOT'],
      [{ siblings: rest }, 'PROOF_LENGTH'],
      [{ siblings: [first.subarray(1), ...rest] }, 'PROOF_HASH_LENGTH'],
      [{ data: sector.data.subarray(1) }, 'SEGMENT_LENGTH'],
      [{ index: Math.ceil(700_000 / 256) }, 'PROOF_INDEX'],
    ];
    for (const [change, code] of others) {
      assert.throws(
        () => verifyFileSector({ ...sector, ...change }, hasher),
        (error) => error instanceof ProofError && isFault(error, code),
        code,
      );
    }
  });
});
