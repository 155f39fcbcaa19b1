import type { Hasher } from '@cairn/commitments';
import {
  type LogStore,
  proveSector,
  type Reader,
  type SegmentStore,
  type UploadCache,
} from '@cairn/log-layer';
import { type Address, type ChainId, toHex } from '@cairn/primitives';
import { type ShardConfig, serverRpcError, type ZgFlowProof } from '@cairn/wire-protocol';
import type { EntryFinder } from '../entry-finder.ts';
import type { SegmentAcceptor } from '../journeys/accept-segment.ts';
import type { SegmentReader } from '../journeys/serve-segment.ts';
import type { LogProgress } from '../log-progress.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';
import { zgDownloadMethods } from './download-methods.ts';
import { zgQueryMethods } from './query-methods.ts';
import { zgUploadMethods } from './upload-methods.ts';

/** What the zgs_* methods are made of. */
export interface ZgStorageDeps {
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly shard: () => ShardConfig;
  readonly hasher: Hasher;
  readonly log: LogStore;
  readonly segments: Pick<SegmentStore, 'heldCount'>;
  readonly cache: Pick<UploadCache, 'countOf'>;
  readonly reader: Pick<Reader, 'segmentWithProof'>;
  readonly finder: EntryFinder;
  readonly progress: Pick<LogProgress, 'current'>;
  readonly acceptor: Pick<SegmentAcceptor, 'accept'>;
  readonly segmentReader: Pick<SegmentReader, 'read'>;
}

/** All zgs_* methods of a storage node. */
export function zgStorageMethods(deps: ZgStorageDeps): JsonRpcMethods {
  const { chainId, flow, shard, hasher, log, segments, cache, finder, progress } = deps;
  return {
    ...zgQueryMethods({
      chainId,
      flow,
      shard,
      finder,
      progress,
      flowContext: () => ({ root: log.flowRoot(), length: log.flowLength }),
      sectorProof: (sector, flowRoot, signal) => sectorProof(sector, flowRoot, deps, signal),
      heldSegments: (entry, signal) => segments.heldCount(entry, { signal }),
      cachedSegments: ({ root, sizeBytes }) => cache.countOf(root, sizeBytes),
    }),
    ...zgUploadMethods({ acceptor: deps.acceptor, hasher }),
    ...zgDownloadMethods({ finder, reader: deps.segmentReader }),
  };
}

/** A sector's proof in 0G's form: leaf, siblings, root; `true` where the running node is left. */
async function sectorProof(
  sector: number,
  flowRoot: Uint8Array | undefined,
  { log, reader, hasher }: ZgStorageDeps,
  signal: AbortSignal,
): Promise<ZgFlowProof> {
  const proof = await proveSector(sector, flowRoot, { log, reader, hasher }, signal);
  if (proof === undefined) {
    throw serverRpcError(`sector ${sector} is not in the flow, or its data is not held here`);
  }
  const { leaf, siblings, root } = proof;
  return {
    lemma: [leaf, ...siblings, root].map(toHex),
    path: siblings.map((_, level) => Math.floor(sector / 2 ** level) % 2 === 0),
  };
}
