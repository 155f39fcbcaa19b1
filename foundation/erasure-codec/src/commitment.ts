import { type RowSuite, RowTree } from '@cairn/commitments/rows';
import { assertNatural, type Clock, concatBytes, equalBytes, systemClock } from '@cairn/primitives';
import { dataMatrix } from './blob-matrix.ts';
import { encodeParams } from './blob-params.ts';
import { combinationCoefficients, extendCombinations, type RowCombiner } from './combination.ts';
import { CodecError } from './errors.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import { type BlobLayout, type LayoutNetwork, layoutOf } from './layout.ts';
import { COMBINATION_BYTES } from './params.ts';
import type { RowCodec } from './row-codec.ts';
import { challengeOf, combinationTree, commitmentOf, HASH_BYTES, rowRootOf } from './transcript.ts';
import type { BlobHeader } from './verified-header.ts';
import type { ProvenRow } from './verify-row.ts';

/** What committing works with. */
export interface CommitOptions {
  readonly codec: Pick<RowCodec, 'encode'>;
  readonly suite: RowSuite;
  /** The one in plain TypeScript unless told. */
  readonly combiner?: RowCombiner;
  /** Gives others their turn. */
  readonly clock?: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
}

/** A blob, its rows and all that proves them. Memory: (2 + cosets) payloads, 64 bytes a row. */
export interface CommittedBlob extends BlobHeader {
  /** The data rows, one after another. */
  readonly data: Uint8Array;
  /** The parity rows, coset after coset. */
  readonly parity: Uint8Array;
  /** One tree for each coset, data first. */
  readonly trees: readonly RowTree[];
  /** The tree over the combinations: its root is what the commitment covers, its paths prove one to a reader. */
  readonly combinationTree: RowTree;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
}

/**
 * The rows of a payload and the commitment to them.
 *
 * @throws {CodecError} PAYLOAD_TOO_LARGE, LAYOUT; the signal's reason
 */
export async function commitBlob(
  payload: Uint8Array,
  network: LayoutNetwork,
  options: CommitOptions,
): Promise<CommittedBlob> {
  const layout = layoutOf(payload.length, network);
  return commitMatrix(dataMatrix(payload, layout), layout, options);
}

/**
 * The commitment to data rows, whatever they hold: what a reader compares with.
 *
 * @param data - `dataRows · rowBytes` bytes; kept, not copied
 * @throws {CodecError} ROW_LENGTH; the signal's reason
 */
export async function commitMatrix(
  data: Uint8Array,
  layout: BlobLayout,
  options: CommitOptions,
): Promise<CommittedBlob> {
  const { codec, suite, combiner = scalarCombiner(), signal } = options;
  const parity = await codec.encode(data, layout, { signal });
  const trees = [await treeOf(data, layout, options)];
  for (let coset = 0; coset < layout.cosets; coset += 1) {
    const rows = parity.subarray(coset * data.length, (coset + 1) * data.length);
    trees.push(await treeOf(rows, layout, options));
  }
  const cosetRoots = trees.map(({ root }) => root);
  const params = encodeParams({ suite: suite.id, layout });
  const rowRoot = rowRootOf(suite, cosetRoots);
  const coefficients = combinationCoefficients(
    suite,
    challengeOf(suite, rowRoot, params),
    layout.rowBytes,
  );
  const combinations = await mapRows(data, layout, options, COMBINATION_BYTES, (rows) =>
    combiner.combineRows(rows, layout.rowBytes, coefficients),
  );
  const tree = combinationTree(suite, combinations);
  return {
    suite: suite.id,
    layout,
    data,
    parity,
    trees,
    cosetRoots,
    combinations,
    combinationTree: tree,
    commitment: commitmentOf(suite, rowRoot, tree.root, params),
  };
}

/**
 * Checks every parity row against the combinations, as each of its holders will: who sends rows
 * out does this first, so that a fault of its own memory or device costs it nothing but time.
 *
 * @throws {CodecError} PARITY for the first row that is not of the codeword; the signal's reason
 */
export async function checkParity(
  blob: CommittedBlob,
  options: Omit<CommitOptions, 'codec'>,
): Promise<void> {
  const { suite, combiner = scalarCombiner() } = options;
  const { layout, parity } = blob;
  const params = encodeParams(blob);
  const seed = challengeOf(suite, rowRootOf(suite, blob.cosetRoots), params);
  const coefficients = combinationCoefficients(suite, seed, layout.rowBytes);
  const actual = await mapRows(parity, layout, options, COMBINATION_BYTES, (rows) =>
    combiner.combineRows(rows, layout.rowBytes, coefficients),
  );
  const expected = extendCombinations(blob.combinations, layout);
  for (let index = layout.dataRows; index < layout.rows; index += 1) {
    const from = (index - layout.dataRows) * COMBINATION_BYTES;
    const at = index * COMBINATION_BYTES;
    const isRight = equalBytes(
      actual.subarray(from, from + COMBINATION_BYTES),
      expected.subarray(at, at + COMBINATION_BYTES),
    );
    if (!isRight) {
      throw new CodecError(
        { code: 'PARITY', index },
        `row ${index} is not the parity of the data: its combination differs`,
      );
    }
  }
}

/** What proves rows of the blob. */
export function headerOf({ suite, layout, cosetRoots, combinations }: CommittedBlob): BlobHeader {
  return { suite, layout, cosetRoots, combinations };
}

/** A row with its path; its bytes are a view of the blob's. @throws {CodecError} ROW_INDEX */
export function rowOf(blob: CommittedBlob, index: number): ProvenRow {
  assertNatural(index, 'index');
  const { dataRows, rowBytes, rows } = blob.layout;
  const tree = blob.trees[Math.floor(index / dataRows)];
  if (tree === undefined) {
    throw new CodecError(
      { code: 'ROW_INDEX', index, rows },
      `a blob of ${rows} rows has no row ${index}`,
    );
  }
  const isData = index < dataRows;
  const at = (isData ? index : index - dataRows) * rowBytes;
  return {
    index,
    bytes: (isData ? blob.data : blob.parity).subarray(at, at + rowBytes),
    path: concatBytes(...tree.pathAt(index % dataRows)),
  };
}

async function treeOf(
  rows: Uint8Array,
  layout: BlobLayout,
  options: Pick<CommitOptions, 'suite' | 'clock' | 'signal'>,
): Promise<RowTree> {
  const { suite } = options;
  const leaves = await mapRows(rows, layout, options, HASH_BYTES, (some) =>
    suite.leaves(some, layout.rowBytes),
  );
  return RowTree.fromLeaves(suite, leaves);
}

/** Bytes of rows after which others get their turn: tens of milliseconds. */
const BYTES_PER_TURN = 2 ** 21;

/** What `map` makes of each row, `resultBytes` for each; it gets many rows at once. */
async function mapRows(
  rows: Uint8Array,
  { rowBytes }: Pick<BlobLayout, 'rowBytes'>,
  { clock = systemClock(), signal }: Pick<CommitOptions, 'clock' | 'signal'>,
  resultBytes: number,
  map: (rows: Uint8Array) => Uint8Array,
): Promise<Uint8Array> {
  const perTurn = Math.ceil(BYTES_PER_TURN / rowBytes) * rowBytes;
  const results = new Uint8Array((rows.length / rowBytes) * resultBytes);
  for (let at = 0; at < rows.length; at += perTurn) {
    if (at > 0) await clock.sleep(0, signal);
    results.set(map(rows.subarray(at, at + perTurn)), (at / rowBytes) * resultBytes);
  }
  return results;
}
