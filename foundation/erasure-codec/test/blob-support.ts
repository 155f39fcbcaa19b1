import assert from 'node:assert/strict';
import { plainBlake3Suite, type RowSuite, RowTree, sha256Suite } from '@cairn/commitments/rows';
import { encodeParams } from '../src/blob-params.ts';
import { combinationCoefficients } from '../src/combination.ts';
import { type CommittedBlob, commitBlob, headerOf, rowOf } from '../src/commitment.ts';
import { CodecError, SliceError, type SliceFault } from '../src/errors.ts';
import { scalarCombiner } from '../src/kernels/scalar-combiner.ts';
import type { BlobLayout, LayoutNetwork } from '../src/layout.ts';
import { referenceCodec } from '../src/reference-codec.ts';
import { challengeOf, combinationTree, commitmentOf, rowRootOf } from '../src/transcript.ts';
import { type VerifiedHeader, verifyHeader } from '../src/verified-header.ts';
import { type MemberRow, verifyMembership } from '../src/verify-row.ts';
import { bytesOf, shapeOf, signal } from './support.ts';

/** Every test of commitments runs with both. */
export const SUITES: readonly RowSuite[] = [plainBlake3Suite, sha256Suite];

/** What commits and reads in tests. */
export function optionsOf(suite: RowSuite) {
  return { codec: referenceCodec(), suite, combiner: scalarCombiner(), signal };
}

/** A layout of any size, also of sizes that no blob has: small ones show every case. */
export function smallLayout(
  log2K: number,
  cosets: number,
  payloadBytes: number,
  rowBytes = 64,
): BlobLayout {
  return { ...shapeOf(log2K, cosets, rowBytes), payloadBytes };
}

/** An honest blob of chance bytes. */
export async function committed(
  payloadBytes: number,
  suite: RowSuite,
  network: LayoutNetwork = {},
): Promise<CommittedBlob> {
  return commitBlob(bytesOf(payloadBytes, payloadBytes + 1), network, optionsOf(suite));
}

/** What a cheat commits to: any rows, and combinations honest for the data rows unless told. */
export function forge(
  { data, parity }: { readonly data: Uint8Array; readonly parity: Uint8Array },
  layout: BlobLayout,
  suite: RowSuite,
  alter: (combinations: Uint8Array) => void = () => undefined,
): CommittedBlob {
  const cosets = [data];
  for (let at = 0; at < parity.length; at += data.length) {
    cosets.push(parity.subarray(at, at + data.length));
  }
  const trees = cosets.map((rows) =>
    RowTree.fromLeaves(suite, suite.leaves(rows, layout.rowBytes)),
  );
  const cosetRoots = trees.map(({ root }) => root);
  const params = encodeParams({ suite: suite.id, layout });
  const rowRoot = rowRootOf(suite, cosetRoots);
  const seed = challengeOf(suite, rowRoot, params);
  const combinations = scalarCombiner().combineRows(
    data,
    layout.rowBytes,
    combinationCoefficients(suite, seed, layout.rowBytes),
  );
  alter(combinations);
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

/** A blob's header as its verifiers have it. */
export function verifiedHeader(blob: CommittedBlob, suite: RowSuite): VerifiedHeader {
  return verifyHeader(headerOf(blob), blob, { suite });
}

/** All rows of a blob as its readers have them. */
export function membersOf(blob: CommittedBlob, suite: RowSuite): MemberRow[] {
  const header = verifiedHeader(blob, suite);
  return Array.from({ length: blob.layout.rows }, (_, index) =>
    verifyMembership(rowOf(blob, index), header, { suite }),
  );
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** Whether an error is a refusal with just these facts. */
export function isSliceFault(facts: SliceFault): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof SliceError, String(error));
    assert.deepEqual(error.facts, facts);
    return true;
  };
}

/** Runs `action`, which has to refuse: with a fault, not a crash. Returns the fault's code. */
export function refusalOf(action: () => unknown, what: string): string {
  try {
    action();
  } catch (error) {
    if (error instanceof SliceError || error instanceof CodecError) return error.code;
    throw new Error(`${what}: crashed`, { cause: error });
  }
  throw new Error(`${what}: accepted`);
}
