import type { SubmissionRecord } from '@cairn/commitments';
import { equalBytes, rootBytes } from '@cairn/primitives';
import type { ContentReference } from '@cairn/wire-protocol';
import { badProof, ShardError } from './errors.ts';
import type { CitedContent } from './job-board.ts';
import { checkpointAt, findRecord } from './placed-record.ts';
import {
  orderedFile,
  type ProveFileDeps,
  type ProveFileOptions,
  readPlaces,
} from './prove-file.ts';

/** How a reference is proven. */
export interface ProveContentOptions extends ProveFileOptions {
  /** Places under whose root to show the reference's, as `anchorPlace` tells; all that are given unless told. */
  readonly count?: number;
}

/**
 * Proves what a reference says: that the log of its chain has the file, as of the checkpoint at its place in the order. With it
 * a contract takes the reference. Reads as much as `proveFile`.
 *
 * @param deps - of the shard that has the reference's chain
 * @throws {ShardError} SHARD_PLACE_NOT_GIVEN where the order is not as long yet, SHARD_NOT_LOGGED where the checkpoint there has no
 *   such file, SHARD_BAD_PROOF; {DaError} DA_BAD_EVENT; {ChainError}
 */
export async function proveContent(
  deps: ProveFileDeps,
  content: ContentReference,
  { signal, fromBlock = 0, places, count }: ProveContentOptions,
): Promise<CitedContent> {
  const { ordering, shard } = deps;
  const { globalIndex, root, sizeBytes } = content;
  const { shardId } = shard;
  const all = places ?? (await readPlaces(ordering, { signal, fromBlock }));
  const shown = all.slice(0, count);
  const event = shown[globalIndex];
  if (event === undefined) throw placeNotGiven(globalIndex, shown.length);
  if (event.shardId !== shardId) {
    throw badProof(shardId, `place ${globalIndex} of the order is of shard ${event.shardId}`);
  }
  const checkpoint = await checkpointAt(event, deps, { signal });
  const wanted = rootBytes(root);
  const isIt = (record: SubmissionRecord): boolean =>
    record.sizeBytes === sizeBytes && equalBytes(record.fileRoot, wanted);
  const found = await findRecord(isIt, checkpoint, deps, { signal });
  if (found !== undefined) {
    return { content, proof: orderedFile(found, { checkpoint, globalIndex }, shown) };
  }
  const { logCount } = checkpoint;
  throw new ShardError(
    { code: 'SHARD_NOT_LOGGED', shardId, root, globalIndex, logCount },
    `the ${logCount} files that shard ${shardId} had at place ${globalIndex} of the order have no file ${root} of ${sizeBytes} bytes`,
  );
}

function placeNotGiven(globalIndex: number, count: number): ShardError {
  return new ShardError(
    { code: 'SHARD_PLACE_NOT_GIVEN', globalIndex, count },
    `place ${globalIndex} of the order is not given yet: it has ${count} places`,
  );
}
