import assert from 'node:assert/strict';
import { isFault } from '../src/fault.ts';
import { chainIdOf, parseAddress, parseRoot, rootBytes, rootOf, sequenceOf } from '../src/ids.ts';

describe('ids', () => {
  it('takes either case and gives lower case', () => {
    const text = `0x${'AbCd'.repeat(16)}`;
    assert.equal(parseRoot(text), text.toLowerCase());
    assert.equal(rootOf(rootBytes(parseRoot(text))), text.toLowerCase());
    assert.equal(parseAddress(`0x${'EF'.repeat(20)}`), `0x${'ef'.repeat(20)}`);
  });

  it('names the fault, with the text shortened', () => {
    assert.throws(
      () => parseRoot('x'.repeat(5000)),
      (error: unknown) => isFault(error, 'ID_NOT_A_ROOT') && error.message.length < 200,
    );
    assert.throws(() => parseAddress('0x00'), /20|40 hex digits/);
    assert.throws(() => chainIdOf(0), /from 1, not 0/);
    assert.throws(() => sequenceOf(1.5), /not 1.5/);
  });
});
