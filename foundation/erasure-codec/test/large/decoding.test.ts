import assert from 'node:assert/strict';
import { loadRowSuite } from '@cairn/commitments/rows';
import { seededRng } from '@cairn/primitives';
import { isSoak, runsOf, seedOf } from '../../../../test/support/soak.ts';
import { dataMatrix, payloadOf } from '../../src/blob-matrix.ts';
import { commitMatrix } from '../../src/commitment.ts';
import { pointOf } from '../../src/field.ts';
import { type BlobLayout, layoutOf } from '../../src/layout.ts';
import { readValue } from '../../src/read-value.ts';
import type { PlacedRow } from '../../src/row-codec.ts';
import { readSymbol } from '../../src/symbols.ts';
import { verifyMembership } from '../../src/verify-row.ts';
import { inMemory, rowAt, verifiedHeader } from '../blob-support.ts';
import { type CpuCodec, cpuCodecs } from '../cpu-codecs.ts';
import {
  assertSameBytes,
  bytesOf,
  isCodecFault,
  lagrange,
  NO_TURNS,
  placedRows,
  shapeOf,
  shuffled,
  signal,
} from '../support.ts';

const SEED = seedOf(16_180);
const ERASURES = runsOf(60);
/** The reference codec decodes many rows in tenths of a second. */
const SLOW_ERASURES = runsOf(10);
/** Of 4096 rows, outside the soak. */
const LONG_ERASURES = 3;

describe('decoding, by every codec of the CPU', () => {
  let codecs: readonly CpuCodec[];
  before(async () => {
    codecs = await cpuCodecs();
  });
  after(async () => {
    for (const { codec } of codecs ?? []) await codec.close();
  });

  for (const log2K of [6, 8, 10, 12]) {
    for (const cosets of [1, 2, 3]) {
      const dataRows = 2 ** log2K;
      const what = `${dataRows} of ${dataRows * (1 + cosets)} rows`;

      it(`gives the payload of any ${what}, and where whole cosets are lost (seed ${SEED})`, async () => {
        const rng = seededRng(SEED + 4 * log2K + cosets);
        const { layout, payload, rows } = await encoded(log2K, cosets, rng.below(60 * dataRows));
        for (const { codec } of codecs) {
          const assertDecodes = async (some: readonly PlacedRow[], how: string): Promise<void> => {
            const data = await codec.decode(some, layout, { signal });
            const name = `seed ${SEED}, ${codec.name}, ${payload.length} bytes: ${how}`;
            assertSameBytes(payloadOf(data, layout), payload, name);
          };
          const isSlow = codec.name === 'reference' && log2K > 8;
          const isLong = log2K === 12 && !isSoak;
          const erasures = isSlow ? SLOW_ERASURES : isLong ? LONG_ERASURES : ERASURES;
          for (let run = 0; run < erasures; run += 1) {
            const seed = rng.below(2 ** 32);
            await assertDecodes(shuffled(rows, seed).slice(0, dataRows), `order ${seed}`);
          }
          for (let lost = 1; lost < 2 ** (1 + cosets) - 1; lost += 1) {
            const rest = rows.filter(({ index }) => !((lost >> Math.floor(index / dataRows)) & 1));
            await assertDecodes(rest, `cosets lost: ${lost.toString(2)}`);
            if (isSlow || (isLong && lost % 2 === 0)) continue;
            const exactly = shuffled(rest, lost).slice(0, dataRows);
            await assertDecodes(exactly, `cosets lost: ${lost.toString(2)}, ${dataRows} rows`);
          }
        }
      });

      it(`takes one row more than ${dataRows - 1} of ${dataRows * (1 + cosets)} (seed ${SEED})`, async () => {
        const suite = await loadRowSuite(0);
        const [, { codec } = assert.fail()] = codecs;
        const options = { suite, clock: NO_TURNS, signal };
        const { layout, data, rows } = await encoded(log2K, cosets, dataRows);
        const blob = inMemory(await commitMatrix(data, layout, { ...options, codec }));
        const header = verifiedHeader(blob, suite);
        for (const seed of log2K < 12 ? [SEED, SEED + 1] : [SEED]) {
          const few = shuffled(rows, seed).slice(0, dataRows - 1);
          const members = few.map(({ index }) =>
            verifyMembership(rowAt(blob, index), header, { suite }),
          );
          const facts = { have: dataRows - 1, need: dataRows };
          for (const { codec, combiner } of codecs) {
            for (const some of [few, rows.slice(0, dataRows - 1), [...few, ...few]]) {
              await assert.rejects(
                codec.decode(some, layout, { signal }),
                isCodecFault({ code: 'TOO_FEW_ROWS', ...facts }),
                `seed ${seed}, ${codec.name}`,
              );
            }
            assert.deepEqual(
              await readValue(members, blob, { ...options, codec, combiner }),
              { kind: 'unavailable', ...facts },
              `seed ${seed}, ${codec.name}`,
            );
          }
        }
      });
    }
  }

  async function encoded(
    log2K: number,
    cosets: number,
    payloadBytes: number,
  ): Promise<{
    readonly layout: BlobLayout;
    readonly payload: Uint8Array;
    readonly data: Uint8Array;
    readonly rows: readonly PlacedRow[];
  }> {
    const layout = layoutOf(payloadBytes, { cosets, minLog2K: log2K });
    assert.equal(layout.log2K, log2K);
    const payload = bytesOf(payloadBytes, SEED);
    const data = dataMatrix(payload, layout);
    const [, { codec } = assert.fail()] = codecs;
    const parity = await codec.encode(data, layout, { signal });
    return { layout, payload, data, rows: placedRows(data, parity, layout.rowBytes) };
  }
});

describe('the parity of every codec of the CPU', () => {
  it("is Lagrange's interpolation at the points of the field", async () => {
    const codecs = await cpuCodecs();
    for (const log2K of [1, 2, 3, 4, 5, 6]) {
      for (const cosets of [1, 2, 3]) {
        const shape = shapeOf(log2K, cosets);
        const { dataRows, rows, rowBytes } = shape;
        const data = bytesOf(dataRows * rowBytes, log2K);
        const parities = await Promise.all(
          codecs.map(({ codec }) => codec.encode(data, shape, { signal })),
        );
        for (const column of log2K < 5 ? Array(32).keys() : [0, 13, 31]) {
          const symbolAt = (matrix: Uint8Array, row: number): number =>
            readSymbol(matrix.subarray(row * rowBytes, (row + 1) * rowBytes), column);
          const values = Uint16Array.from({ length: dataRows }, (_, row) => symbolAt(data, row));
          for (let index = dataRows; index < rows; index += 1) {
            const expected = lagrange(values, pointOf(index));
            for (const [at, parity] of parities.entries()) {
              const what = `${codecs[at]?.codec.name}: row ${index} of ${rows}, column ${column}`;
              assert.equal(symbolAt(parity, index - dataRows), expected, what);
            }
          }
        }
      }
    }
  });
});
