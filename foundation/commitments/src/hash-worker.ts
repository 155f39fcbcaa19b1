import { isRecord, SEGMENT_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { loadHasher } from './load-hasher.ts';

/** What a worker thread does: the roots of consecutive full segments. */
export interface SegmentRootsTask {
  /** A whole number of segments of 262,144 bytes. */
  readonly bytes: Uint8Array;
}

/** The thread's hasher: compiled once per thread, with the first task. */
let loading: Promise<Hasher> | undefined;

/**
 * Entry for worker threads.
 *
 * @param task - a `SegmentRootsTask`
 * @returns a Uint8Array of 32 bytes for each segment, in order
 * @throws {RangeError} if the task is not one
 */
export async function run(task: unknown): Promise<unknown> {
  const { bytes } = isRecord(task) ? task : {};
  if (!(bytes instanceof Uint8Array)) throw new RangeError('a segment roots task has bytes');
  loading ??= loadHasher();
  return segmentRootsOf(await loading, bytes);
}

/**
 * Roots of consecutive full segments, 32 bytes each.
 *
 * @throws {RangeError} unless `bytes` are a whole number of segments
 */
function segmentRootsOf(hasher: Pick<Hasher, 'segmentRoot'>, bytes: Uint8Array): Uint8Array {
  if (bytes.length % SEGMENT_BYTES !== 0) {
    throw new RangeError(
      `${bytes.length} bytes are not a whole number of ${SEGMENT_BYTES}-byte segments`,
    );
  }
  const roots = new Uint8Array((bytes.length / SEGMENT_BYTES) * HASH_BYTES);
  for (let start = 0; start < bytes.length; start += SEGMENT_BYTES) {
    const segment = bytes.subarray(start, start + SEGMENT_BYTES);
    roots.set(hasher.segmentRoot(segment, SEGMENT_SECTORS), (start / SEGMENT_BYTES) * HASH_BYTES);
  }
  return roots;
}
