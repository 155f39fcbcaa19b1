import { mapConcurrent, SEGMENT_BYTES, type WorkerPool } from '@cairn/primitives';
import { type FileCommitment, FileCommitter } from './commit-file.ts';
import { CommitmentError } from './errors.ts';
import type { SegmentRootsTask } from './hash-worker.ts';
import type { Hasher } from './hasher.ts';
import { fileShape } from './shape.ts';

/** Segments a worker thread gets at once: 4 MiB, about 20 ms of work. */
const BATCH_SEGMENTS = 16;

/** What `commitStream` works with. */
export interface CommitStreamOptions {
  readonly hasher: Hasher;
  /** Threads running the `hash-worker` module; without them everything is hashed here. */
  readonly pool?: WorkerPool;
  readonly signal: AbortSignal;
  /** Told how many bytes are hashed, rising, the file's length last. */
  readonly onProgress?: (hashedBytes: number) => void;
}

/**
 * Commits to a file in one pass over a stream of pieces of any length. A piece is not looked at any
 * more once the next is asked for: the source may use its memory again.
 *
 * Memory: 32 bytes for each segment, the piece in hand and one segment; with a pool also 4 MiB
 * for each of its threads and two more.
 *
 * @throws {CommitmentError} FILE_EMPTY; FILE_LENGTH with both numbers if the source delivers
 *   another number of bytes (as soon as it exceeds `sizeBytes`)
 * @throws what the source or the pool throw; the signal's reason
 */
export async function commitStream(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sizeBytes: number,
  { hasher, pool, signal, onProgress }: CommitStreamOptions,
): Promise<FileCommitment> {
  const committer = new FileCommitter(hasher, sizeBytes);
  if (pool === undefined) {
    for await (const piece of source) {
      signal.throwIfAborted();
      committer.append(piece);
      onProgress?.(committer.appendedBytes);
    }
    return committer.finish();
  }
  const rootsOf = async (batch: Batch, inner: AbortSignal): Promise<BatchResult> => {
    if (!batch.isFull) return { bytes: batch.bytes };
    const task: SegmentRootsTask = { bytes: batch.bytes };
    const transfer = [batch.bytes.buffer];
    const roots = await pool.run<Uint8Array>(task, { signal: inner, transfer });
    return { roots };
  };
  const batches = batchesOf(source, sizeBytes, signal);
  for await (const result of mapConcurrent(batches, rootsOf, { parallel: pool.size + 1, signal })) {
    if (result.roots === undefined) committer.append(result.bytes);
    else committer.appendSegmentRoots(result.roots);
    onProgress?.(committer.appendedBytes);
  }
  return committer.finish();
}

interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whole segments, none of them the file's last. */
  readonly isFull: boolean;
}

type BatchResult =
  | { readonly roots: Uint8Array; readonly bytes?: never }
  | { readonly roots?: never; readonly bytes: Uint8Array };

/**
 * Cuts a stream into batches of whole segments, each in a buffer of its own, and the file's last
 * segment. A stream that ends early gives what it had; one that does not end is stopped.
 */
async function* batchesOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  sizeBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Batch, void, void> {
  const fullBytes = (fileShape(sizeBytes).segments - 1) * SEGMENT_BYTES;
  let startByte = 0;
  let filledBytes = 0;
  let bytes = new Uint8Array(nextBatchBytes(0, fullBytes, sizeBytes));
  for await (const piece of source) {
    signal.throwIfAborted();
    const actualBytes = startByte + filledBytes + piece.length;
    if (actualBytes > sizeBytes) {
      throw new CommitmentError(
        { code: 'FILE_LENGTH', expectedBytes: sizeBytes, actualBytes },
        `the file was announced with ${sizeBytes} bytes, at least ${actualBytes} came`,
      );
    }
    let offset = 0;
    while (offset < piece.length) {
      const takenBytes = Math.min(piece.length - offset, bytes.length - filledBytes);
      bytes.set(piece.subarray(offset, offset + takenBytes), filledBytes);
      filledBytes += takenBytes;
      offset += takenBytes;
      if (filledBytes === bytes.length) {
        yield { bytes, isFull: startByte < fullBytes };
        startByte += filledBytes;
        filledBytes = 0;
        bytes = new Uint8Array(nextBatchBytes(startByte, fullBytes, sizeBytes));
      }
    }
  }
  if (filledBytes > 0) yield { bytes: bytes.slice(0, filledBytes), isFull: false };
}

function nextBatchBytes(startByte: number, fullBytes: number, sizeBytes: number): number {
  if (startByte >= fullBytes) return sizeBytes - startByte;
  return Math.min(BATCH_SEGMENTS * SEGMENT_BYTES, fullBytes - startByte);
}
