import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import fc from 'fast-check';
import {
  fileShape,
  paddedSectors,
  segmentDataBytes,
  segmentLeaves,
  segmentRealBytes,
  submissionHeights,
} from '../src/index.ts';
import { SEED, vectors } from './support.ts';

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 20 }),
  fc.integer({ min: 1, max: 2 ** 50 }),
  // around powers of two, where padding and segments change
  fc
    .tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: -300, max: 300 }))
    .map(([power, offset]) => Math.max(1, 2 ** power + offset)),
);

describe('file shapes', () => {
  it('have the chunks, segments and node heights of the official SDK', () => {
    for (const file of [...vectors.files, ...vectors.filesAperiodic.files]) {
      if (file.size === 0) continue;
      const shape = fileShape(file.size);
      assert.equal(shape.sectors, file.numChunks);
      assert.equal(shape.segments, file.numSegments);
      assert.equal(shape.paddedSegments, file.numSegmentsPadded);
      if (file.paddedChunks !== undefined) assert.equal(shape.paddedSectors, file.paddedChunks);
      const heights = (file.nodes ?? file.submission?.nodes ?? []).map((node) => node.height);
      assert.deepEqual(
        shape.nodes.map((node) => node.height),
        heights,
      );
    }
  });

  it('pad by at most an eighth, to a sixteenth of the next power of two', () => {
    const property = fc.property(fc.integer({ min: 1, max: 2 ** 46 }), (sectors) => {
      const padded = paddedSectors(sectors);
      const power = 2 ** Math.ceil(Math.log2(sectors));
      assert.ok(padded >= sectors && padded * 8 <= sectors * 9);
      assert.equal(padded % Math.max(1, power / 16), 0);
    });
    fc.assert(property, { seed: SEED });
  });

  it('are tiled by one to four nodes of falling height, also far beyond 32 bits', () => {
    const property = fc.property(sizes, (sizeBytes) => {
      const shape = fileShape(sizeBytes);
      let startSector = 0;
      let above = Infinity;
      for (const node of shape.nodes) {
        assert.equal(node.startSector, startSector);
        assert.ok(node.height < above);
        startSector += 2 ** node.height;
        above = node.height;
      }
      assert.equal(startSector, shape.paddedSectors);
      assert.ok(shape.nodes.length >= 1 && shape.nodes.length <= 4);
      assert.ok((shape.nodes[0]?.height ?? 0) - above <= 3);
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });

  it('split bytes and leaves among segments without a rest', () => {
    const property = fc.property(sizes, (sizeBytes) => {
      const shape = fileShape(sizeBytes);
      const last = shape.segments - 1;
      assert.equal(last * 262_144 + segmentRealBytes(shape, last), sizeBytes);
      assert.equal(last * 262_144 + segmentDataBytes(shape, last), shape.sectors * 256);
      const lastPadded = shape.paddedSegments - 1;
      assert.equal(lastPadded * 1024 + segmentLeaves(shape, lastPadded), shape.paddedSectors);
      assert.ok(shape.lastSegmentLeaves >= 1 && shape.lastSegmentLeaves <= 1024);
      if (last > 0) assert.equal(segmentDataBytes(shape, 0), 262_144);
      // the trees rely on it: segments that are padding only are whole
      if (lastPadded > last) assert.equal(shape.lastSegmentLeaves, 1024);
    });
    fc.assert(property, { seed: SEED, numRuns: 500 });
  });

  it('of a pebibyte are right to the sector', () => {
    const shape = fileShape(2 ** 50 + 1);
    assert.equal(shape.sectors, 2 ** 42 + 1);
    assert.equal(shape.paddedSectors, 2 ** 42 + 2 ** 39);
    assert.deepEqual(submissionHeights(shape.paddedSectors), [42, 39]);
  });

  it('refuse empty files, fractions and segments that are not there', () => {
    assert.throws(
      () => fileShape(0),
      (error) => isFault(error, 'FILE_EMPTY'),
    );
    assert.throws(() => fileShape(1.5), RangeError);
    assert.throws(() => fileShape(-1), RangeError);
    const shape = fileShape(262_145);
    for (const index of [-1, 2, 0.5, Number.NaN]) {
      assert.throws(
        () => segmentDataBytes(shape, index),
        (error) => isFault(error, 'SEGMENT_INDEX'),
      );
    }
  });
});
