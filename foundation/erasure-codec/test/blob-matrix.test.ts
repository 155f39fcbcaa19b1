import assert from 'node:assert/strict';
import { KIB, MIB } from '@cairn/primitives';
import { dataMatrix, payloadOf } from '../src/blob-matrix.ts';
import { layoutOf } from '../src/layout.ts';
import { bytesOf, isCodecFault } from './support.ts';

describe("a blob's data rows", () => {
  const sizes = [0, 1, 55, 56, 57, 4_087, 4_088, 4_089, 64 * KIB - 8, 64 * KIB - 7, MIB - 8, MIB];

  for (const size of sizes) {
    it(`give a payload of ${size} bytes back`, () => {
      const layout = layoutOf(size);
      const payload = bytesOf(size, size);
      const data = dataMatrix(payload, layout);
      assert.equal(data.length, layout.dataRows * layout.rowBytes);
      assert.ok(Buffer.from(payloadOf(data, layout)).equals(payload));
    });
  }

  it('begin with version, log2 K, cosets, zero and the length, lowest byte first', () => {
    const size = 0x01_02_03;
    const data = dataMatrix(new Uint8Array(size).fill(9), layoutOf(size, { cosets: 2 }));
    assert.deepEqual([...data.subarray(0, 9)], [1, 8, 2, 0, 3, 2, 1, 0, 9]);
    assert.ok(data.subarray(8, 8 + size).every((byte) => byte === 9));
    assert.ok(data.subarray(8 + size).every((byte) => byte === 0));
  });

  it('are refused with any bit of the header changed', () => {
    const layout = layoutOf(1_000);
    const data = dataMatrix(bytesOf(1_000, 1), layout);
    const fields = ['version', 'log2K', 'cosets', 'reserved', ...Array(4).fill('payloadBytes')];
    for (const [index, field] of fields.entries()) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = data.slice();
        changed[index] = (data[index] ?? 0) ^ (1 << bit);
        assert.throws(() => payloadOf(changed, layout), isHeaderFault(field), `${index}.${bit}`);
      }
    }
  });

  it('are refused with any byte of the padding changed', () => {
    const layout = layoutOf(3_000);
    const data = dataMatrix(bytesOf(3_000, 1), layout);
    assert.equal(data.length, 4_096);
    for (let index = 3_008; index < data.length; index += 1) {
      data[index] = 1 << (index % 8);
      assert.throws(() => payloadOf(data, layout), isHeaderFault('padding'), `byte ${index}`);
      data[index] = 0;
    }
    assert.equal(payloadOf(data, layout).length, 3_000);
  });

  it("are refused under another payload's or network's layout", () => {
    const data = dataMatrix(bytesOf(1_000, 1), layoutOf(1_000));
    assert.throws(() => payloadOf(data, layoutOf(999)), isHeaderFault('payloadBytes'));
    assert.throws(() => payloadOf(data, layoutOf(1_000, { cosets: 2 })), isHeaderFault('cosets'));
  });

  it('have the length of their layout', () => {
    const layout = layoutOf(1_000);
    assert.throws(
      () => payloadOf(new Uint8Array(4_095), layout),
      isCodecFault({ code: 'ROW_LENGTH', expectedBytes: 4_096, actualBytes: 4_095 }),
    );
  });

  it('are not made under the layout of another length', () => {
    assert.throws(
      () => dataMatrix(new Uint8Array(999), layoutOf(1_000)),
      isCodecFault({ code: 'LAYOUT', field: 'payloadBytes', actual: 1_000 }),
    );
  });
});

function isHeaderFault(field: string): (error: unknown) => boolean {
  return isCodecFault({ code: 'BLOB_HEADER', field });
}
