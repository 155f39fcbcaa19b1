import { readFileSync } from 'node:fs';
import { keccak256, type SubmissionNode } from '@cairn/primitives';

/** Known answers of the official SDK 1.2.8 and the official log contract; see the file itself. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/storage.json', import.meta.url), 'utf8'),
) as {
  readonly constants: { readonly zeroHashes: readonly string[] };
  readonly files: readonly FileVector[];
  readonly filesAperiodic: { readonly files: readonly FileVector[] };
  readonly flow: { readonly steps: readonly FlowStep[] };
};

export interface FileVector {
  readonly size: number;
  readonly root: string | null;
  readonly numChunks: number;
  readonly paddedChunks?: number;
  readonly numSegments: number;
  readonly numSegmentsPadded: number;
  readonly nodes?: readonly NodeVector[];
  readonly submission?: { readonly nodes: readonly NodeVector[] };
  readonly segmentRoots?: readonly string[];
  readonly segmentProofs?: readonly {
    readonly index: number;
    readonly dataBytesSent: number;
    readonly lemma: readonly string[];
    readonly path: readonly boolean[];
  }[];
}

export interface NodeVector {
  readonly root: string;
  readonly height: number;
}

export interface FlowStep {
  readonly size: number;
  readonly heights: readonly number[];
  readonly dataRoot: string;
  readonly previousLength: string;
  readonly startPos: string;
  readonly length: string;
  readonly currentLength: string;
  readonly flowRootByTxSeq: string;
}

/** Files of the first content formula, then of the second, each with its bytes; none is empty. */
export function* vectorFiles(): Generator<{ file: FileVector; bytes: Uint8Array; title: string }> {
  for (const file of vectors.files) {
    if (file.size === 0) continue;
    yield { file, bytes: periodicBytes(file.size), title: `${file.size} periodic bytes` };
  }
  for (const file of vectors.filesAperiodic.files) {
    yield { file, bytes: aperiodicBytes(file.size), title: `${file.size} aperiodic bytes` };
  }
}

/** `byte[i] = ((i·31 + 7) mod 256) XOR ((i >> 8) & 0xff)`. */
export function periodicBytes(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i += 1) bytes[i] = ((i * 31 + 7) & 0xff) ^ ((i >> 8) & 0xff);
  return bytes;
}

/** `byte[i] = ⌊((i · 2654435761) mod 2^32) / 2^24⌋`. */
export function aperiodicBytes(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i += 1) bytes[i] = Math.imul(i, 2654435761) >>> 24;
  return bytes;
}

/** The root over leaves by the recursive definition: left is the largest power of two below. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) throw new Error('a tree has leaves');
  if (leaves.length === 1) return only;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return keccak256(naiveRoot(leaves.slice(0, half)), naiveRoot(leaves.slice(half)));
}

/** Hashes of the sectors of `bytes`, then of zero sectors up to `count`. */
export function naiveLeaves(bytes: Uint8Array, count: number): Uint8Array[] {
  const zero = keccak256(new Uint8Array(256));
  return Array.from({ length: count }, (_, leaf) => {
    const data = bytes.subarray(leaf * 256, leaf * 256 + 256);
    if (data.length === 0) return zero;
    const sector = new Uint8Array(256);
    sector.set(data);
    return keccak256(sector);
  });
}

/** Nodes with made-up roots: the hash of their place in the list and `salt`. */
export function madeUpNodes(heights: readonly number[], salt: number): SubmissionNode[] {
  return heights.map((height, place) => ({
    height,
    root: keccak256(Uint8Array.of(salt & 255, (salt >> 8) & 255, place)),
  }));
}

/** Bytes with one bit turned over. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** Seed of all random cases; fast-check prints it when one fails. */
export const SEED = 20_261_121;
