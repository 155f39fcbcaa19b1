import { FileTree, fileShape, type Hasher } from '@cairn/commitments';
import { type FileSource, type PreparedFile, prepareFile } from '@cairn/log-layer';
import { equalBytes, rootBytes, type WorkerPool } from '@cairn/primitives';
import { SdkError } from './errors.ts';
import type { PutEvent } from './put-options.ts';
import type { JournalledFile } from './upload-journal.ts';

/** Files shorter than this are hashed before a thread would have their bytes. */
const MIN_POOL_BYTES = 8_388_608;

/** A file of the log ready to be paid and sent: 96 bytes in memory for each of its segments. */
export interface PreparedUpload extends PreparedFile {
  readonly source: FileSource;
  /**
   * Whether each segment is hashed again before it leaves. Set for encrypted files: if the plain
   * file changes in between, the same key stream would cover other bytes, and give both away.
   */
  readonly isRechecked: boolean;
}

/** What hashing needs. */
export interface PrepareDeps {
  readonly hasher: Hasher;
  readonly pool?: WorkerPool;
}

/**
 * Hashes a file in one pass.
 *
 * @throws {SdkError} SDK_EMPTY_FILE; {CommitmentError} FILE_LENGTH; what the source throws
 */
export async function prepareUpload(
  source: FileSource,
  { hasher, pool }: PrepareDeps,
  {
    signal,
    isRechecked,
    onProgress,
  }: {
    readonly signal: AbortSignal;
    readonly isRechecked: boolean;
    readonly onProgress?: ((event: PutEvent) => void) | undefined;
  },
): Promise<PreparedUpload> {
  const { sizeBytes } = source;
  if (sizeBytes === 0) {
    throw new SdkError(
      { code: 'SDK_EMPTY_FILE' },
      'a file of 0 bytes cannot be stored: it has no root',
    );
  }
  const prepared = await prepareFile(source, {
    hasher,
    ...(pool === undefined || sizeBytes < MIN_POOL_BYTES ? {} : { pool }),
    signal,
    onProgress: (doneBytes) => onProgress?.({ step: 'hashing', doneBytes, totalBytes: sizeBytes }),
  });
  return { ...prepared, source, isRechecked };
}

/**
 * A file whose hashes the journal kept; `undefined` if they do not fit each other. Whether the
 * file still has these bytes shows where a segment is sent, which holders check; a file that they
 * have already is not read again, so there the resume key's word stands.
 */
export function recallUpload(
  source: FileSource,
  journalled: JournalledFile,
  { hasher }: Pick<PrepareDeps, 'hasher'>,
  isRechecked: boolean,
): PreparedUpload | undefined {
  const { root, sizeBytes, nodes, segmentRoots } = journalled;
  if (source.sizeBytes !== sizeBytes || sizeBytes === 0) return undefined;
  const shape = fileShape(sizeBytes);
  if (segmentRoots.length !== shape.segments * 32) return undefined;
  const tree = FileTree.fromSegmentRoots(hasher, shape, segmentRoots);
  if (!equalBytes(tree.root, rootBytes(root))) return undefined;
  return { source, root, sizeBytes, shape, nodes, segmentRoots, tree, isRechecked };
}
