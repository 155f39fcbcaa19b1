import type { RowSuite, RowTree } from '@cairn/commitments/rows';
import { concatBytes, viewOf } from '@cairn/primitives';
import { arcRows, type RowArc } from './assign-rows.ts';
import type { BlobParams } from './blob-params.ts';
import { type CommittedBlob, headerOf } from './commitment.ts';
import type { BlobLayout } from './layout.ts';
import {
  encodeProving,
  encodeStart,
  MESSAGE_START_BYTES,
  type MessageReader,
  provingBytes,
  refuseForm,
} from './message-bytes.ts';
import { HASH_BYTES } from './transcript.ts';
import type { RootedRows } from './verify-row.ts';

const HASH_WORDS = HASH_BYTES / 4;
const NO_BYTES = new Uint8Array(0);

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
 * The packed slice message of a holder's arc, in parts to be sent one after another: a few small ones,
 * and the rows where they are held, so that rows in memory are not copied.
 *
 * @throws {SliceError} SLICE_FORM for an arc that the blob has not; as `HeldRows.read`
 * @see docs/spec/codec.md, "Packed slice"
 */
export async function packedSliceOf(
  blob: CommittedBlob,
  arc: Arc,
  options: { readonly signal: AbortSignal },
): Promise<readonly Uint8Array[]> {
  const { layout } = blob;
  assertArc(arc, layout);
  const header = headerOf(blob);
  const counts = new Uint8Array(8);
  viewOf(counts).setUint32(0, arc.start, true);
  viewOf(counts).setUint32(4, arc.count, true);
  const start = concatBytes(encodeStart(PACKED_KIND, header), encodeProving(header), counts);
  const rows = await blob.held.read(arcRows(arc, layout), options);
  const siblings = runsOf(arc, layout).flatMap((run) => {
    const tree = blob.trees[run.coset] as RowTree;
    const paths = { left: tree.pathAt(run.from), right: tree.pathAt(run.to) };
    return edgesOf(run, layout).map(({ level, side }) => paths[side][level] as Uint8Array);
  });
  return [start, ...joinNeighbours(rows), concatBytes(...siblings)];
}

/** The same bytes in fewer parts, where parts lie side by side in memory. */
function joinNeighbours(parts: readonly Uint8Array[]): Uint8Array[] {
  const joined: Uint8Array[] = [];
  for (const part of parts) {
    const before = joined.at(-1);
    const isNext =
      before?.buffer === part.buffer && before.byteOffset + before.length === part.byteOffset;
    if (!isNext) joined.push(part);
    else {
      const length = before.length + part.length;
      joined[joined.length - 1] = new Uint8Array(before.buffer, before.byteOffset, length);
    }
  }
  return joined;
}

/**
 * The rest of a packed slice message: runs of rows with the paths that they and the message's hashes
 * make, and the root that these lead to. Whether that is their coset's is for the caller to compare.
 *
 * @throws {SliceError} SLICE_FORM, SLICE_LENGTH
 */
export function readPackedRuns(
  reader: MessageReader,
  { layout }: BlobParams,
  suite: Pick<RowSuite, 'leaves' | 'parents'>,
): RootedRows[] {
  const arc = { start: reader.number(), count: reader.number() };
  assertArc(arc, layout);
  reader.expectLength(packedSliceBytes(layout, arc));
  const { rowBytes } = layout;
  const all = reader.take(arc.count * rowBytes);
  const leaves = suite.leaves(all, rowBytes);
  let done = 0;
  return runsOf(arc, layout).map((run) => {
    const edges = edgesOf(run, layout).map((edge) => ({ ...edge, hash: reader.take(HASH_BYTES) }));
    const first = done;
    done += run.to - run.from + 1;
    const own = leaves.subarray(first * HASH_BYTES, done * HASH_BYTES);
    const { paths, root } = climb(run, own, edges, layout, suite);
    const rows = paths.map((path, step) => {
      const at = (first + step) * rowBytes;
      const index = run.coset * layout.dataRows + run.from + step;
      return { index, bytes: all.subarray(at, at + rowBytes), path };
    });
    return { rows, root };
  });
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

/** The paths of a run's rows, 32 · log2 K bytes each, and the root that all of them lead to. */
function climb(
  { from, to }: Run,
  leaves: Uint8Array,
  edges: readonly (Edge & { readonly hash: Uint8Array })[],
  { log2K }: BlobLayout,
  suite: Pick<RowSuite, 'parents'>,
): { readonly paths: readonly Uint8Array[]; readonly root: Uint8Array } {
  const count = to - from + 1;
  const pathWords = log2K * HASH_WORDS;
  const words = new Uint32Array(count * pathWords); // in this machine's order: they are only moved
  let nodes = leaves;
  for (let level = 0; level < log2K; level += 1) {
    const hashAt = (side: Edge['side']): Uint8Array =>
      edges.find((edge) => edge.level === level && edge.side === side)?.hash ?? NO_BYTES;
    const left = hashAt('left');
    const pairs = concatBytes(left, nodes, hashAt('right'));
    const siblings = new Uint32Array(pairs.buffer);
    const first = (from >>> level) - left.length / HASH_BYTES;
    for (let step = 0; step < count; step += 1) {
      const sibling = ((((from + step) >>> level) ^ 1) - first) * HASH_WORDS;
      const at = step * pathWords + level * HASH_WORDS;
      for (let word = 0; word < HASH_WORDS; word += 1) {
        words[at + word] = siblings[sibling + word] as number;
      }
    }
    nodes = suite.parents(pairs);
  }
  const bytes = new Uint8Array(words.buffer);
  const pathBytes = log2K * HASH_BYTES;
  const paths = Array.from({ length: count }, (_, step) =>
    bytes.subarray(step * pathBytes, (step + 1) * pathBytes),
  );
  return { paths, root: nodes };
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
