import { isRecord, SEGMENT_BYTES, SEGMENT_SECTORS } from '@cairn/primitives';
import { HASH_BYTES, type Hasher } from './hasher.ts';
import { loadHasher } from './load-hasher.ts';

/** What a worker thread does: the roots of consecutive full segments. */
export interface SegmentRootsTask {
  /** A whole number of segments of 262,144 bytes. */
  readonly bytes: Uint8Array;
}

/** Roots over the data of segments of any length, which lie behind one another. */
export interface DataRootsTask {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each segment the length of its data and the leaves of its tree. */
  readonly parts: readonly { readonly bytes: number; readonly leaves: number }[];
}

/** The thread's hasher: compiled once per thread, with the first task. */
let loading: Promise<Hasher> | undefined;

/**
 * Entry for worker threads.
 *
 * @param task - a `SegmentRootsTask` or a `DataRootsTask`
 * @returns a Uint8Array of 32 bytes for each segment, in order
 * @throws {RangeError} if the task is not one
 */
export async function run(task: unknown): Promise<unknown> {
  const { bytes, parts } = isRecord(task) ? task : {};
  if (!(bytes instanceof Uint8Array)) throw new RangeError('a segment roots task has bytes');
  loading ??= loadHasher();
  if (parts === undefined) return segmentRootsOf(await loading, bytes);
  return dataRootsOf(await loading, { bytes, parts } as DataRootsTask);
}

function dataRootsOf(
  hasher: Pick<Hasher, 'segmentRoot'>,
  { bytes, parts }: DataRootsTask,
): Uint8Array {
  const roots = new Uint8Array(parts.length * HASH_BYTES);
  let from = 0;
  for (const [at, part] of parts.entries()) {
    const data = bytes.subarray(from, from + part.bytes);
    roots.set(hasher.segmentRoot(data, part.leaves), at * HASH_BYTES);
    from += part.bytes;
  }
  return roots;
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
