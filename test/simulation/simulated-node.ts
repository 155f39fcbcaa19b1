import { type Hasher, type VerifiedSegment, verifySegment } from '@cairn/commitments';
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
  describeError,
  noMetrics,
  type Rng,
  silentLogger,
} from '@cairn/primitives';
import { countOwnedSegments, type ShardConfig } from '@cairn/wire-protocol';
import { DiskGuard } from '../../storage-node/src/disk-guard.ts';
import { EntryFinder } from '../../storage-node/src/entry-finder.ts';
import {
  type AcceptOutcome,
  SegmentAcceptor,
  type SegmentAcceptorDeps,
} from '../../storage-node/src/journeys/accept-segment.ts';
import { SegmentReader } from '../../storage-node/src/journeys/serve-segment.ts';
import { createStorageNodeMetrics } from '../../storage-node/src/metrics.ts';
import { Sync } from '../../storage-node/src/sync/create-sync.ts';
import type { KnownBytes } from './known-bytes.ts';
import type { LoggedFile } from './simulated-chain.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { Manners, SimulatedNetwork } from './simulated-network.ts';

/** What a simulated node lives on. */
export interface SimulatedNodeDeps {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly hasher: Hasher;
  readonly known: Pick<KnownBytes, 'checksum'>;
  readonly chainLog: ChainLog;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
  /** Told of a part that ended by itself. */
  readonly onFailure: (reason: string) => void;
}

/** Who a node is. */
export interface SimulatedNodeOptions {
  readonly peer: string;
  readonly address: string;
  readonly shard: ShardConfig;
  readonly boot: readonly string[];
  readonly manners: Manners;
  readonly targetPeers: number;
  /** A planted fault: segments are acknowledged before they are on the disk. */
  readonly acknowledgesEarly: boolean;
  /** Time between looks through everything stored for damage; `undefined`: none. */
  readonly scrubMs: number | undefined;
}

/** Time between listening and answering, at most. */
const MAX_OPENING_MS = 100;

/** Parts of a node that runs: real ones, wired as `node-parts.ts` wires them. */
interface Running {
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly acceptor: SegmentAcceptor;
  readonly sync: Sync;
  readonly stop: AbortController;
}

/** A storage node on a simulated machine: its process comes and goes, its disk stays. */
export class SimulatedNode {
  readonly options: SimulatedNodeOptions;
  /** Counts the disks it has had: what one acknowledged, another need not hold. */
  diskNumber = 0;
  readonly #deps: SimulatedNodeDeps;
  #running: Running | undefined;
  /** Ends the process, also one that is still starting. */
  #stop = new AbortController();

