import { segmentsOf } from '@cairn/commitments';
import { Fault } from '@cairn/primitives';
import {
  countOwnedSegments,
  countReplicas,
  coversAllShards,
  type EntryStat,
} from '@cairn/wire-protocol';
import type { FileHolder, FileReference, FileStat } from './client.ts';
import { SdkError } from './errors.ts';
import { fileEntries } from './find-entry.ts';
import {
  type FileLocator,
  type LocatedFile,
  type LocatedHolder,
  parseReference,
} from './locate-file.ts';

/** Copies counted at most; more say nothing new. */
const MAX_REPLICAS = 1000;

/**
 * What the holders say about a file, together.
 *
 * @returns `undefined` if nodes answered and none knows it
 * @throws {SdkError} SDK_OPTION for several roots; SDK_FILE_NOT_FOUND if no node answered at all; SDK_SIZE_DISPUTED
 */
export async function statFile(
  reference: FileReference,
  { locate }: { readonly locate: FileLocator },
  { signal }: { readonly signal: AbortSignal },
): Promise<FileStat | undefined> {
  const [entry, second] = parseReference(reference);
  if (entry === undefined) return undefined;
  if (second !== undefined) {
    throw new SdkError(
      { code: 'SDK_OPTION', option: 'roots' },
      'holders describe one file of the log; ask about each fragment by its root',
    );
  }
  let located: LocatedFile;
  try {
    located = await locate(entry, { signal });
  } catch (error) {
    if (!(error instanceof SdkError) || !isUnknown(error)) throw error;
    return undefined;
  }
  const described = await Promise.all(
    located.holders.map(async (holder) => holderOf(holder, signal)), // at most one for each node known
  );
  const complete = described.filter(({ finalised }) => finalised).map(({ shard }) => shard);
  let replicas = 0;
  while (replicas < MAX_REPLICAS && coversAllShards(complete, replicas + 1)) replicas += 1;
  const { root, sequence, chainId, sizeBytes, startSector, shard } = located;
  const { least, most } = countReplicas(complete, located);
  return {
    root,
    sequence,
    chainId,
    ...(shard === undefined ? {} : { shard }),
    sizeBytes,
    startSector,
    segments: segmentsOf(sizeBytes),
    finalised: replicas > 0,
    replicas,
    leastReplicas: least,
    mostReplicas: most,
    holders: described,
  };
}

function isUnknown({ facts }: SdkError): boolean {
  if (facts.code !== 'SDK_FILE_NOT_FOUND') return false;
  // A shard that did not say a word may have it.
  return [facts, ...(facts.shards ?? [])].every(({ asked, failures }) => {
    // An indexer answers an unknown file with an error; nodes that fail are another matter.
    const silent = failures.filter(({ code }) => code !== 'RPC_ERROR').length;
    return asked > 0 && silent < asked;
  });
}

async function holderOf(holder: LocatedHolder, signal: AbortSignal): Promise<FileHolder> {
  const { url, shard, entry, finalized, kind, node } = holder;
  const { sequence, startSector, sizeBytes } = entry;
  const known = {
    url,
    shard,
    sequence,
    finalised: finalized,
    ownedSegments: countOwnedSegments(shard, startSector, sizeBytes),
  };
  if (kind === 'zg') return known;
  let stat: EntryStat | undefined;
  try {
    const entries = await fileEntries(node, entry.root, { signal });
    stat = entries.find((each) => each.sequence === sequence);
  } catch (error) {
    if (signal.aborted || !(error instanceof Fault)) throw error; // it answered before: that stands
  }
  return stat === undefined ? known : { ...known, heldSegments: stat.heldSegments };
}
