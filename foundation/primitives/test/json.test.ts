import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isRecord, type Json, stringifyJson } from '../src/json.ts';

describe('json', () => {
  it('writes what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        assert.equal(stringifyJson(value as Json), JSON.stringify(value));
      }),
      { seed: 7 },
    );
  });

  it('writes a bigint digit for digit and leaves out what is undefined', () => {
    assert.equal(
      stringifyJson({ id: 18_014_398_509_481_985n, list: [1n, null], gone: undefined }),
      '{"id":18014398509481985,"list":[1,null]}',
    );
    assert.throws(() => stringifyJson(Number.NaN), /no JSON form/);
  });

  it('tells an object from null and lists', () => {
    assert.deepEqual([{}, [], null, 'x'].map(isRecord), [true, false, false, false]);
  });
});
