import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  bigEndianBytes,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  isHexOf,
  isZeroBytes,
  readSafeU64,
  toHex,
  viewOf,
  writeSafeU64,
} from '../src/bytes.ts';

const SEED = 20261121;

describe('bytes', () => {
  it('reads back the hex it writes, as Node does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(toHex(bytes), `0x${Buffer.from(bytes).toString('hex')}`);
        assert.deepEqual(fromHex(toHex(bytes)), bytes);
        assert.deepEqual(fromHex(toHex(bytes).toUpperCase().replace('0X', '')), bytes);
      }),
      { seed: SEED },
    );
  });

  it('refuses hex that is odd or has other characters', () => {
    assert.throws(() => fromHex('0x123'), /odd number of digits: 3/);
    for (const text of ['0x1g', '0x/0', '0x:0', '0x@0', '0x`0', '0x 1', '0xé0']) {
      assert.throws(() => fromHex(text), RangeError, text);
    }
    assert.equal(isHexOf('0xABcd', 2), true);
    assert.equal(isHexOf('0xabcde', 2), false);
    assert.equal(isHexOf(12, 2), false);
  });

  it('orders arrays as Buffer.compare does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (a, b) => {
        assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
        assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
      }),
      { seed: SEED },
    );
  });

  it('joins parts in order', () => {
    assert.deepEqual(
      concatBytes(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)),
      Uint8Array.of(1, 2, 3),
    );
    assert.equal(isZeroBytes(new Uint8Array(9)), true);
    assert.equal(isZeroBytes(Uint8Array.of(0, 0, 1)), false);
  });

  it('keeps every safe integer through eight bytes and refuses the rest', () => {
    const bytes = new Uint8Array(8);
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (value) => {
        writeSafeU64(viewOf(bytes), 0, value);
        assert.equal(readSafeU64(viewOf(bytes), 0), value);
        assert.deepEqual(bigEndianBytes(value, 8), bytes);
      }),
      { seed: SEED },
    );
    bytes.fill(0xff);
    assert.throws(() => readSafeU64(viewOf(bytes), 0), /exceeds 2\^53/);
    assert.throws(() => writeSafeU64(viewOf(bytes), 0, -1), RangeError);
    assert.throws(() => bigEndianBytes(256, 1), /does not fit in 1 bytes/);
    assert.throws(() => bigEndianBytes(-1, 4), /negative/);
  });
});
