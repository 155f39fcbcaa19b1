import assert from 'node:assert/strict';
import { concatBytes, equalBytes } from '@cairn/primitives';
import { BLOB_PARAMS_BYTES, encodeParams, parseParams } from '../../src/blob-params.ts';
import { checkParity, commitBlob, commitMatrix, rowsOf } from '../../src/commitment.ts';
import { layoutOf } from '../../src/layout.ts';
import { verifyRows } from '../../src/verify-row.ts';
import {
  committed,
  flipped,
  isSliceFault,
  optionsOf,
  refusalOf,
  SUITES,
  smallLayout,
  verifiedHeader,
} from '../blob-support.ts';
import { bytesOf, isCodecFault, signal } from '../support.ts';

for (const suite of SUITES) {
  describe(`a commitment with ${suite.name}`, () => {
    it('proves every row, and its combination', async () => {
      for (const [payloadBytes, network] of [
        [0, { cosets: 1 }],
        [5_000, { cosets: 2 }],
        [9_000, {}],
        [100, { minLog2K: 7, cosets: 1 }],
      ] as const) {
        const blob = await committed(payloadBytes, suite, network);
        assert.deepEqual(blob.layout, layoutOf(payloadBytes, network));
        const rows = await rowsOf(blob, [...Array(blob.layout.rows).keys()], { signal });
        assert.equal(
          verifyRows(rows, verifiedHeader(blob, suite), { suite }).length,
          blob.layout.rows,
        );
        await checkParity(blob, optionsOf(suite));
        await assert.rejects(
          rowsOf(blob, [0, rows.length], { signal }),
          isCodecFault({ code: 'ROW_INDEX', index: rows.length, rows: rows.length }),
        );
      }
    });

    it('is another for another payload, length, network or suite', async () => {
      const payload = bytesOf(200, 1);
      const [first, second] = SUITES;
      assert.ok(first && second);
      const blobs = [
        await commitBlob(payload, {}, optionsOf(first)),
        await commitBlob(payload, {}, optionsOf(second)),
        await commitBlob(payload, { cosets: 2 }, optionsOf(suite)),
        await commitBlob(payload, { minLog2K: 7 }, optionsOf(suite)),
        await commitBlob(concatBytes(payload, new Uint8Array(1)), {}, optionsOf(suite)),
        await commitBlob(flipped(payload, 3), {}, optionsOf(suite)),
      ];
      assert.equal(new Set(blobs.map(({ commitment }) => commitment.join())).size, blobs.length);
    });

    it('is not sent out with parity that a fault of memory changed', async () => {
      const blob = await committed(3_000, suite, { cosets: 2 });
      const { layout } = blob;
      const at = 70 * layout.rowBytes + 5;
      const { parity } = blob.held;
      parity[at] = (parity[at] ?? 0) ^ 4;
      await assert.rejects(
        checkParity(blob, optionsOf(suite)),
        isCodecFault({ code: 'PARITY', index: layout.dataRows + 70 }),
      );
      await assert.rejects(
        checkParity(blob, { ...optionsOf(suite), oneIn: 16, first: 70 % 16 }),
        isCodecFault({ code: 'PARITY', index: layout.dataRows + 70 }),
      );
      await checkParity(blob, { ...optionsOf(suite), oneIn: 16, first: 71 % 16 });
    });
  });
}

describe('committing', () => {
  const [suite] = SUITES;
  assert.ok(suite);

  it('gives others their turn, and the same commitment', async () => {
    const layout = smallLayout(6, 1, 0, 36_864);
    const data = new Uint8Array(64 * 36_864).map((_, at) => (at * at) >> 3);
    let turns = 0;
    const clock = {
      async sleep() {
        turns += 1;
      },
    };
    const codec = { encode: () => Promise.resolve(data) }; // parity of this codec: the data again
    const blob = await commitMatrix(data, layout, { suite, codec, clock, signal });
    assert.equal(turns, 6, 'data, parity and combinations, of 2.25 MiB each, begun and halfway');
    const [dataRoot, parityRoot] = blob.cosetRoots;
    assert.deepEqual(dataRoot, parityRoot);
    const rows = await rowsOf(blob, [...Array(64).keys()], { signal });
    const verified = verifyRows(rows, verifiedHeader(blob, suite), { suite });
    assert.deepEqual(
      verified.map(({ index }) => index),
      rows.map(({ index }) => index),
    );
  });

  it('stops when told to', async () => {
    await assert.rejects(
      commitBlob(bytesOf(10, 1), {}, { ...optionsOf(suite), signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    );
  });
});

describe('parameters', () => {
  it('are read back, for every class of length and every network', () => {
    for (const payloadBytes of [0, 65_528, 65_529, 1_048_568, 16_777_208, 134_217_720]) {
      for (const cosets of [1, 2, 3]) {
        for (const minLog2K of [6, 8, 10, 12]) {
          const params = {
            suite: 1,
            layout: layoutOf(payloadBytes, { cosets, minLog2K }),
          } as const;
          const bytes = encodeParams(params);
          assert.equal(bytes.length, BLOB_PARAMS_BYTES);
          assert.deepEqual(parseParams(bytes), params);
        }
      }
    }
  });

  it('have the documented bytes', () => {
    const bytes = encodeParams({ suite: 1, layout: layoutOf(70_000, { cosets: 2 }) });
    assert.equal(
      Buffer.from(bytes).toString('hex'),
      `${'01'}${'01'}${'02'}${'08'}${'1000'}${'40010000'}${'7011010000000000'}${'000000000000'}`,
    );
  });

  it('name the field that no blob has', () => {
    const bytes = encodeParams({ suite: 0, layout: layoutOf(70_000, {}) });
    for (const [at, value, field] of [
      [0, 2, 'version'],
      [1, 2, 'suite'],
      [2, 0, 'cosets'],
      [2, 4, 'cosets'],
      [3, 5, 'log2K'],
      [3, 7, 'log2K'],
      [3, 13, 'log2K'],
      [4, 17, 'combinationSymbols'],
      [6, 0, 'rowBytes'],
      [14, 1, 'payloadBytes'],
      [17, 255, 'payloadBytes'],
      [18, 1, 'padding'],
      [23, 128, 'padding'],
    ] as const) {
      const changed = bytes.slice();
      changed[at] = value;
      assert.throws(() => parseParams(changed), isSliceFault({ code: 'SLICE_HEADER', field }));
    }
    assert.equal(
      refusalOf(() => parseParams(bytes.subarray(1)), 'short'),
      'SLICE_LENGTH',
    );
    assert.ok(equalBytes(encodeParams(parseParams(bytes)), bytes));
  });
});
