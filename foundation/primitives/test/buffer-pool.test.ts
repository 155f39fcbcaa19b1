import assert from 'node:assert/strict';
import { BufferPool } from '../src/index.ts';

describe('a pool of buffers', () => {
  it('gives the same memory again, at the length asked for', () => {
    const pool = new BufferPool({ bufferBytes: 64, maxIdle: 2 });
    const first = pool.take(10);
    assert.equal(first.length, 10);
    pool.give(first);
    const second = pool.take(64);
    assert.equal(second.buffer, first.buffer);
    assert.equal(second.length, 64);
    assert.notEqual(pool.take(1).buffer, second.buffer);
  });

  it('keeps no more than it was told, and nothing that is not its own', () => {
    const pool = new BufferPool({ bufferBytes: 8, maxIdle: 1 });
    const [one, two] = [pool.take(8), pool.take(8)];
    pool.give(new Uint8Array(9));
    pool.give(one);
    pool.give(two);
    assert.equal(pool.take(8).buffer, one.buffer);
    assert.notEqual(pool.take(8).buffer, two.buffer);
  });

  it('refuses a length above its own', () => {
    assert.throws(() => new BufferPool({ bufferBytes: 8, maxIdle: 1 }).take(9), RangeError);
  });
});
