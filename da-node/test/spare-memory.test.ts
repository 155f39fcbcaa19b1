import { equal, notEqual, ok } from 'node:assert/strict';
import { SpareMemory } from '../src/spare-memory.ts';

describe('spare memory', () => {
  it('is used again for lengths that are alike, and not while it is taken', () => {
    const spare = new SpareMemory({ maxIdleBytes: 1 << 20 });
    const first = spare.take(100_000);
    equal(first.length, 100_000);
    notEqual(spare.take(100_000).buffer, first.buffer);
    spare.giveBack(first.subarray(7, 9));
    ok(spare.idleBytes >= 100_000 && spare.idleBytes < 113_000);
    const again = spare.take(99_000);
    equal(again.buffer, first.buffer);
    equal(again.length, 99_000);
    equal(spare.idleBytes, 0);
  });

  it('keeps no more than its bound, and lets go of what was used longest ago', () => {
    const spare = new SpareMemory({ maxIdleBytes: 3000 });
    const [old, young, large] = [spare.take(1024), spare.take(2048), spare.take(4096)];
    spare.giveBack(old);
    spare.giveBack(young);
    equal(spare.idleBytes, 2048);
    equal(spare.take(2048).buffer, young.buffer);
    spare.giveBack(large);
    equal(spare.idleBytes, 0);
    equal(spare.take(0).length, 0);
  });
});
