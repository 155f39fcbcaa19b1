import assert from 'node:assert/strict';
import { loadRowSuite, type RowSuite } from '@cairn/commitments/rows';
import { equalBytes, seededRng } from '@cairn/primitives';
import { isSoak, runsOf, seedOf } from '../../../../test/support/soak.ts';
import { dataMatrix } from '../../src/blob-matrix.ts';
import { commitMatrix } from '../../src/commitment.ts';
import { type BlobLayout, layoutOf } from '../../src/layout.ts';
import { readValue } from '../../src/read-value.ts';
import { inMemory, type MemoryBlob, membersOf, optionsOf, smallLayout } from '../blob-support.ts';
import { cheats, subsetsOf } from '../cheats.ts';
import { type CpuCodec, cpuCodecs } from '../cpu-codecs.ts';
import { bytesOf, NO_TURNS, shuffled, signal } from '../support.ts';

const SEED = seedOf(27_182);
/** Choices of rows for each blob of a real shape. */
const CHOICES = runsOf(40);

/** Shapes so small that every K of their rows can be tried. */
const SMALL: readonly (readonly [log2K: number, cosets: number])[] = [
  [1, 1],
  [1, 2],
  [1, 3],
  [2, 1],
  ...(isSoak
    ? ([
        [2, 2],
        [2, 3],
      ] as const)
    : []),
];

describe('the value of a commitment is one', () => {
  let suite: RowSuite;
  /** Each in turn reads: who reads with what makes no difference either. */
  let readers: readonly CpuCodec[];
  before(async () => {
    suite = await loadRowSuite(0);
    readers = await cpuCodecs();
  });
  after(async () => {
    for (const { codec } of readers ?? []) await codec.close();
  });

  /** The payload, committed to honestly and in every wrong way. */
  async function blobsOf(
    layout: BlobLayout,
    payload: Uint8Array,
  ): Promise<readonly (readonly [string, MemoryBlob])[]> {
    const options = optionsOf(suite);
    const blob = inMemory(await commitMatrix(dataMatrix(payload, layout), layout, options));
    return [['honest', blob], ...(await cheats(layout, suite))];
  }

  function readerAt(turn: number) {
    const reader = readers[turn % readers.length] ?? assert.fail();
    return { ...reader, suite, clock: NO_TURNS, signal };
  }

  for (const [log2K, cosets] of SMALL) {
    const rows = 2 ** log2K * (1 + cosets);
    it(`for any ${2 ** log2K} of ${rows} rows, however the maker cheated`, async () => {
      const layout = smallLayout(log2K, cosets, 50 * 2 ** log2K);
      const payload = bytesOf(layout.payloadBytes, 8);
      for (const [how, blob] of await blobsOf(layout, payload)) {
        let choices = 0;
        for (const some of subsetsOf(membersOf(blob, suite), layout.dataRows)) {
          const value = await readValue(some, blob, readerAt(choices));
          const what = `${how}: rows ${some.map(({ index }) => index)}`;
          if (how !== 'honest') assert.equal(value.kind, 'null', what);
          else assert.ok(value.kind === 'payload' && equalBytes(value.payload, payload), what);
          choices += 1;
        }
        assert.equal(choices, binomial(rows, layout.dataRows));
      }
    });
  }

  for (const [log2K, cosets] of [
    [6, 3],
    [8, 1],
    [10, 2],
    ...(isSoak ? [[12, 3] as const] : []),
  ] as const) {
    it(`for ${CHOICES} choices of ${2 ** log2K} of ${2 ** log2K * (1 + cosets)} rows (seed ${SEED})`, async () => {
      const layout = layoutOf(2 ** log2K * 64 - 13, { cosets, minLog2K: log2K });
      const { dataRows } = layout;
      const payload = bytesOf(layout.payloadBytes, 8);
      const rng = seededRng(SEED + log2K);
      for (const [how, blob] of await blobsOf(layout, payload)) {
        const all = membersOf(blob, suite);
        for (let turn = 0; turn < CHOICES; turn += 1) {
          const seed = rng.below(2 ** 32);
          const from = seededRng(seed).below(all.length);
          const arc = [...all.slice(from), ...all.slice(0, from)];
          // Now rows from anywhere, now rows that lie together: those of a few cosets alone.
          const some = (turn % 3 < 2 ? shuffled(all, seed) : arc).slice(0, dataRows);
          // The reference codec takes too long for each of many rows.
          const value = await readValue(some, blob, readerAt(log2K < 10 ? turn : 1 + (turn % 2)));
          const what = `seed ${SEED}, ${how}: choice ${turn}, ${seed}`;
          if (how !== 'honest') assert.equal(value.kind, 'null', what);
          else assert.ok(value.kind === 'payload' && equalBytes(value.payload, payload), what);
        }
      }
    });
  }
});

function binomial(items: number, chosen: number): number {
  let product = 1;
  for (let at = 1; at <= chosen; at += 1) product = (product * (items - chosen + at)) / at;
  return product;
}
