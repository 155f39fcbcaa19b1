import assert from 'node:assert/strict';
import { chainIdOf, fromHex, parseRoot, seededRng, toHex } from '@cairn/primitives';
import {
  CONTENT_REFERENCE_BYTES,
  type ContentReference,
  contentReferenceId,
  contentReferenceJson,
  encodeContentReference,
  parseContentReference,
  partOfContent,
} from '../src/index.ts';

const ROOT = parseRoot(`0x${'a1'.repeat(32)}`);
const TENSOR: ContentReference = {
  chainId: chainIdOf(16_600),
  globalIndex: 77,
  root: ROOT,
  sizeBytes: 1000,
  offset: 100,
  length: 50,
};

describe('a reference to content', () => {
  it('has the id that contracts give it, see JobBoard.t.sol', () => {
    const id = '0x6dc1e83ea4edcc2ee4ac93dff1f71bc21b127f0199fd530b715fc98c4b3c6592';
    assert.equal(encodeContentReference(TENSOR).length, CONTENT_REFERENCE_BYTES);
    assert.equal(
      toHex(encodeContentReference(TENSOR)),
      `0x00000000000040d8000000000000004d${'a1'.repeat(32)}00000000000003e800000000000000640000000000000032`,
    );
    assert.equal(contentReferenceId(TENSOR), id);
  });

  it('comes back from its JSON, and means the whole where no range is given', () => {
    const rng = seededRng(20_261_123);
    for (let run = 0; run < 200; run += 1) {
      const sizeBytes = 1 + rng.below(2 ** 32);
      const offset = rng.below(sizeBytes);
      const length = 1 + rng.below(sizeBytes - offset);
      const content = { ...TENSOR, globalIndex: rng.below(2 ** 32), sizeBytes, offset, length };
      assert.deepEqual(parseContentReference(contentReferenceJson(content)), content);
      const part = { offset: rng.below(length), length: 1 };
      assert.equal(partOfContent(content, part).offset, offset + part.offset);
    }
    const { offset: _offset, length: _length, ...whole } = { ...TENSOR, version: 1 };
    assert.deepEqual(parseContentReference(whole), { ...TENSOR, offset: 0, length: 1000 });
  });

  it('is refused by name where a field is missing or out of its bounds', () => {
    const good = { version: 1, ...TENSOR };
    const bad: readonly (readonly [string, unknown])[] = [
      ...(['chainId', 'globalIndex', 'root', 'sizeBytes', 'length'] as const).map(
        (field) => [field, undefined] as const,
      ),
      ['version', 2],
      ['chainId', 0],
      ['globalIndex', -1],
      ['sizeBytes', 0],
      ['offset', 1000],
      ['length', 901],
      ['length', 0],
      ['length', 1.5],
      ['root', '0x12'],
    ];
    for (const [field, value] of bad) {
      assert.throws(() => parseContentReference({ ...good, [field]: value }), {
        code: 'WIRE_FIELD',
      });
    }
    assert.throws(() => parseContentReference('{'), { code: 'WIRE_JSON' });
    assert.throws(() => parseContentReference('[]'), { code: 'WIRE_NOT_AN_OBJECT' });
    const outside = { offset: 10, length: 41 };
    assert.throws(() => partOfContent(TENSOR, outside), { code: 'WIRE_FIELD' });
    assert.throws(() => partOfContent(TENSOR, { offset: 50, length: 1 }), { code: 'WIRE_FIELD' });
    assert.equal(fromHex(contentReferenceId(TENSOR)).length, 32);
  });
});