  constructor(deps: SimulatedNodeDeps, options: SimulatedNodeOptions) {
    this.#deps = deps;
    this.options = options;
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  get disk(): SimulatedDisk {
    return this.#deps.disk;
  }

  /** Peers that it keeps out. */
  get banned(): number {
    return this.#running?.sync.peers.banned ?? 0;
  }

  /** The log as it knows it; `undefined` while it is down. */
  get log(): LogStore | undefined {
    return this.#running?.log;
  }

  /** Opens the stores and begins to take part. */
  async start(): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    const { parts, loops } = await this.#open(stop);
    // A host listens before all its questions are answered.
    await this.#deps.clock.sleep(this.#deps.rng.below(MAX_OPENING_MS), stop.signal);
    await parts.sync.open();
    stop.signal.throwIfAborted();
    this.#running = parts;
    for (const loop of loops) {
      loop(stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted) this.#deps.onFailure(describeError(error));
      });
    }
  }

  /** The process ends at once. */
  crash({ keepDisk }: { readonly keepDisk: boolean }): void {
    this.#stop.abort(new Error('the machine stopped'));
    this.#running = undefined;
    this.#deps.network.leave(this.options.peer);
    this.#deps.disk.crash();
    if (keepDisk) return;
    this.#deps.disk.wipe();
    this.diskNumber += 1;
  }

  /** Takes a segment as a door does. @throws as `SegmentAcceptor.accept`, and while it is down */
  async accept({ entry, file }: LoggedFile, index: number): Promise<AcceptOutcome> {
    const { acceptor, stop } = this.#requireRunning();
    const { commitment, root } = file;
    const { sizeBytes } = commitment.shape;
    const claim = {
      root: commitment.root,
      sizeBytes,
      index,
      data: file.segments[index] ?? new Uint8Array(0),
      proof: commitment.tree.proofAt(index),
    };
    const prove = (): VerifiedSegment => verifySegment(claim, this.#deps.hasher);
    const offer = { root, sizeBytes, index, sequence: entry.sequence };
    return acceptor.accept(offer, prove, { signal: stop.signal });
  }

  /** Whether a segment is held at its place; `undefined` while the node is down. */
  async holds({ entry, file }: LoggedFile, index: number): Promise<boolean | undefined> {
    const place = { ...entry, root: file.root };
    return this.#running?.segments.has(place, index);
  }

  /** The bytes of a segment as they would be served. */
  async read({ entry, file }: LoggedFile, index: number): Promise<Uint8Array | undefined> {
    const { segments, stop } = this.#requireRunning();
    const place = { ...entry, root: file.root };
    return (await segments.get(place, index, { signal: stop.signal }))?.data;
  }

  #requireRunning(): Running {
    if (this.#running === undefined) throw new Error('the machine is off');
    return this.#running;
  }

  async #open(stop: AbortController): Promise<{
    readonly parts: Running;
    readonly loops: readonly ((signal: AbortSignal) => Promise<void>)[];
  }> {
    const { clock, rng, hasher, known, chainLog, network, disk } = this.#deps;
    const { peer, address, shard, boot, manners, targetPeers, scrubMs } = this.options;
    const { signal } = stop;
    const logger = silentLogger();
    const logMetrics = createLogMetrics(noMetrics());
    const metrics = createStorageNodeMetrics(noMetrics());
    const { files, kv } = disk.mount();
    const { chainId, flow } = chainLog;
    const log = await LogStore.open(kv, { chainId, flow }, { signal });
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
      shard: () => shard,
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
      const owned = countOwnedSegments(shard, entry.startSector, entry.sizeBytes);
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
      { freeBytes: async () => undefined, clock, logger },
      { reserveBytes: 0, recheckMs: 1000 },
    );
    const cache = new UploadCache({ clock, metrics: logMetrics });
    const store = this.options.acknowledgesEarly ? early(segments) : segments;
    const acceptor = new SegmentAcceptor(
      { finder, store, cache, settle, disk: guard, shard: () => shard, metrics },
      { concurrentWrites: 16, queuedWrites: 16_384, maxCachedFileBytes: 10_485_760 },
    );
    const reader = new SegmentReader(
      { reader: new Reader({ segments }, { cacheBytes: 0 }), metrics },
      { concurrentReads: 32 },
    );
    signal.throwIfAborted();
    const sync: Sync = new Sync(
      {
        network: network.join(peer, address, manners),
        transport: undefined,
        mayAsk: async () => false,
        log,
        store: segments,
        finder,
        reader,
        hashing: undefined,
        hasher,
        disk: guard,
        settle,
        shard: () => shard,
        publicUrl: () => undefined,
        clock,
        rng,
        logger,
        metrics: noMetrics(),
      },
      { boot, targetPeers, parallelRequests: 8, fills: true },
    );
    const loops = [follower, sync].map((part) => (inner: AbortSignal) => part.run(inner));
    if (scrubMs !== undefined) loops.push((inner) => scrub(segments, clock, scrubMs, inner));
    return { parts: { log, segments, acceptor, sync, stop }, loops };
  }
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

async function scrub(
  segments: SegmentStore,
  clock: Clock,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await clock.sleep(periodMs, signal);
    for (let from: number | undefined = 0; from !== undefined; ) {
      from = (await segments.scrub(from, 64, { signal })).next;
    }
  }
}
