import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { loadRowSuite, type RowSuite, sha256SuiteOver } from '@cairn/commitments/rows';
import { concatBytes, seededRng } from '@cairn/primitives';
import { isSoak, runsOf, seedOf } from '../../../../test/support/soak.ts';
import type { RowCombiner } from '../../src/combination.ts';
import { checkParity, headerOf } from '../../src/commitment.ts';
import { badRowEvidence, encodeBadRow, parseBadRow, verifyBadRow } from '../../src/evidence.ts';
import type { BlobLayout } from '../../src/layout.ts';
import { encodeRow, parseRow } from '../../src/row-message.ts';
import { verifySlice } from '../../src/slice.ts';
import { encodeSlice, parseSlice } from '../../src/slice-message.ts';
import { assertParams, verifyHeader } from '../../src/verified-header.ts';
import { verifyDataRow, verifyRow } from '../../src/verify-row.ts';
import {
  committed,
  flipped,
  forge,
  isSliceFault,
  type MemoryBlob,
  refusalOf,
  rowAt,
  sliceAt,
  smallLayout,
  verifiedHeader,
} from '../blob-support.ts';
import { type CpuCodec, cpuCodecs } from '../cpu-codecs.ts';
import { bytesOf, isCodecFault, shuffled, signal } from '../support.ts';

const SEED = seedOf(17_320);
/** Of each message every so many bits: all of them in the soak. */
const BIT_STEP = isSoak ? 1 : 20;
/** Of a row and a commitment, where each bit costs a blob of its own or a proof. */
const EACH_BIT = isSoak ? 1 : 7;
const MATRICES = runsOf(300);

/** Suite 1 with the platform's SHA-256: hundreds of thousands of messages are hashed. */
const fastSha256Suite = sha256SuiteOver((...parts) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
});

/** What travels, and what a verifier does with it. */
interface Travelling {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly commitment: Uint8Array;
  readonly verify: (bytes: Uint8Array, commitment: Uint8Array) => unknown;
}

/** Everything that travels about a blob of 64 rows, verified with one combiner. */
async function travelling(suite: RowSuite, combiner: RowCombiner): Promise<readonly Travelling[]> {
  const blob = await committed(3_000, suite, { cosets: 1 });
  const { layout, commitment } = blob;
  const header = headerOf(blob);
  const options = { suite, combiner };
  const rows = [127, 0, 1];
  const parity = flipped(blob.held.parity, 8 * (9 * 64) + 3);
  const bad = await forge({ data: blob.held.data, parity }, layout, suite);
  const verifyOne: Travelling['verify'] = (bytes, given) => {
    const message = parseRow(bytes);
    const expected = { layout, commitment: given };
    if (message.kind === 'data') return verifyDataRow(message, expected, options);
    if (message.kind === 'bare') assertParams(message, layout, suite);
    const proving = message.kind === 'full' ? message.header : header;
    return verifyRow(message.row, verifyHeader(proving, expected, options), options);
  };
  return [
    {
      name: 'a slice',
      commitment,
      bytes: encodeSlice(sliceAt(blob, rows)),
      verify: (bytes, given) =>
        verifySlice(parseSlice(bytes), { layout, commitment: given, rows }, options),
    },
    {
      name: 'a bare row',
      commitment,
      bytes: encodeRow({ kind: 'bare', suite: suite.id, layout, row: rowAt(blob, 100) }),
      verify: verifyOne,
    },
    {
      name: 'a full row',
      commitment,
      bytes: encodeRow({ kind: 'full', header, row: rowAt(blob, 64) }),
      verify: verifyOne,
    },
    {
      name: 'a data row',
      commitment,
      bytes: encodeRow({
        kind: 'data',
        suite: suite.id,
        layout,
        cosetRoots: blob.cosetRoots,
        combination: blob.combinations.subarray(9 * 32, 10 * 32),
        combinationPath: concatBytes(...blob.combinationTree.pathAt(9)),
        row: rowAt(blob, 9),
      }),
      verify: verifyOne,
    },
    {
      name: 'evidence',
      commitment: bad.commitment,
      bytes: encodeBadRow({ header: headerOf(bad), row: rowAt(bad, 73) }),
      verify: (bytes, given) => verifyBadRow(parseBadRow(bytes), given, options),
    },
  ];
}

