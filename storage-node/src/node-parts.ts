import type { Hasher } from '@cairn/commitments';
import {
  createLogMetrics,
  Finaliser,
  type LogEntry,
  LogFollower,
  type LogStore,
  Reader,
  type SegmentStore,
  UploadCache,
} from '@cairn/log-layer';
import type { Clock, Logger, Metrics, Rng } from '@cairn/primitives';
import { describeError } from '@cairn/primitives';
import { countOwnedSegments, type ShardConfig } from '@cairn/wire-protocol';
import type { BodyGate } from './body-gate.ts';
import type { StorageNodeConfig } from './config.ts';
import type { ConnectedChain } from './connect-chain.ts';
import type { DiskGuard } from './disk-guard.ts';
import type { Duties } from './duty/create-duties.ts';
import { EntryFinder } from './entry-finder.ts';
import { SegmentAcceptor } from './journeys/accept-segment.ts';
import { SegmentReader } from './journeys/serve-segment.ts';
import { LocalLibrary } from './local-library.ts';
import { LogProgress } from './log-progress.ts';
import { createStorageNodeMetrics, type StorageNodeMetrics } from './metrics.ts';
import type { Mining } from './mining/create-mining.ts';
import { openStores } from './open-stores.ts';
import { createUpkeep, type Upkeep } from './upkeep/create-upkeep.ts';
import type { SharedBudget } from './upkeep/shared-budget.ts';

/** What the parts are made of. */
export interface NodePartsDeps {
  /** What the chain is called in health and status. */
  readonly name: string;
  readonly config: StorageNodeConfig;
  /** What it shares with other chains of the node. */
  readonly shared: SharedParts;
  readonly chain: ConnectedChain;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
  readonly watch: EntryWatch;
}

/** What the chains of a node share: the disk, and the memory of what comes in and goes out. */
export interface SharedParts {
  readonly budget: SharedBudget;
  readonly disk: DiskGuard;
  readonly gate: BodyGate;
}

/** Who is told what becomes of entries, beside the parts themselves. */
export interface EntryWatch {
  /** It came from the chain. */
  readonly onEntry: (entry: LogEntry) => void;
  /** All that the shard owns of it is held. */
  readonly onFinalised: (entry: LogEntry) => void;
  /** A segment of it was found damaged, and is held no more. */
  readonly onDamaged: (entry: LogEntry) => void;
}

/** The parts of a running storage node, wired. */
export interface NodeParts {
  readonly log: LogStore;
  /** The shard that is kept now. */
  readonly shard: () => ShardConfig;
  readonly segments: SegmentStore;
  readonly cache: UploadCache;
  readonly reader: Reader;
  readonly finder: EntryFinder;
  readonly follower: LogFollower;
  readonly progress: LogProgress;
  readonly disk: DiskGuard;
  readonly gate: BodyGate;
  readonly acceptor: SegmentAcceptor;
  readonly segmentReader: SegmentReader;
  readonly library: LocalLibrary;
  /** Marks an entry finalised if its own segments are all held; keeps its failures to itself. */
  readonly settle: (entry: LogEntry, signal: AbortSignal) => Promise<void>;
  readonly upkeep: Upkeep;
  /** `undefined` where the node is not to mine. */
  readonly mining: Mining | undefined;
  /** `undefined` where the node keeps no duties. */
  readonly duties: Duties | undefined;
  readonly metrics: StorageNodeMetrics;
}

