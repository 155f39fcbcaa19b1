import assert from 'node:assert/strict';
import { dataMatrix } from '../src/blob-matrix.ts';
import { commitMatrix, headerOf } from '../src/commitment.ts';
import type { RowCodec } from '../src/row-codec.ts';
import { verifyHeader } from '../src/verified-header.ts';
import { wrongCosets } from '../src/wrong-cosets.ts';
import { inMemory, membersOf, optionsOf, SUITES, smallLayout } from './blob-support.ts';
import { bytesOf } from './support.ts';

const LAYOUT = smallLayout(2, 3, 200); // 4 rows in each coset

for (const suite of SUITES) {
  describe(`the wrong cosets of a commitment with ${suite.name}`, () => {
    const options = optionsOf(suite);
    /** What rows of one coset tell of a blob whose maker flipped a bit in each of the named rows. */
    const told = async (data: Uint8Array, flipped: readonly number[], from: number) => {
      const encode: RowCodec['encode'] = async (rows, shape, how) => {
        const parity = await options.codec.encode(rows, shape, how);
        for (const row of flipped) {
          const at = (row - LAYOUT.dataRows) * LAYOUT.rowBytes;
          parity[at] = (parity[at] ?? 0) ^ 1;
        }
        return parity;
      };
      const codec = { ...options.codec, encode };
      const blob = inMemory(await commitMatrix(data, LAYOUT, { ...options, codec }));
      const header = verifyHeader(headerOf(blob), blob, options);
      const rows = membersOf(blob, suite).slice(4 * from, 4 * (from + 1));
      return wrongCosets(rows, header, options);
    };
    const data = dataMatrix(bytesOf(200, 8), LAYOUT);

    it('are those in which a row was changed, seen from rows that were not', async () => {
      assert.deepEqual(await told(data, [], 0), []);
      assert.deepEqual(await told(data, [6], 0), [1]);
      assert.deepEqual(await told(data, [8, 9, 15], 0), [2, 3]);
      assert.deepEqual(await told(data, [8, 15], 1), [2, 3]);
    });

    it('are all others, seen from a row that was changed', async () => {
      assert.deepEqual(await told(data, [6], 1), [0, 2, 3]);
    });

    it('are none of a codeword that is of no payload', async () => {
      const padded = data.slice();
      padded[padded.length - 1] = 1;
      assert.deepEqual(await told(padded, [], 0), []);
      assert.deepEqual(await told(padded, [], 2), []);
    });
  });
}
