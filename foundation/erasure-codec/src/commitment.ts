import { RowTree } from '@cairn/commitments/rows';
import { assertNatural, concatBytes, equalBytes } from '@cairn/primitives';
import { dataMatrix } from './blob-matrix.ts';
import { encodeParams } from './blob-params.ts';
import { combinationCoefficients } from './combination.ts';
import { CodecError } from './errors.ts';
import { scalarCombiner } from './kernels/scalar-combiner.ts';
import { type BlobLayout, type LayoutNetwork, layoutOf } from './layout.ts';
import { MemoryRows, type MemoryRowsOptions } from './memory-rows.ts';
import { COMBINATION_BYTES } from './params.ts';
import type { HeldRows, HoldingCodec, RowCodec } from './row-codec.ts';
import { challengeOf, combinationTree, commitmentOf, HASH_BYTES, rowRootOf } from './transcript.ts';
import type { BlobHeader } from './verified-header.ts';
import type { ProvenRow } from './verify-row.ts';

/** What committing works with. */
export interface CommitOptions extends MemoryRowsOptions {
  /** One that holds rows of this suite keeps them; else they lie in memory. */
  readonly codec: Pick<RowCodec, 'encode'> & Partial<Pick<HoldingCodec, 'name' | 'suite' | 'hold'>>;
}

/**
 * A blob, its rows and all that proves them. Memory: 160 bytes a row, and the rows where they are
 * held, until `held.release()`.
 */
export interface CommittedBlob extends BlobHeader {
  readonly held: HeldRows;
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
 * @throws {CodecError} PAYLOAD_TOO_LARGE, LAYOUT; as `commitMatrix`
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
 * @throws {CodecError} ROW_LENGTH; DEVICE_LOST and DEVICE_FULL from a codec on a device; the signal's reason
 */
export async function commitMatrix(
  data: Uint8Array,
  layout: BlobLayout,
  options: CommitOptions,
): Promise<CommittedBlob> {
  const { codec, suite, signal, into } = options;
  const held =
    codec.hold !== undefined && codec.suite === suite.id
      ? await codec.hold(data, layout, { signal, into })
      : await MemoryRows.encode(data, layout, options);
  try {
    return await commitRows(held, layout, options);
  } catch (error) {
    held.release();
    throw error;
  }
}

/** The commitment to rows that are encoded and hashed. @throws as `HeldRows.combine` */
export async function commitRows(
  held: HeldRows,
  layout: BlobLayout,
  { suite, signal }: Pick<CommitOptions, 'suite' | 'signal'>,
): Promise<CommittedBlob> {
  const cosetBytes = layout.dataRows * HASH_BYTES;
  const trees = Array.from({ length: 1 + layout.cosets }, (_, coset) =>
    RowTree.fromLeaves(suite, held.leaves.subarray(coset * cosetBytes, (coset + 1) * cosetBytes)),
  );
  const cosetRoots = trees.map(({ root }) => root);
  const params = encodeParams({ suite: suite.id, layout });
  const rowRoot = rowRootOf(suite, cosetRoots);
  const seed = challengeOf(suite, rowRoot, params);
  const coefficients = combinationCoefficients(suite, seed, layout.rowBytes);
  const combinations = await held.combine(coefficients, 'data', { signal });
  const tree = combinationTree(suite, combinations);
  return {
    suite: suite.id,
    layout,
    held,
    trees,
    cosetRoots,
    combinations,
    combinationTree: tree,
    commitment: commitmentOf(suite, rowRoot, tree.root, params),
  };
}

/** How to check parity. */
export interface CheckParityOptions extends Pick<CommitOptions, 'suite' | 'combiner' | 'signal'> {
  /**
   * Checks one row in so many, from the one that `first` names: 1 unless told, which is every row.
   * A codec that errs spoils columns of a whole coset, and is caught by any of its rows.
   */
  readonly oneIn?: number;
  /** 0 … `oneIn` − 1; 0 unless told. */
  readonly first?: number;
}

/**
 * Checks parity rows against the combinations, as each of their holders will: who sends rows
 * out does this first, so that a fault of its own memory or device costs it nothing but time.
 *
 * @throws {CodecError} PARITY for the first row that is not of the codeword; the signal's reason
 */
export async function checkParity(
  blob: CommittedBlob,
  { suite, combiner = scalarCombiner(), signal, oneIn = 1, first = 0 }: CheckParityOptions,
): Promise<void> {
  const { layout, held } = blob;
  const params = encodeParams(blob);
  const seed = challengeOf(suite, rowRootOf(suite, blob.cosetRoots), params);
  const coefficients = combinationCoefficients(suite, seed, layout.rowBytes);
  const checked: number[] = [];
  for (let index = layout.dataRows + first; index < layout.rows; index += oneIn)
    checked.push(index);
  const actual =
    oneIn === 1
      ? await held.combine(coefficients, 'parity', { signal })
      : combiner.combineRows(await held.read(checked, { signal }), layout.rowBytes, coefficients);
  const expected = combiner.extend(blob.combinations, layout);
  for (const [place, index] of checked.entries()) {
    const from = place * COMBINATION_BYTES;
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

/**
 * Rows with their paths, in the order asked for; rows in memory are views of it.
 *
 * @throws {CodecError} ROW_INDEX; as `HeldRows.read`
 */
export async function rowsOf(
  blob: CommittedBlob,
  indexes: readonly number[],
  options: { readonly signal: AbortSignal },
): Promise<ProvenRow[]> {
  const paths = indexes.map((index) => pathOf(blob, index)); // before reading: it checks indexes
  const rows = await blob.held.read(indexes, options);
  return indexes.map((index, at) => ({
    index,
    bytes: rows[at] as Uint8Array,
    path: paths[at] as Uint8Array,
  }));
}

/** What ties a row to its coset's root. @throws {CodecError} ROW_INDEX */
export function pathOf({ layout, trees }: CommittedBlob, index: number): Uint8Array {
  assertNatural(index, 'index');
  const tree = trees[Math.floor(index / layout.dataRows)];
  if (tree === undefined) {
    throw new CodecError(
      { code: 'ROW_INDEX', index, rows: layout.rows },
      `a blob of ${layout.rows} rows has no row ${index}`,
    );
  }
  return concatBytes(...tree.pathAt(index % layout.dataRows));
}
