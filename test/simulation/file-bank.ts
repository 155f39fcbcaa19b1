import {
  commitBytes,
  type FileCommitment,
  type Hasher,
  segmentDataBytes,
} from '@cairn/commitments';
import { type Root, rootOf, SEGMENT_BYTES, seededRng } from '@cairn/primitives';
import { KnownBytes } from './known-bytes.ts';

/** A file that is stored in simulations. */
export interface BankFile {
  readonly root: Root;
  readonly commitment: FileCommitment;
  /** Data of each segment as it travels. */
  readonly segments: readonly Uint8Array[];
}

/** Most files have one segment; the others two to five, the last of which is short. */
const SEGMENTS = [1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 5, 1, 1, 1, 3];
const MAX_SHORT_BYTES = 6000;

/** Files with known bytes, made once and used in many runs. */
export class FileBank {
  /** Hashes the segments of these files once each, however often it is asked. */
  readonly hasher: Hasher;
  /** The segments of the files that were asked for. */
  readonly known = new KnownBytes();
  readonly #files = new Map<number, BankFile>();
  readonly #byRoot = new Map<Root, BankFile>();

  constructor(hasher: Hasher) {
    this.hasher = this.known.hasherOver(hasher);
  }

  /** File `number`: the same bytes for ever. */
  file(number: number): BankFile {
    const known = this.#files.get(number);
    if (known !== undefined) return known;
    const rng = seededRng(number + 1);
    const whole = (SEGMENTS[number % SEGMENTS.length] ?? 1) - 1;
    const bytes = new Uint8Array(whole * SEGMENT_BYTES + 1 + rng.below(MAX_SHORT_BYTES));
    rng.fill(bytes);
    const commitment = commitBytes(this.hasher, bytes);
    const segments = Array.from({ length: commitment.shape.segments }, (_, index) => {
      const data = new Uint8Array(segmentDataBytes(commitment.shape, index));
      data.set(bytes.subarray(index * SEGMENT_BYTES, index * SEGMENT_BYTES + data.length));
      this.known.add(data);
      return data;
    });
    const file = { root: rootOf(commitment.root), commitment, segments };
    this.#files.set(number, file);
    this.#byRoot.set(file.root, file);
    return file;
  }

  /** What belongs at a place of a file. */
  segment(root: Root, index: number): Uint8Array | undefined {
    return this.#byRoot.get(root)?.segments[index];
  }
}
