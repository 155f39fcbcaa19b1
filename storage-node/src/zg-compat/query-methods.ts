import { segmentsOf } from '@cairn/commitments';
import type { LogEntry } from '@cairn/log-layer';
import { type Address, type ChainId, fromHex, isHexOf, type Json, toHex } from '@cairn/primitives';
import {
  invalidParams,
  type ShardConfig,
  ZGS,
  type ZgFlowProof,
  zgShardConfigOf,
} from '@cairn/wire-protocol';
import type { EntryFinder, KnownEntry } from '../entry-finder.ts';
import type { LogProgress } from '../log-progress.ts';
import type { JsonRpcMethods } from './answer-json-rpc.ts';
import { isNatural } from './parameters.ts';

/** What the queries look at. */
export interface ZgQueryDeps {
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly shard: () => ShardConfig;
  readonly finder: EntryFinder;
  readonly progress: Pick<LogProgress, 'current'>;
  /** The flow as of the last step: root of 32 bytes and sectors, leaf 0 included. */
  readonly flowContext: () => { readonly root: Uint8Array; readonly length: number };
  /**
   * The proof of one sector of the flow under `flowRoot`, the current one if `undefined`.
   *
   * @throws what cannot be proven, as a fault
   */
  readonly sectorProof: (
    sector: number,
    flowRoot: Uint8Array | undefined,
    signal: AbortSignal,
  ) => Promise<ZgFlowProof>;
  /** Segments of the entry that are on the disk. */
  readonly heldSegments: (entry: LogEntry, signal: AbortSignal) => Promise<number>;
  /** Segments of the entry that wait in the cache. */
  readonly cachedSegments: (entry: LogEntry) => number;
}

/** The version of 0G's peer protocol whose RPC this node speaks. */
const P2P_PROTOCOL_VERSION = { major: 0, minor: 4, build: 0 } as const;
const NO_BLOCK = `0x${'0'.repeat(64)}` as const;

/** What official clients poll and ask for: all of it cheap. */
export function zgQueryMethods(deps: ZgQueryDeps): JsonRpcMethods {
  const { finder } = deps;
  return {
    [ZGS.getStatus]: {
      parameters: 0,
      run: async () => zgStatus(deps),
    },
    [ZGS.getShardConfig]: {
      parameters: 0,
      run: async () => ({ ...zgShardConfigOf(deps.shard()) }),
    },
    [ZGS.getFileInfo]: {
      parameters: 2,
      run: async (parameters, { signal }) => {
        const root = parameters.root(0);
        // needAvailable: pruned entries are not found by root here, so it makes no difference.
        parameters.boolean(1);
        return fileInfo(deps, await finder.byRoot(root, signal), signal);
      },
    },
    [ZGS.getFileInfoByTxSeq]: {
      parameters: 1,
      run: async (parameters, { signal }) =>
        fileInfo(deps, await finder.bySequence(parameters.sequence(0)), signal),
    },
    [ZGS.checkFileFinalized]: {
      parameters: 1,
      run: async (parameters, { signal }) => {
        const known = isNatural(parameters.at(0))
          ? await finder.bySequence(parameters.sequence(0))
          : await finder.byRoot(parameters.root(0), signal);
        return known === undefined ? null : known.state.finalized;
      },
    },
    [ZGS.getSectorProof]: {
      parameters: 2,
      run: async (parameters, { signal }) => {
        const sector = parameters.natural(0);
        const root = parameters.at(1) ?? undefined;
        if (root !== undefined && !isHexOf(root, 32)) throw invalidParams('flow_root is no hash');
        const flowRoot = root === undefined ? undefined : fromHex(root);
        const { lemma, path } = await deps.sectorProof(sector, flowRoot, signal);
        return { lemma, path };
      },
    },
    [ZGS.getFlowContext]: {
      parameters: 0,
      run: async () => {
        const { root, length } = deps.flowContext();
        return [toHex(root), length];
      },
    },
    // Debug methods of the Rust node: they show its internal tree, which is not ours.
    zgs_getHashAtNodeIndex: { parameters: 1, run: async () => null },
    zgs_getDataByNodeIndex: { parameters: 1, run: async () => null },
    zgs_getMetaDataByNodeIndex: { parameters: 1, run: async () => '' },
  };
}

function zgStatus({ chainId, flow, progress }: ZgQueryDeps): Json {
  const { block, nextSequence } = progress.current();
  return {
    connectedPeers: 0,
    logSyncHeight: block?.number ?? 0,
    logSyncBlock: block?.hash ?? NO_BLOCK,
    nextTxSeq: nextSequence,
    networkIdentity: { chainId, flowAddress: flow, p2pProtocolVersion: P2P_PROTOCOL_VERSION },
  };
}

async function fileInfo(
  deps: ZgQueryDeps,
  known: KnownEntry | undefined,
  signal: AbortSignal,
): Promise<Json> {
  if (known === undefined) return null;
  const {
    entry,
    state: { finalized, pruned },
  } = known;
  const isSettled = finalized || pruned;
  const cached = isSettled ? 0 : deps.cachedSegments(entry);
  const uploadedSegments = async (): Promise<number> => {
    if (isSettled) return segmentsOf(entry.sizeBytes);
    return cached > 0 ? cached : deps.heldSegments(entry, signal);
  };
  return {
    tx: {
      // 0G nodes store neither; clients expect the empty lists.
      streamIds: [],
      data: [],
      dataMerkleRoot: entry.root,
      // Depth counts levels, height counts edges.
      merkleNodes: entry.nodes.map(({ root, height }) => [height + 1, toHex(root)]),
      startEntryIndex: entry.startSector,
      size: entry.sizeBytes,
      seq: entry.sequence,
    },
    finalized,
    isCached: cached > 0,
    uploadedSegNum: await uploadedSegments(),
    pruned,
  };
}
