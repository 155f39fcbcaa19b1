import assert from 'node:assert/strict';
import { plainBlake3Suite } from '@cairn/commitments/rows';
import { isSoak } from '../../../../test/support/soak.ts';
import { checkParity, commitBlob, rowsOf } from '../../src/commitment.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
import type { RowCodec } from '../../src/row-codec.ts';
import { loadWasmCodec } from '../../src/wasm/wasm-codec.ts';
import { assertHolds } from '../gpu/expected.ts';
import { assertSameBytes, bytesOf, isCodecFault, placedRows, shapeOf, signal } from '../support.ts';
import { gpuOfSuite, startedOrWhyNot } from './gpu-support.ts';

/** Few columns where there are many rows: a GPU in software does a megabyte a second. */
const SHAPES = [
  [1, 1, 64],
  [2, 2, 64],
  [3, 1, 128],
  [5, 2, 128],
  [6, 2, 1024],
  [6, 3, 1024 + 64],
  [7, 3, 128],
  [8, 2, 64],
  [6, 1, 5 * 1024 + 64],
  [10, 3, 128],
  [12, 3, 64],
] as const;

describe('the codec on a GPU', () => {
  const codec = gpuOfSuite();
  let wasm: RowCodec;
  before(async () => {
    wasm = await loadWasmCodec();
  });

  for (const [log2K, cosets, rowBytes] of SHAPES) {
    const rows = 2 ** log2K;
    it(`makes parity, leaves and combinations of ${rows} rows of ${rowBytes} bytes and ${cosets * rows} parity rows`, async () => {
      const shape = shapeOf(log2K, cosets, rowBytes);
      const expected = log2K < 6 ? referenceCodec() : wasm;
      await assertHolds(codec(), shape, expected, log2K * 4 + cosets);
    });
  }

  for (const [bytes, cosets, minLog2K] of [
    [0, 3, 6],
    [1, 1, 6],
    [5000, 2, 7],
    [70_000, 3, 6],
  ] as const) {
    it(`commits to ${bytes} bytes as the reference does`, async () => {
      const payload = bytesOf(bytes, bytes + 9);
      const network = { cosets, minLog2K };
      const options = { suite: plainBlake3Suite, signal };
      const blob = await commitBlob(payload, network, { ...options, codec: codec() });
      const expected = await commitBlob(payload, network, { ...options, codec: wasm });
      assertSameBytes(blob.commitment, expected.commitment, 'commitments');
      assertSameBytes(blob.combinations, expected.combinations, 'combinations');
      await checkParity(blob, options);
      const indexes = [blob.layout.rows - 1, 0];
      assert.deepEqual(
        await rowsOf(blob, indexes, { signal }),
        await rowsOf(expected, indexes, { signal }),
      );
      blob.held.release();
      expected.held.release();
    });
  }

  it('decodes what it encoded', async () => {
    const shape = shapeOf(6, 1, 128);
    const data = bytesOf(64 * 128, 3);
    const parity = await codec().encode(data, shape, { signal });
    const rows = placedRows(data, parity, 128).slice(20, 84);
    assertSameBytes(await codec().decode(rows, shape, { signal }), data, 'data');
  });

  it('does several calls at once', async () => {
    const shapes = [shapeOf(2, 2, 64), shapeOf(6, 1, 64), shapeOf(3, 1, 128)];
    await Promise.all(
      shapes.map((shape, index) => assertHolds(codec(), shape, referenceCodec(), 70 + index)),
    );
  });

  it('stops when told, and goes on with the next', async () => {
    const shape = shapeOf(12, 3, 256);
    const data = bytesOf(4096 * 256, 1);
    const stopped = new AbortController();
    const encoding = codec().hold(data, shape, { signal: stopped.signal });
    setImmediate(() => stopped.abort(new Error('enough')));
    await assert.rejects(encoding, /enough/);
    await assertHolds(codec(), shapeOf(2, 2, 64), referenceCodec(), 5);
  });

  it('refuses data that does not fit its shape', async () => {
    await assert.rejects(
      codec().hold(bytesOf(100, 1), shapeOf(1, 1, 64), { signal }),
      isCodecFault({ code: 'ROW_LENGTH', expectedBytes: 128, actualBytes: 100 }),
    );
  });
});

describe('the codec on a GPU whose buffers are small', () => {
  const codec = gpuOfSuite(() => startedOrWhyNot({ maxBufferBytes: 2 ** 18 }));
  after(() => codec().close());

  it('makes the same of strips and parts', async () => {
    const wasm = await loadWasmCodec();
    // Strips and blocks of sixteen chunks and of one, parts of 240 rows.
    await assertHolds(codec(), shapeOf(8, 1, 1024 + 64), wasm, 12);
    // Strips of four chunks and of one, parts of 819 rows: kernels of their own to compile.
    if (isSoak) await assertHolds(codec(), shapeOf(10, 1, 320), wasm, 11);
  });
});
