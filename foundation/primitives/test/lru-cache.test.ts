import assert from 'node:assert/strict';
import { LruCache } from '../src/lru-cache.ts';

describe('LruCache', () => {
  it('drops what was used longest ago and never exceeds its budget', () => {
    const cache = new LruCache<string, string>({ maxWeight: 10, weigh: (value) => value.length });
    cache.set('a', 'xxxx');
    cache.set('b', 'xxxx');
    cache.get('a');
    cache.set('c', 'xxxx');
    assert.equal(cache.get('b'), undefined);
    assert.equal(cache.get('a'), 'xxxx');
    assert.equal(cache.weight, 8);
    cache.set('huge', 'x'.repeat(11));
    assert.equal(cache.get('huge'), undefined);
    cache.set('a', 'yy');
    assert.equal(cache.weight, 6);
    cache.clear();
    assert.equal(cache.weight, 0);
  });
});
