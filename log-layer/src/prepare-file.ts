import { commitStream, type FileShape, type FileTree, type Hasher } from '@cairn/commitments';
import { type Root, rootOf, type SubmissionNode, type WorkerPool } from '@cairn/primitives';
import type { FileSource } from './file-source.ts';

/** A file read once and ready to submit and upload. Keeps 32 bytes a segment and their tree. */
export interface PreparedFile {
  readonly root: Root;
  readonly sizeBytes: number;
  readonly shape: FileShape;
  readonly nodes: readonly SubmissionNode[];
  /** 32 bytes for each segment with data. */
  readonly segmentRoots: Uint8Array;
  /** Gives the proof of each segment. */
  readonly tree: FileTree;
}

/** What preparing works with. */
export interface PrepareFileOptions {
  readonly hasher: Hasher;
  /** Threads that hash beside this one. */
  readonly pool?: WorkerPool;
  readonly signal: AbortSignal;
  /** Told how many bytes were read, now and then. */
  readonly onProgress?: (doneBytes: number) => void;
}

/**
 * Root, submission and proofs of a file in one streaming pass.
 *
 * @throws {CommitmentError} FILE_EMPTY for zero bytes, FILE_LENGTH if the source changes meanwhile;
 *   what the source throws; the signal's reason
 */
export async function prepareFile(
  source: FileSource,
  { hasher, pool, signal, onProgress }: PrepareFileOptions,
): Promise<PreparedFile> {
  const commitment = await commitStream(source.stream({ signal, reuse: true }), source.sizeBytes, {
    hasher,
    signal,
    ...(pool === undefined ? {} : { pool }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const { root, shape, nodes, segmentRoots, tree } = commitment;
  return { root: rootOf(root), sizeBytes: source.sizeBytes, shape, nodes, segmentRoots, tree };
}
