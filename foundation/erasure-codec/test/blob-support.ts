import assert from 'node:assert/strict';
import { plainBlake3Suite, type RowSuite, sha256Suite } from '@cairn/commitments/rows';
import { type CommittedBlob, commitBlob, commitRows, headerOf, pathOf } from '../src/commitment.ts';
import { CodecError, SliceError, type SliceFault } from '../src/errors.ts';
import { scalarCombiner } from '../src/kernels/scalar-combiner.ts';
import type { BlobLayout, LayoutNetwork } from '../src/layout.ts';
import { MemoryRows } from '../src/memory-rows.ts';
import { referenceCodec } from '../src/reference-codec.ts';
import type { HeldRows } from '../src/row-codec.ts';
import type { Slice } from '../src/slice.ts';
import { type VerifiedHeader, verifyHeader } from '../src/verified-header.ts';
import { type MemberRow, type ProvenRow, verifyMembership } from '../src/verify-row.ts';
import { bytesOf, NO_TURNS, shapeOf, signal } from './support.ts';

/** Every test of commitments runs with both. */
export const SUITES: readonly RowSuite[] = [plainBlake3Suite, sha256Suite];

/** What commits and reads in tests. */
export function optionsOf(suite: RowSuite) {
  return {
    codec: referenceCodec(NO_TURNS),
    suite,
    combiner: scalarCombiner(),
    clock: NO_TURNS,
    signal,
  };
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

/** A blob whose rows lie in memory. */
export type MemoryBlob = CommittedBlob & { readonly held: MemoryRows };

/** An honest blob of chance bytes. */
export async function committed(
  payloadBytes: number,
  suite: RowSuite,
  network: LayoutNetwork = {},
): Promise<MemoryBlob> {
  const payload = bytesOf(payloadBytes, payloadBytes + 1);
  return inMemory(await commitBlob(payload, network, optionsOf(suite)));
}

/** A blob of a codec that holds nothing. */
export function inMemory(blob: CommittedBlob): MemoryBlob {
  const { held } = blob;
  assert.ok(held instanceof MemoryRows);
  return { ...blob, held };
}

/** What a cheat commits to: any rows, and combinations honest for the data rows unless told. */
export async function forge(
  matrix: { readonly data: Uint8Array; readonly parity: Uint8Array },
  layout: BlobLayout,
  suite: RowSuite,
  alter: (combinations: Uint8Array) => void = () => undefined,
): Promise<MemoryBlob> {
  const held = await MemoryRows.of(matrix, layout, optionsOf(suite));
  const lying: HeldRows = {
    leaves: held.leaves,
    async combine(coefficients, part, options) {
      const combinations = await held.combine(coefficients, part, options);
      alter(combinations);
      return combinations;
    },
    read: (indexes, options) => held.read(indexes, options),
    release: () => held.release(),
  };
  return { ...(await commitRows(lying, layout, optionsOf(suite))), held };
}

/** A row of a blob with its path. */
export function rowAt(blob: MemoryBlob, index: number): ProvenRow {
  return { index, bytes: blob.held.rowAt(index), path: pathOf(blob, index) };
}

/** A slice of a blob. */
export function sliceAt(blob: MemoryBlob, rows: readonly number[]): Slice {
  return { header: headerOf(blob), rows: rows.map((index) => rowAt(blob, index)) };
}

/** A blob's header as its verifiers have it. */
export function verifiedHeader(blob: CommittedBlob, suite: RowSuite): VerifiedHeader {
  return verifyHeader(headerOf(blob), blob, { suite });
}

/** All rows of a blob as its readers have them. */
export function membersOf(blob: MemoryBlob, suite: RowSuite): MemberRow[] {
  const header = verifiedHeader(blob, suite);
  return Array.from({ length: blob.layout.rows }, (_, index) =>
    verifyMembership(rowAt(blob, index), header, { suite }),
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
