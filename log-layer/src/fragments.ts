import {
  assertPositiveInteger,
  FRAGMENT_BYTES,
  MIN_FRAGMENT_BYTES,
  nextPowerOfTwo,
} from '@cairn/primitives';
import { type ByteRange, type FileSource, sliceSource } from './file-source.ts';

/** Bytes of a fragment when `fragmentBytes` are asked for: the next power of two, 256 at least. */
export function fragmentBytesFor(fragmentBytes: number): number {
  assertPositiveInteger(fragmentBytes, 'fragmentBytes');
  return nextPowerOfTwo(Math.max(fragmentBytes, MIN_FRAGMENT_BYTES));
}

/**
 * The parts a file of `sizeBytes` is cut into, in order; one part if it is no longer than one.
 * Each is a file of its own on the network: nothing there says that they belong together.
 *
 * @param fragmentBytes - 4 GiB unless told; rounded up to a power of two
 */
export function* fragmentRanges(
  sizeBytes: number,
  fragmentBytes: number = FRAGMENT_BYTES,
): Generator<ByteRange, void, void> {
  const length = fragmentBytesFor(fragmentBytes);
  for (let offset = 0; offset < sizeBytes; offset += length) {
    yield { offset, length: Math.min(length, sizeBytes - offset) };
  }
}

/** The fragments of a file as sources. */
export function fragmentSources(source: FileSource, fragmentBytes?: number): FileSource[] {
  const ranges = [...fragmentRanges(source.sizeBytes, fragmentBytes)];
  return ranges.map(({ offset, length }) => sliceSource(source, offset, length));
}
