import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import {
  PIECE_BYTES,
  type PoraKernel,
  recalledSegment,
  SEGMENT_PIECES,
  WORD_BYTES,
} from '@cairn/pora';
import { SEGMENT_BYTES, viewOf } from '@cairn/primitives';
import { ownsSegment } from '@cairn/wire-protocol';
import { PIECE_BITS_BYTES } from './sealed-record.ts';
import { placeInTable } from './sealed-table.ts';
import type { Hit, MineResult, MineTask } from './worker-tasks.ts';

/** Hits of one while: an easy target must not fill memory. */
const MAX_HITS = 16;
/** Files held open by a thread in one while. */
const MAX_OPEN_FILES = 64;
/** Longest rest between two batches; a batch is some milliseconds, so only small duties meet it. */
const MAX_REST_MS = 1000;

/**
 * Mines one batch, and more until the slice is over, another puzzle counts or many hits are found. Nonces whose
 * segment is not here end after their pad; nothing of other shards is ever read.
 *
 * Blocks its thread: it is for worker threads only.
 */
export function mineSlice(task: MineTask, kernel: PoraKernel): MineResult {
  const control = new Int32Array(task.control);
  const isCurrent = (): boolean => Atomics.load(control, 0) === task.generation;
  const files = new SealedFiles(task);
  const count = { hits: [] as Hit[], pads: 0, attempts: 0, busyMs: 0 };
  const nonces = nonceBatches(task.noncePrefix, kernel.batch);
  const began = performance.now();
  // A thread that waited for its turn longer than its slice still gets on.
  const isOver = (): boolean => count.pads > 0 && performance.now() - began >= task.sliceMs;
  kernel.setPuzzle(task.digests, task.limit);
  try {
    while (isCurrent() && count.hits.length < MAX_HITS && !isOver()) {
      const batchBegan = performance.now();
      mineBatch(task, { kernel, files, nonces: nonces(), isCurrent }, count);
      const busyMs = performance.now() - batchBegan;
      count.busyMs += busyMs;
      const restMs = Math.min(MAX_REST_MS, busyMs * (1 / task.duty - 1));
      if (restMs > 0) Atomics.wait(control, 0, task.generation, restMs);
    }
  } finally {
    files.close();
  }
  return count;
}

interface Batch {
  readonly kernel: PoraKernel;
  readonly files: SealedFiles;
  readonly nonces: Uint8Array;
  readonly isCurrent: () => boolean;
}

function mineBatch(
  task: MineTask,
  { kernel, files, nonces, isCurrent }: Batch,
  count: { hits: Hit[]; pads: number; attempts: number },
): void {
  const table = new Uint8Array(task.table);
  kernel.prepare(nonces);
  count.pads += kernel.batch;
  for (let attempt = 0; attempt < kernel.batch && isCurrent(); attempt += 1) {
    const segment = recalledSegment(kernel.recall(attempt), task.range);
    if (segment === undefined || !ownsSegment(task.shard, segment)) continue;
    const at = placeInTable(segment, task.shard) * PIECE_BITS_BYTES;
    const sealed = table.slice(at, at + PIECE_BITS_BYTES);
    if (!sealed.some((byte) => byte !== 0) || !files.read(segment, kernel.segment)) continue;
    count.attempts += 1;
    for (let first = 0; first < SEGMENT_PIECES && count.hits.length < MAX_HITS; ) {
      const win = kernel.find(attempt, sealed, first);
      if (win === undefined) break;
      const from = win.index * PIECE_BYTES;
      count.hits.push({
        nonce: nonces.slice(attempt * WORD_BYTES, (attempt + 1) * WORD_BYTES),
        segment,
        piece: win.index,
        hash: win.hash,
        sealed: kernel.segment.slice(from, from + PIECE_BYTES),
      });
      first = win.index + 1;
    }
  }
}

/** Nonces one batch after the other: the prefix and a number that rises. */
function nonceBatches(prefix: Uint8Array, size: number): () => Uint8Array {
  let next = 0n;
  return () => {
    const nonces = new Uint8Array(size * WORD_BYTES);
    const view = viewOf(nonces);
    for (let at = 0; at < nonces.length; at += WORD_BYTES) {
      nonces.set(prefix, at);
      view.setBigUint64(at + prefix.length, next);
      next += 1n;
    }
    return nonces;
  };
}

/** Reads of sealed copies straight to where they are hashed. */
class SealedFiles {
  readonly #where: Pick<MineTask, 'directory' | 'fileBytes'>;
  readonly #open = new Map<number, number>();

  constructor(where: Pick<MineTask, 'directory' | 'fileBytes'>) {
    this.#where = where;
  }

  /** Fills `target` with a segment's copy; `false` where it cannot be read whole. */
  read(segment: number, target: Uint8Array): boolean {
    const perFile = this.#where.fileBytes / SEGMENT_BYTES;
    const at = (segment % perFile) * SEGMENT_BYTES;
    try {
      const file = this.#handle(Math.floor(segment / perFile));
      return readSync(file, target, 0, SEGMENT_BYTES, at) === SEGMENT_BYTES;
    } catch {
      return false; // as if it were not sealed: a failing disk is the store's to report
    }
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file);
    this.#open.clear();
  }

  #handle(number: number): number {
    const known = this.#open.get(number);
    if (known !== undefined) return known;
    if (this.#open.size >= MAX_OPEN_FILES) this.close();
    const name = `${String(number).padStart(8, '0')}.flat`;
    const file = openSync(join(this.#where.directory, name), 'r');
    this.#open.set(number, file);
    return file;
  }
}