describe('what is proven', () => {
  let codecs: readonly CpuCodec[];
  before(async () => {
    codecs = await cpuCodecs();
  });

  for (const id of [0, 1] as const) {
    it(`has no bit that can be changed, nor has its commitment, with suite ${id} (seed ${SEED})`, async () => {
      const suite = id === 1 ? fastSha256Suite : await loadRowSuite(0);
      for (const { combiner } of codecs.slice(isSoak ? 0 : id, 2)) {
        for (const { name, bytes, commitment, verify } of await travelling(suite, combiner)) {
          verify(bytes, commitment);
          const first = seededRng(SEED).below(BIT_STEP);
          for (let bit = first; bit < 8 * bytes.length; bit += BIT_STEP) {
            const what = `seed ${SEED}, ${combiner.name}: ${name}, bit ${bit}`;
            refusalOf(() => verify(flipped(bytes, bit), commitment), what);
          }
          for (let bit = 0; bit < 256; bit += EACH_BIT) {
            const what = `${combiner.name}: ${name}, bit ${bit} of the commitment`;
            refusalOf(() => verify(bytes, flipped(commitment, bit)), what);
          }
        }
      }
    });
  }
});

describe('rows that were committed to and are of no codeword', () => {
  let suite: RowSuite;
  let codecs: readonly CpuCodec[];
  before(async () => {
    suite = await loadRowSuite(0);
    codecs = await cpuCodecs();
  });

  /** Honest rows of chance for a layout. */
  async function honest(layout: BlobLayout, seed: number) {
    const [, { codec } = assert.fail()] = codecs;
    const data = bytesOf(layout.dataRows * layout.rowBytes, seed);
    return { data, parity: await codec.encode(data, layout, { signal }) };
  }

  /** Fails unless every combiner finds the first bad row of a slice, or none. */
  function assertVerdict(
    blob: MemoryBlob,
    rows: readonly number[],
    bad: number | undefined,
    what: string,
  ): void {
    for (const { combiner } of codecs) {
      const check = (): unknown =>
        verifySlice(sliceAt(blob, rows), { ...blob, rows }, { suite, combiner });
      if (bad === undefined) check();
      else {
        const isBad = isSliceFault({ code: 'ROW_COMBINATION', index: bad });
        assert.throws(check, isBad, `${what}, ${combiner.name}`);
      }
    }
  }

  it(`are refused by whoever has one of them, and by nobody else: ${MATRICES} matrices (seed ${SEED})`, async () => {
    const rng = seededRng(SEED);
    for (let run = 0; run < MATRICES; run += 1) {
      const layout = smallLayout(1 + rng.below(6), 1 + rng.below(3), 0, 64 * (1 + rng.below(20)));
      const { dataRows, rows, rowBytes } = layout;
      const matrix = await honest(layout, run);
      const most = rng.below(2) === 0 ? 2 : rows - dataRows;
      const parityRows = Array.from({ length: rows - dataRows }, (_, at) => dataRows + at);
      const wrong = new Set(shuffled(parityRows, rng.below(2 ** 32)).slice(0, 1 + rng.below(most)));
      for (const index of wrong) {
        const at = (index - dataRows) * rowBytes + rng.below(rowBytes);
        matrix.parity[at] = (matrix.parity[at] ?? 0) ^ (1 << rng.below(8));
      }
      const blob = await forge(matrix, layout, suite);
      const what = `seed ${SEED}, matrix ${run}: ${dataRows} of ${rows} rows of ${rowBytes} bytes`;
      for (let arc = 0; arc < 8; arc += 1) {
        const start = rng.below(rows);
        const length = 1 + rng.below(rows);
        const held = Array.from({ length }, (_, at) => (start + at) % rows);
        const bad = held.find((index) => wrong.has(index));
        assertVerdict(blob, held, bad, `${what}, rows ${start} to ${start + length}`);
      }
      const first = Math.min(...wrong);
      for (const { combiner } of codecs) {
        const isFound = isCodecFault({ code: 'PARITY', index: first });
        await assert.rejects(checkParity(blob, { suite, combiner, signal }), isFound, what);
        const header = verifiedHeader(blob, suite);
        const evidence = badRowEvidence(rowAt(blob, first), header, { suite, combiner });
        for (const other of codecs) {
          verifyBadRow(evidence, blob.commitment, { suite, combiner: other.combiner });
        }
      }
    }
  });

  it('are refused for any bit of a parity row, and by all parity holders for one of data', async () => {
    const layout = smallLayout(1, 1, 0);
    const { data, parity } = await honest(layout, SEED);
    for (let bit = 0; bit < 512; bit += EACH_BIT) {
      const bad = await forge({ data, parity: flipped(parity, bit) }, layout, suite);
      assertVerdict(bad, [2], 2, `parity bit ${bit}`);
      assertVerdict(bad, [3, 0, 1], undefined, `parity bit ${bit}`);
      const worse = await forge({ data: flipped(data, bit), parity }, layout, suite);
      for (const index of [2, 3]) assertVerdict(worse, [index], index, `data bit ${bit}`);
    }
  });

  it('are refused where the combinations are not those of the data, whichever bit of them', async () => {
    const layout = smallLayout(1, 1, 0);
    const matrix = await honest(layout, SEED);
    for (let bit = 0; bit < 512; bit += EACH_BIT) {
      const blob = await forge(matrix, layout, suite, (combinations) => {
        combinations.set(flipped(combinations, bit));
      });
      const what = `bit ${bit} of y`;
      assertVerdict(blob, [bit >> 8], bit >> 8, what);
      assertVerdict(blob, [1 - (bit >> 8)], undefined, what);
      for (const index of [2, 3]) assertVerdict(blob, [index], index, what);
    }
  });

  it('refuse their whole slice at any of its places, also beyond its first 4 MiB', async () => {
    const layout = smallLayout(8, 1, 0, 32_768); // 128 rows are 4 MiB: what is checked at once
    const matrix = await honest(layout, SEED);
    const wrong = 400;
    const at = (wrong - layout.dataRows) * layout.rowBytes + 32_767;
    matrix.parity[at] = (matrix.parity[at] ?? 0) ^ 128;
    const blob = await forge(matrix, layout, suite);
    const [, fast = assert.fail()] = codecs;
    for (const place of [0, 1, 127, 128, 129, 255, 256, 299]) {
      const rows = Array.from({ length: 300 }, (_, row) => (wrong - place + row) % layout.rows);
      const options = { suite, combiner: fast.combiner };
      const check = (): unknown => verifySlice(sliceAt(blob, rows), { ...blob, rows }, options);
      assert.throws(check, isSliceFault({ code: 'ROW_COMBINATION', index: wrong }), `at ${place}`);
      const others = rows.filter((index) => index !== wrong);
      verifySlice(sliceAt(blob, others), { ...blob, rows: others }, options);
      const swapped = sliceAt(blob, others).rows.map((row, order) =>
        order === Math.max(0, place - 1) ? { ...row, bytes: flipped(row.bytes, place) } : row,
      );
      const changed = { header: headerOf(blob), rows: swapped };
      assert.throws(
        () => verifySlice(changed, { ...blob, rows: others }, options),
        isSliceFault({ code: 'ROW_PATH', index: others[Math.max(0, place - 1)] ?? -1 }),
        `changed at ${place}`,
      );
    }
  });
});
