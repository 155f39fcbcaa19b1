import type { BlobHeader as ProvingHeader } from '@cairn/erasure-codec';
import { encodeRow, type ProvenRow, rowMessageBytes } from '@cairn/erasure-codec';
import { type Root, viewOf } from '@cairn/primitives';
import {
  type HeldBlob,
  MAX_HELD_SLICES,
  type RowQuery,
  rowsPerReply,
} from '@cairn/wire-protocol/da';
import { SignerError } from '../errors.ts';
import { layoutOfHeld } from './slice-file.ts';
import type { HeldSlice } from './slice-index.ts';
import type { SliceStore } from './slice-store.ts';

const HASH_BYTES = 32;

/** What is held of a blob. @throws {SignerError} ROWS_NOT_HELD */
export function describeHeld(
  commitment: Root,
  { store }: { readonly store: Pick<SliceStore, 'ofCommitment'> },
): HeldBlob {
  const slices = store.ofCommitment(commitment);
  const [first] = slices;
  if (first === undefined) throw notHeld(commitment, slices);
  const { sizeBytes, suite } = first.header;
  return {
    commitment,
    sizeBytes,
    suite,
    slices: slices.slice(0, MAX_HELD_SLICES).map(({ epoch, quorumId, firstRow, rows, header }) => ({
      epoch,
      quorumId,
      firstRow,
      rows,
      expirySeconds: header.expirySeconds,
    })),
  };
}

/**
 * Row messages of those rows asked for that are held, in the order asked, as many as one reply takes.
 *
 * @throws {SignerError} ROWS_NOT_HELD if none is; {StorageError} DISK_IO
 */
export async function serveRows(
  commitment: Root,
  { indexes, form }: RowQuery,
  { store }: { readonly store: Pick<SliceStore, 'ofCommitment' | 'read'> },
): Promise<readonly Uint8Array[]> {
  const { slices, served } = servedOf(commitment, { indexes, form }, store);
  const messages = new Map<number, Uint8Array>();
  for (const slice of slices) {
    const places = served
      .filter((index) => !messages.has(index))
      .map((index) => placeIn(slice, index))
      .filter((place) => place >= 0);
    const rows = await readRows(slice, places, form, store);
    for (const { index, message } of rows) messages.set(index, message);
  }
  const found = served.flatMap((index) => messages.get(index) ?? []);
  if (found.length === 0) throw notHeld(commitment, store.ofCommitment(commitment));
  return found;
}

/**
 * Bytes of the row messages that {@link serveRows} gives at most, told without a look at the disk.
 *
 * @throws {SignerError} ROWS_NOT_HELD if nothing of the blob is held
 */
export function servedBytes(
  commitment: Root,
  query: RowQuery,
  { store }: { readonly store: Pick<SliceStore, 'ofCommitment'> },
): number {
  const { served, messageBytes } = servedOf(commitment, query, store);
  return served.length * messageBytes;
}

function servedOf(
  commitment: Root,
  { indexes, form }: RowQuery,
  store: Pick<SliceStore, 'ofCommitment'>,
): {
  readonly slices: readonly HeldSlice[];
  readonly served: readonly number[];
  readonly messageBytes: number;
} {
  const slices = store.ofCommitment(commitment);
  const [first] = slices;
  if (first === undefined) throw notHeld(commitment, slices);
  const messageBytes = rowMessageBytes(layoutOfHeld(first.header), form);
  const wanted = indexes.filter((index) => slices.some((slice) => placeIn(slice, index) >= 0));
  return { slices, served: wanted.slice(0, rowsPerReply(messageBytes)), messageBytes };
}

async function readRows(
  slice: HeldSlice,
  places: readonly number[],
  form: RowQuery['form'],
  store: Pick<SliceStore, 'read'>,
): Promise<readonly { readonly index: number; readonly message: Uint8Array }[]> {
  if (places.length === 0) return [];
  const stored = await store.read(slice, places);
  if (stored === undefined) return [];
  const header = provingHeader(slice, stored.proving);
  return stored.rows.map((bytes) => {
    const row = provenRow(bytes, header.layout.rowBytes);
    const { suite, layout } = header;
    const message =
      form === 'full'
        ? encodeRow({ kind: 'full', header, row })
        : encodeRow({ kind: 'bare', suite, layout, row });
    return { index: row.index, message };
  });
}

function provingHeader({ header }: HeldSlice, proving: Uint8Array): ProvingHeader {
  const layout = layoutOfHeld(header);
  const rootsBytes = (1 + layout.cosets) * HASH_BYTES;
  return {
    suite: header.suite === 1 ? 1 : 0,
    layout,
    cosetRoots: Array.from({ length: 1 + layout.cosets }, (_, coset) =>
      proving.subarray(coset * HASH_BYTES, (coset + 1) * HASH_BYTES),
    ),
    combinations: proving.subarray(rootsBytes),
  };
}

function provenRow(bytes: Uint8Array, rowBytes: number): ProvenRow {
  return {
    index: viewOf(bytes).getUint32(0, true),
    bytes: bytes.subarray(4, 4 + rowBytes),
    path: bytes.subarray(4 + rowBytes),
  };
}

/** Where a row stands in a slice; −1 if it is not of its arc. */
function placeIn({ header, firstRow, rows }: HeldSlice, index: number): number {
  const { rows: all } = layoutOfHeld(header);
  if (index >= all) return -1;
  const place = (index - firstRow + all) % all;
  return place < rows ? place : -1;
}

function notHeld(commitment: Root, slices: readonly HeldSlice[]): SignerError {
  const [first] = slices;
  return new SignerError(
    { code: 'ROWS_NOT_HELD', commitment },
    first === undefined
      ? `no rows of ${commitment} are held here`
      : `of ${commitment}, ${first.rows} rows from ${first.firstRow} on are held here`,
  );
}
