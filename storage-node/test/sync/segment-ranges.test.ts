import assert from 'node:assert/strict';
import type { LogEntry } from '@cairn/log-layer';
import { ownedSegments } from '@cairn/wire-protocol';
import fc from 'fast-check';
import { missingRanges, restOf } from '../../src/sync/segment-ranges.ts';

const SEGMENT = 262_144;

describe('what a shard lacks of an entry', () => {
  const cases = fc
    .integer({ min: 0, max: 4 })
    .chain((power) =>
      fc.tuple(
        fc.record({ id: fc.nat(2 ** power - 1), count: fc.constant(2 ** power) }),
        fc.nat(5000),
        fc.integer({ min: 1, max: 200 }),
        fc.uniqueArray(fc.nat(199)),
      ),
    );

  it('is asked for in ranges of one step and eight segments at most, each missing segment once', () => {
    fc.assert(
      fc.property(cases, ([shard, startSegment, segments, heldList]) => {
        const entry = {
          startSector: startSegment * 1024,
          sizeBytes: segments * SEGMENT - 5,
        } as LogEntry;
        const held = new Set(heldList);
        const asked: number[] = [];
        for (const { first, step, count } of missingRanges(shard, entry, (at) => !held.has(at))) {
          assert.equal(step, shard.count);
          assert.ok(count >= 1 && count <= 8);
          for (let at = 0; at < count; at += 1) asked.push(first + at * step);
        }
        const owned = [...ownedSegments(shard, entry.startSector, entry.sizeBytes)];
        assert.deepEqual(
          asked,
          owned.filter((index) => !held.has(index)),
        );
      }),
      { seed: 90_117 },
    );
  });

  it('goes on from the first segment that did not come, and ends when all came', () => {
    const range = { first: 3, step: 4, count: 5 };
    assert.deepEqual(
      restOf(range, (index) => index >= 11),
      { first: 11, step: 4, count: 3 },
    );
    assert.deepEqual(
      restOf(range, () => true),
      range,
    );
    assert.equal(
      restOf(range, () => false),
      undefined,
    );
  });
});
