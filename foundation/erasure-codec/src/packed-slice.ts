import type { RowSuite } from '@cairn/commitments/rows';
import { viewOf } from '@cairn/primitives';
import type { RowArc } from './assign-rows.ts';
import type { BlobParams } from './blob-params.ts';
import type { BlobLayout } from './layout.ts';
import {
  encodeProving,
  encodeStart,
  MESSAGE_START_BYTES,
  type MessageReader,
  provingBytes,
  refuseForm,
} from './message-bytes.ts';
import type { Slice } from './slice.ts';
import { HASH_BYTES } from './transcript.ts';
import { assertRowForm, type ProvenRow } from './verify-row.ts';

/** Rows of one coset that follow one another: places in the coset, both included. */
interface Run {
  readonly coset: number;
  readonly from: number;
  readonly to: number;
}

/** What a packed slice begins with. */
export const PACKED_KIND = { magic: 'CSLC', form: 1 } as const;

type Arc = Pick<RowArc<unknown>, 'start' | 'count'>;

/**
 * Bytes of a packed slice message of an arc: rows without paths, and only those hashes that the rows
 * do not give themselves, about 2 · log2 K for each coset that the arc touches.
 */
export function packedSliceBytes(layout: BlobLayout, arc: Arc): number {
  const siblings = runsOf(arc, layout).reduce((sum, run) => sum + edgesOf(run, layout).length, 0);
  const rowsBytes = arc.count * layout.rowBytes;
  return MESSAGE_START_BYTES + provingBytes(layout) + 8 + rowsBytes + siblings * HASH_BYTES;
}

/**
 * A slice as bytes, its rows an arc. One copy of the rows.
 *
 * @param into - memory for it, which may be longer than it is
 * @returns a view of `into`, or memory of its own
 * @throws {SliceError} SLICE_FORM unless the rows follow one another round the circle, SLICE_LENGTH;
 *   {RangeError} if `into` is too short
 * @see docs/spec/codec.md, "Packed slice"
 */
export function encodePackedSlice({ header, rows }: Slice, into?: Uint8Array): Uint8Array {
  const { layout } = header;
  const arc = { start: rows[0]?.index ?? 0, count: rows.length };
  assertArc(arc, layout);
  for (const [step, row] of rows.entries()) {
    assertRowForm(row, layout);
    if (row.index !== (arc.start + step) % layout.rows) refuseForm('index', row.index);
  }
  const length = packedSliceBytes(layout, arc);
  if (into !== undefined && into.length < length) {
    throw new RangeError(`the message has ${length} bytes; there is room for ${into.length}`);
  }
  const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
  bytes.set(encodeStart(PACKED_KIND, header));
  bytes.set(encodeProving(header), MESSAGE_START_BYTES);
  let at = MESSAGE_START_BYTES + provingBytes(layout);
  viewOf(bytes).setUint32(at, arc.start, true);
  viewOf(bytes).setUint32(at + 4, arc.count, true);
  at += 8;
  for (const row of rows) {
    bytes.set(row.bytes, at);
    at += layout.rowBytes;
  }
  const pathOf = (index: number): Uint8Array =>
    (rows[(index - arc.start + layout.rows) % layout.rows] as ProvenRow).path;
  for (const run of runsOf(arc, layout)) {
    const first = run.coset * layout.dataRows;
    for (const { level, side } of edgesOf(run, layout)) {
      const path = pathOf(first + (side === 'left' ? run.from : run.to));
      bytes.set(path.subarray(level * HASH_BYTES, (level + 1) * HASH_BYTES), at);
      at += HASH_BYTES;
    }
  }
  return bytes;
}

/**
 * The rest of a packed slice message: rows with the paths that they and the message's hashes make.
 * Nothing is proven: wrong rows have paths that lead nowhere.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH
 */
export function readPackedRows(
  reader: MessageReader,
  { layout }: BlobParams,
  suite: Pick<RowSuite, 'leaves' | 'parents'>,
): ProvenRow[] {
  const arc = { start: reader.number(), count: reader.number() };
  assertArc(arc, layout);
  reader.expectLength(packedSliceBytes(layout, arc));
  const { rowBytes } = layout;
  const all = reader.take(arc.count * rowBytes);
  const leaves = suite.leaves(all, rowBytes);
  const rows: ProvenRow[] = [];
  for (const run of runsOf(arc, layout)) {
    const edges = edgesOf(run, layout).map((edge) => ({ ...edge, hash: reader.take(HASH_BYTES) }));
    const count = run.to - run.from + 1;
    const at = rows.length;
    const own = leaves.subarray(at * HASH_BYTES, (at + count) * HASH_BYTES);
    const paths = pathsOf(run, own, edges, layout, suite);
    for (const [step, path] of paths.entries()) {
      const index = run.coset * layout.dataRows + run.from + step;
      const from = (at + step) * rowBytes;
      rows.push({ index, bytes: all.subarray(from, from + rowBytes), path });
    }
  }
  return rows;
}

/** A hash beside a run that its rows do not give. */
interface Edge {
  readonly level: number;
  readonly side: 'left' | 'right';
}

/** Level by level from the leaves, left before right. */
function edgesOf({ from, to }: Run, { log2K }: BlobLayout): Edge[] {
  const edges: Edge[] = [];
  for (let level = 0; level < log2K; level += 1) {
    if ((from >>> level) % 2 === 1) edges.push({ level, side: 'left' });
    if ((to >>> level) % 2 === 0) edges.push({ level, side: 'right' });
  }
  return edges;
}

/** The paths of a run's rows, 32 · log2 K bytes each. */
function pathsOf(
  { from, to }: Run,
  leaves: Uint8Array,
  edges: readonly (Edge & { readonly hash: Uint8Array })[],
  { log2K }: BlobLayout,
  suite: Pick<RowSuite, 'parents'>,
): Uint8Array[] {
  const count = to - from + 1;
  const paths = Array.from({ length: count }, () => new Uint8Array(log2K * HASH_BYTES));
  let nodes = leaves;
  for (let level = 0; level < log2K; level += 1) {
    const hashAt = (side: Edge['side']): Uint8Array | undefined =>
      edges.find((edge) => edge.level === level && edge.side === side)?.hash;
    const left = hashAt('left');
    const right = hashAt('right');
    const first = (from >>> level) - (left === undefined ? 0 : 1);
    const pairs = new Uint8Array(nodes.length + (left?.length ?? 0) + (right?.length ?? 0));
    if (left !== undefined) pairs.set(left);
    pairs.set(nodes, left?.length ?? 0);
    if (right !== undefined) pairs.set(right, pairs.length - HASH_BYTES);
    for (const [step, path] of paths.entries()) {
      const sibling = (((from + step) >>> level) ^ 1) - first;
      const at = sibling * HASH_BYTES;
      path.set(pairs.subarray(at, at + HASH_BYTES), level * HASH_BYTES);
    }
    nodes = suite.parents(pairs);
  }
  return paths;
}

/** Runs of an arc, in its order: one for each coset that it touches, two if it comes round to one. */
function runsOf({ start, count }: Arc, { dataRows, rows }: BlobLayout): Run[] {
  const runs: Run[] = [];
  for (let done = 0; done < count; ) {
    const index = (start + done) % rows;
    const from = index % dataRows;
    const length = Math.min(dataRows - from, count - done);
    runs.push({ coset: Math.floor(index / dataRows), from, to: from + length - 1 });
    done += length;
  }
  return runs;
}

function assertArc({ start, count }: Arc, { rows }: BlobLayout): void {
  if (start >= rows) refuseForm('index', start);
  if (count < 1 || count > rows) refuseForm('count', count);
}
