import assert from 'node:assert/strict';
import { concatBytes, isFault, seededRng, utf8Bytes } from '@cairn/primitives';
import {
  parseSafetensorsHeader,
  SAFETENSORS_PREFIX_BYTES,
  safetensorsHeaderBytes,
} from '../../src/references/safetensors.ts';

const MODEL = {
  __metadata__: { format: 'pt' },
  weight: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  bias: { dtype: 'BF16', shape: [3], data_offsets: [24, 30] },
  scale: { dtype: 'F64', shape: [], data_offsets: [30, 38] },
  none: { dtype: 'U8', shape: [0, 4], data_offsets: [38, 38] },
};

const headerOf = (fields: unknown): Uint8Array => utf8Bytes(`${JSON.stringify(fields)}  `);
const read = (fields: unknown, dataBytes = 38) => {
  const header = headerOf(fields);
  return parseSafetensorsHeader(header, SAFETENSORS_PREFIX_BYTES + header.length + dataBytes);
};
const refused = { code: 'SDK_SAFETENSORS' };

describe('a safetensors file', () => {
  it('says where each tensor is, in the order of their bytes', () => {
    const at = SAFETENSORS_PREFIX_BYTES + headerOf(MODEL).length;
    assert.deepEqual(
      read(MODEL).map(({ name, offset, length }) => [name, offset - at, length]),
      [
        ['weight', 0, 24],
        ['bias', 24, 6],
        ['scale', 30, 8],
        ['none', 38, 0],
      ],
    );
  });

  it('is refused where tensors overlap, leave holes, or are not as long as their shape', () => {
    const { weight, bias } = MODEL;
    const wrong: readonly unknown[] = [
      { ...MODEL, bias: { ...bias, data_offsets: [23, 29] } },
      { ...MODEL, bias: { ...bias, data_offsets: [25, 31] } },
      { ...MODEL, bias: { ...bias, shape: [4] } },
      { ...MODEL, bias: { ...bias, dtype: 'F33' } },
      { ...MODEL, weight: { ...weight, shape: [-2, -3] } },
      { ...MODEL, weight: { ...weight, shape: [2 ** 52, 2 ** 52] } },
      { ...MODEL, weight: { ...weight, data_offsets: [24, 0] } },
      { ...MODEL, weight: { ...weight, data_offsets: [0, 24, 48] } },
      { ...MODEL, weight: null },
      [],
      { a: { b: { c: { d: 1 } } } },
    ];
    for (const fields of wrong) assert.throws(() => read(fields), refused, JSON.stringify(fields));
    assert.throws(() => read(MODEL, 37), refused);
    assert.throws(() => read(MODEL, 39), refused);
    assert.throws(() => parseSafetensorsHeader(utf8Bytes('{'), 9), refused);
  });

  it('has a header that fits', () => {
    const prefix = (length: bigint): Uint8Array => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, length, true);
      return bytes;
    };
    assert.equal(safetensorsHeaderBytes(prefix(92n), 100), 92);
    for (const length of [0n, 1n, 93n, 2n ** 64n - 1n]) {
      assert.throws(() => safetensorsHeaderBytes(prefix(length), 100), refused);
    }
    assert.throws(() => safetensorsHeaderBytes(prefix(100_000_001n), 2 ** 40), refused);
    assert.throws(() => safetensorsHeaderBytes(new Uint8Array(4), 4), refused);
  });

  it('is read as it is or refused by name, whatever is changed (seed 7704)', () => {
    const rng = seededRng(7704);
    const header = headerOf(MODEL);
    for (let run = 0; run < 3000; run += 1) {
      const changed = concatBytes(header);
      for (let times = 1 + rng.below(3); times > 0; times -= 1) {
        changed[rng.below(changed.length)] = rng.below(128);
      }
      const sizeBytes = SAFETENSORS_PREFIX_BYTES + changed.length + 38;
      try {
        const tensors = parseSafetensorsHeader(changed, sizeBytes);
        const held = tensors.reduce((sum, { length }) => sum + length, 0);
        assert.equal(held, 38, 'every byte is of one tensor');
      } catch (error) {
        assert.ok(isFault(error, 'SDK_SAFETENSORS'), String(error));
      }
    }
  });
});