/** Opens the stores and wires everything above them. @throws as `openStores` */
export async function openParts(
  deps: NodePartsDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<NodeParts> {
  const { config, chain, hasher, clock, logger } = deps;
  const { disk, gate, budget } = deps.shared;
  const { concurrentWrites, queuedWrites } = config.limits;
  const metrics = createStorageNodeMetrics(deps.metrics);
  const logMetrics = createLogMetrics(deps.metrics);
  let onDamaged: (entry: LogEntry) => void = () => undefined;
  let mining: Mining | undefined;
  let duties: Duties | undefined;
  const { log, segments, kv, files, keeper } = await openStores(
    { hasher, clock, logger, metrics: logMetrics, opened: deps.opened },
    {
      directory: config.node.dataDirectory,
      chainId: chain.chainLog.chainId,
      flow: chain.chainLog.flow,
      shard: config.storage.shard,
      concurrentWrites,
      queuedWrites,
      onDamaged: (entry) => onDamaged(entry),
      onStored: (sector) => mining?.onStored(sector),
    },
    { signal },
  );
  const shard = (): ShardConfig => keeper.current;
  const cache = new UploadCache(
    { clock, metrics: logMetrics },
    {
      maxBytes: config.storage.cachedBytes,
      maxFileBytes: config.storage.cachedFileBytes,
      expiryMs: config.storage.cacheExpiryMs,
    },
  );
  const finaliser = new Finaliser({
    log,
    segments,
    hasher,
    logger,
    metrics: logMetrics,
    shard: () => keeper.required,
    onFinalised: deps.watch.onFinalised,
  });
  const follower = new LogFollower({
    chainLog: chain.chainLog,
    log,
    finaliser,
    clock,
    logger,
    metrics: logMetrics,
    onEntry: (entry, inner) => {
      deps.watch.onEntry(entry);
      return acceptor.flush(entry, inner);
    },
  });
  onDamaged = (entry) => {
    metrics.damagedSegments.add();
    follower.reconsider(entry); // an intact copy may lie at another place of the same root
    deps.watch.onDamaged(entry);
  };
  const finder = new EntryFinder(log);
  const settle = async (entry: LogEntry, inner: AbortSignal): Promise<void> => {
    const owned = countOwnedSegments(keeper.required, entry.startSector, entry.sizeBytes);
    if ((await segments.heldCount(entry, { signal: inner })) < owned) return;
    try {
      await finaliser.consider(entry, inner);
    } catch (error) {
      inner.throwIfAborted();
      const { sequence } = entry;
      logger.warn({ sequence, reason: describeError(error) }, 'finalising an entry failed');
      follower.reconsider(entry);
    }
  };
  const keeps = (globalSegment: number): boolean => keeper.takes(globalSegment);
  const acceptor: SegmentAcceptor = new SegmentAcceptor(
    { finder, store: segments, cache, settle, disk, keeps, metrics },
    { concurrentWrites, queuedWrites, maxCachedFileBytes: config.storage.cachedFileBytes },
  );
  const reader = new Reader({ segments }, { cacheBytes: config.storage.readCacheBytes });
  const segmentReader = new SegmentReader(
    { reader, metrics },
    { concurrentReads: config.limits.concurrentReads },
  );
  const isReading = (): boolean => segmentReader.active > 0;
  const upkeep: Upkeep = await createUpkeep(
    {
      name: deps.name,
      budget,
      log,
      segments,
      kv,
      files,
      keeper,
      follower,
      dataDirectory: config.node.dataDirectory,
      checkSealed: async (from, to, inner) =>
        (await mining?.checkSealed(from, to, inner)) ?? { checked: 0, bytes: 0, damaged: [] },
      onGivenUp: () => mining?.onGivenUp(),
      lookAtPayments: async (inner) => chain.paymentsOf?.({ signal: inner }),
      isPromised: ({ sequence }) => duties?.isPromised(sequence) ?? config.duty !== undefined,
      isReading,
      rng: deps.rng,
      clock,
      logger,
      metrics: deps.metrics,
    },
    config,
  );
  mining = await openMining();
  duties = await openDuties();
  /** Loaded where it is configured only: others start without its kernels and contracts. */
  async function openMining(): Promise<Mining | undefined> {
    if (config.mining === undefined) return undefined;
    const { createMining } = await import('./mining/create-mining.ts');
    const stores = { log, segments, reader, kv, shard, disk };
    return createMining(config, { ...deps, ...stores }, chain.chainLog.flow);
  }

  /** Loaded where it is configured only, as mining is. */
  async function openDuties(): Promise<Duties | undefined> {
    if (config.duty === undefined) return undefined;
    const { createDuties } = await import('./duty/create-duties.ts');
    const { chainId, flow } = chain.chainLog;
    return createDuties(config, { ...deps, log, segments, reader, kv }, { chainId, flow });
  }

  return {
    log,
    shard,
    segments,
    cache,
    reader,
    finder,
    follower,
    settle,
    progress: new LogProgress(
      { log, headOf: chain.headOf, clock, logger },
      {
        confirmations: config.chain.confirmations,
        pollMs: Math.max(config.chain.pollMs, MIN_HEAD_POLL_MS),
      },
    ),
    disk,
    gate,
    acceptor,
    segmentReader,
    library: new LocalLibrary({ log, reader, shard, metrics }),
    upkeep,
    mining,
    duties,
    metrics,
  };
}

/** The head is asked for beside the log, which finds new blocks by itself: this only tells the lag. */
const MIN_HEAD_POLL_MS = 1000;
