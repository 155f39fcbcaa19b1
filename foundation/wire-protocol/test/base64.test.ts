import assert from 'node:assert/strict';
import { equalBytes, isFault, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from '../src/base64.ts';

describe('base64', () => {
  it('knows the vectors of RFC 4648', () => {
    const vectors: [string, string][] = [
      ['', ''],
      ['f', 'Zg=='],
      ['fo', 'Zm8='],
      ['foo', 'Zm9v'],
      ['foob', 'Zm9vYg=='],
      ['fooba', 'Zm9vYmE='],
      ['foobar', 'Zm9vYmFy'],
    ];
    for (const [text, encoded] of vectors) {
      assert.equal(encodeBase64(utf8Bytes(text)), encoded);
      assert.ok(equalBytes(decodeBase64(encoded), utf8Bytes(text)));
    }
  });

  it('agrees with the runtime', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        const text = encodeBase64(bytes);
        assert.equal(text, Buffer.from(bytes).toString('base64'));
        assert.ok(equalBytes(decodeBase64(text), bytes));
      }),
    );
  });

  it('takes one text for each value and names where another goes wrong', () => {
    for (const bad of [
      'A',
      'AA',
      'AAA',
      'AA=A',
      '====',
      'A===',
      'Zh==',
      'Zm9=',
      'Z m=',
      'Zm9-',
      'Zm9\u{1f600}',
    ]) {
      assert.throws(
        () => decodeBase64(bad),
        (error) => isFault(error, 'WIRE_BASE64'),
        bad,
      );
    }
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        try {
          assert.equal(encodeBase64(decodeBase64(text)), text);
        } catch (error) {
          assert.ok(isFault(error, 'WIRE_BASE64'));
        }
      }),
    );
  });
});
