import type { Hasher } from '@cairn/commitments';
import {
  createLogMetrics,
  Finaliser,
  type LogEntry,
  LogFollower,
  LogStore,
  Reader,
  SegmentStore,
  UploadCache,
} from '@cairn/log-layer';
import {
  type ChainLog,
  type Clock,
  noMetrics,
  type PeerNetwork,
  type Rng,
  silentLogger,
} from '@cairn/primitives';
import { countOwnedSegments, type ShardConfig } from '@cairn/wire-protocol';
import { DiskGuard, isNoRoom } from '../../storage-node/src/disk-guard.ts';
import { EntryFinder } from '../../storage-node/src/entry-finder.ts';
import {
  SegmentAcceptor,
  type SegmentAcceptorDeps,
} from '../../storage-node/src/journeys/accept-segment.ts';
import { SegmentReader } from '../../storage-node/src/journeys/serve-segment.ts';
import { createStorageNodeMetrics } from '../../storage-node/src/metrics.ts';
import { ReopeningFileStore } from '../../storage-node/src/reopening-file-store.ts';
import { Sync } from '../../storage-node/src/sync/create-sync.ts';
import { createUpkeepMetrics } from '../../storage-node/src/upkeep/metrics.ts';
import { moveShard } from '../../storage-node/src/upkeep/move-shard.ts';
import { Scrubber } from '../../storage-node/src/upkeep/scrub.ts';
import { ShardKeeper } from '../../storage-node/src/upkeep/shard-keeper.ts';
import type { KnownBytes } from './known-bytes.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

/** What a node's parts work with. */
export interface OpenNodeDeps {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly hasher: Hasher;
  readonly known: Pick<KnownBytes, 'checksum'>;
  readonly chainLog: ChainLog;
  readonly disk: SimulatedDisk;
  /** Takes a place in the network: called once everything else is there. */
  readonly join: () => PeerNetwork;
}

/** How they are set up. */
export interface OpenNodeOptions {
  /** Of a disk that has none yet. */
  readonly shard: ShardConfig;
  readonly boot: readonly string[];
  readonly targetPeers: number;
  /** Between the beginnings of two passes through everything stored; `undefined`: none. */
  readonly scrubMs: number | undefined;
  /** A planted fault: segments are acknowledged before they are on the disk. */
  readonly acknowledgesEarly: boolean;
}

/** The parts of a node that runs: real ones, wired as `node-parts.ts` wires them. */
export interface OpenNode {
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly finder: EntryFinder;
  readonly acceptor: SegmentAcceptor;
  readonly reader: SegmentReader;
  readonly keeper: ShardKeeper;
  readonly sync: Sync;
  /** `undefined`: nobody looks for rot. */
  readonly scrubber: Scrubber | undefined;
  /** What runs until the process ends. */
  readonly loops: readonly ((signal: AbortSignal) => Promise<void>)[];
}

/** Before work goes on that met a full disk, as in a real node. */
const RESUME_AFTER_MS = 1000;
/** Time between looks whether the shard is to change: a real node is told. */
const LOOK_AT_SHARD_MS = 1000;
/** A step of a change of the shard takes so long at most, as with many entries. */
const MAX_MOVE_STEP_MS = 4000;
const SCRUB = { enabled: true, bytesPerSecond: 268_435_456, duty: 1 };
const RESERVE_BYTES = 1_048_576;

