import { loadRowSuite } from '@cairn/commitments/rows';
import {
  type CommittedBlob,
  commitBlob,
  loadWasmCodec,
  sliceOf,
  type VerifiedSlice,
  verifySlice,
} from '@cairn/erasure-codec';
import { seededRng } from '@cairn/primitives';
import type { SliceClaim } from '../../src/signer/slice-file.ts';
import { headerOf } from '../signer/headers.ts';

const { signal } = new AbortController();
const BYTES = 40_000;
/** Different blobs; the rest differ by their headers only. */
const BLOBS = 4;
const blobs = new Map<number, CommittedBlob>();
const suite = await loadRowSuite(0);
const codec = await loadWasmCodec();

/** A slice of 32 rows, proven, and what is known of it: both follow from the index. */
export async function verifiedSlices(
  index: number,
): Promise<{ readonly claim: SliceClaim; readonly slice: VerifiedSlice }> {
  const seed = index % BLOBS;
  const payload = seededRng(seed + 1).fill(new Uint8Array(BYTES));
  const options = { codec, suite, signal };
  const blob = blobs.get(seed) ?? (await commitBlob(payload, {}, options));
  blobs.set(seed, blob);
  const { commitment, layout } = blob;
  const rows = Array.from({ length: 32 }, (_, step) => (index + step) % layout.rows);
  const slice = verifySlice(
    await sliceOf(blob, rows, { signal }),
    { commitment, layout, rows },
    { suite },
  );
  const fields = { commitment, sizeBytes: BYTES, rowSizeBytes: layout.rowBytes };
  const header = headerOf(index, 0, fields);
  const claim = { header, epoch: 5, quorumId: 0, firstRow: rows[0] ?? 0, promise: undefined };
  return { claim, slice };
}
