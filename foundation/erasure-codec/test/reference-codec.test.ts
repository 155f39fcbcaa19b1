import assert from 'node:assert/strict';
import { referenceCodec } from '../src/reference-codec.ts';
import { bytesOf, placedRows, shapeOf, shuffled, signal } from './support.ts';

describe('the reference codec', () => {
  const codec = referenceCodec();

  for (const log2K of [2, 3, 4, 5, 6, 7, 8]) {
    for (const cosets of [1, 2, 3]) {
      it(`makes data of any ${2 ** log2K} rows with ${cosets} cosets of parity`, async () => {
        const shape = shapeOf(log2K, cosets, cosets === 2 ? 128 : 64);
        const data = bytesOf(shape.dataRows * shape.rowBytes, log2K * 4 + cosets);
        const rows = placedRows(data, await codec.encode(data, shape, { signal }), shape.rowBytes);
        for (let run = 0; run < 6; run += 1) {
          const some = shuffled(rows, run).slice(0, shape.dataRows);
          assert.deepEqual(await codec.decode(some, shape, { signal }), data, `seed ${run}`);
        }
      });
    }
  }
});