/** Opens the stores on a disk and wires everything above them. */
export async function openNode(
  deps: OpenNodeDeps,
  options: OpenNodeOptions,
  signal: AbortSignal,
): Promise<OpenNode> {
  const { clock, rng, hasher, known, chainLog, disk } = deps;
  const { chainId, flow } = chainLog;
  const logger = silentLogger();
  const logMetrics = createLogMetrics(noMetrics());
  const metrics = createStorageNodeMetrics(noMetrics());
  const mounted = disk.mount();
  const { kv } = mounted;
  const files = await ReopeningFileStore.open({ open: async () => mounted.files, clock, logger });
  const log = await LogStore.open(kv, { chainId, flow }, { hasher, signal });
  const keeper = await ShardKeeper.open(kv, options.shard);
  const shard = (): ShardConfig => keeper.current;
  const segments = await SegmentStore.open(
    { files, kv, log, hasher, logger, metrics: logMetrics },
    {
      checksum: (bytes) => known.checksum(bytes),
      onDamaged: (entry) => {
        follower.reconsider(entry);
        sync.noteDamage(entry);
      },
    },
    { signal },
  );
  const finaliser = new Finaliser({
    log,
    segments,
    hasher,
    logger,
    metrics: logMetrics,
    shard: () => keeper.required,
    onFinalised: (entry) => sync.noteFinalised(entry),
  });
  const follower = new LogFollower({
    chainLog,
    log,
    finaliser,
    clock,
    logger,
    metrics: logMetrics,
    onEntry: (entry, inner) => {
      sync.noteEntry(entry, { isNew: follower.progress.isCaughtUp });
      return acceptor.flush(entry, inner);
    },
  });
  const settle = async (entry: LogEntry, inner: AbortSignal): Promise<void> => {
    const owned = countOwnedSegments(keeper.required, entry.startSector, entry.sizeBytes);
    if ((await segments.heldCount(entry, { signal: inner })) < owned) return;
    try {
      await finaliser.consider(entry, inner);
    } catch {
      inner.throwIfAborted();
      follower.reconsider(entry);
    }
  };
  const finder = new EntryFinder(log);
  const guard = new DiskGuard(
    { freeBytes: async () => disk.freeBytes, clock, logger },
    { reserveBytes: RESERVE_BYTES, recheckMs: 1000 },
  );
  const cache = new UploadCache({ clock, metrics: logMetrics });
  const store = options.acknowledgesEarly ? early(segments) : segments;
  const keeps = (globalSegment: number): boolean => keeper.takes(globalSegment);
  const acceptor = new SegmentAcceptor(
    { finder, store, cache, settle, disk: guard, keeps, metrics },
    { concurrentWrites: 16, queuedWrites: 16_384, maxCachedFileBytes: 10_485_760 },
  );
  const reader = new SegmentReader(
    { reader: new Reader({ segments }, { cacheBytes: 0 }), metrics },
    { concurrentReads: 32 },
  );
  const { scrubMs } = options;
  const scrubber =
    scrubMs === undefined
      ? undefined
      : await Scrubber.open(
          {
            segments,
            log,
            kv,
            isReading: () => reader.active > 0,
            clock,
            logger,
            metrics: createUpkeepMetrics(noMetrics()),
          },
          { ...SCRUB, periodMs: scrubMs },
        );
  signal.throwIfAborted();
  const sync: Sync = new Sync(
    {
      network: deps.join(),
      transport: undefined,
      mayAsk: async () => false,
      hashing: undefined,
      log,
      store: segments,
      finder,
      reader,
      hasher,
      disk: guard,
      settle,
      shard,
      publicUrl: () => undefined,
      clock,
      rng,
      logger,
      metrics: noMetrics(),
    },
    { boot: options.boot, targetPeers: options.targetPeers, parallelRequests: 8, fills: true },
  );
  const followLog = untilRoom((inner) => follower.run(inner), clock);
  const loops = [followLog, (inner: AbortSignal) => sync.run(inner)];
  if (scrubber !== undefined) loops.push((inner) => scrubber.run(inner));
  loops.push(untilRoom(changeShard, clock));
  return { log, segments, finder, acceptor, reader, keeper, sync, scrubber, loops };

  /** Carries out what was begun of a change of the shard; room that is given up is not simulated. */
  async function changeShard(inner: AbortSignal): Promise<void> {
    const rest = (busyMs: number): Promise<void> =>
      clock.sleep(busyMs + rng.below(MAX_MOVE_STEP_MS), inner);
    const reclaimer = { reclaimAll: async () => undefined };
    for (;;) {
      if (keeper.move !== undefined) {
        follower.reconsiderPending();
        await moveShard({ keeper, log, segments, reclaimer, rest, clock, logger }, inner);
        follower.reconsiderPending();
      }
      await clock.sleep(LOOK_AT_SHARD_MS, inner);
    }
  }
}

/** A loop that a full disk only delays, as a real node's are. */
function untilRoom(
  loop: (signal: AbortSignal) => Promise<void>,
  clock: Clock,
): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    for (;;) {
      try {
        await loop(signal);
      } catch (error) {
        if (signal.aborted || !isNoRoom(error)) throw error;
        await clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  };
}

/** The planted fault: says that a segment is stored while it is still on its way to the disk. */
function early(segments: SegmentStore): SegmentAcceptorDeps['store'] {
  return {
    has: (file, index) => segments.has(file, index),
    put: async (entry, segment, options) => {
      segments.put(entry, segment, options).catch(() => undefined);
      return 'stored';
    },
  };
}
