import { type Hasher, loadHasher } from '@cairn/commitments';
import { freeBytesAt } from '@cairn/node-runtime/files';
import type { HttpHost } from '@cairn/node-runtime/http';
import { Runner } from '@cairn/node-runtime/lifecycle';
import { createMetrics, type MetricsRegistry } from '@cairn/node-runtime/observe';
import {
  type ChainId,
  type Clock,
  describeError,
  type Json,
  type Logger,
  type PeerNetwork,
  type Rng,
  systemClock,
  systemRng,
} from '@cairn/primitives';
import { type NodeStatus, nodeStatusJson, type ShardConfig } from '@cairn/wire-protocol';
import type { AdjustableLogger } from './adjustable-logger.ts';
import { createAdminListener, fittingSocketPath } from './admin-listener.ts';
import type { StorageNodeConfig } from './config.ts';
import { type ConnectedChain, connectChain } from './connect-chain.ts';
import { isNoRoom } from './disk-guard.ts';
import type { FileLibrary } from './doors/files/readable-file.ts';
import { StorageNodeError } from './errors.ts';
import type { Mining } from './mining/create-mining.ts';
import { type EntryWatch, type NodeParts, openParts } from './node-parts.ts';
import { createPublicListener } from './public-listener.ts';
import type { Sync } from './sync/create-sync.ts';
import type { Upkeep } from './upkeep/create-upkeep.ts';
import { VERSION } from './version.ts';
import { zgAdminMethods } from './zg-compat/admin-methods.ts';
import type { JsonRpcDeps, JsonRpcMethods } from './zg-compat/answer-json-rpc.ts';
import { zgMiningMethods } from './zg-compat/mining-methods.ts';
import { zgStorageMethods } from './zg-compat/storage-methods.ts';

/** What a storage node is made of; whatever is left out is the real thing. */
export interface StorageNodeOptions {
  readonly config: StorageNodeConfig;
  readonly log: AdjustableLogger;
  readonly clock?: Clock;
  /** Chance: which half of a shard is given up, whom to ask among peers. */
  readonly rng?: Rng;
  readonly metrics?: MetricsRegistry;
  readonly hasher?: Hasher;
  /** The chain; unless told, the one that the configuration names. The node closes it. */
  readonly chain?: ConnectedChain;
  /** The network of peers; unless told, libp2p as configured. The node stops it. */
  readonly network?: PeerNetwork;
  /** Bytes that can still be written where the data lies. */
  readonly freeBytes?: () => Promise<number | undefined>;
  /** Called when the admin door asks for a stop. */
  readonly onShutdown?: () => void;
}

/** Where a node can be reached. */
export interface StorageNodeAddress {
  /** The public listener, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** The admin socket; `undefined` if there is none. */
  readonly adminSocket: string | undefined;
  /** Multiaddresses that end in the node's peer id; none without a network of peers. */
  readonly peerAddresses: readonly string[];
}

/** A storage node. Start it once, stop it once. */
export interface StorageNode {
  /**
   * Opens the data directory, connects to the chain, listens, and begins to follow the log.
   * Resolves when requests are taken; `/health/ready` tells when the log is read.
   *
   * @throws {StorageError}, {LevelError}, {ChainError}, {StorageNodeError} NODE_IDENTITY; what
   * listening throws. Whatever was opened is closed then
   */
  start(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Lets running requests end, stops the loops, closes the stores. */
  stop(): Promise<void>;
  /** @throws {Error} before `start` */
  readonly address: StorageNodeAddress;
  /** Files this node can read to the end by itself. @throws {Error} before `start` */
  readonly library: FileLibrary;
  /** What keeps the disk sound. @throws {Error} before `start` */
  readonly upkeep: Upkeep;
  /** `undefined` where the node is not configured to mine. @throws {Error} before `start` */
  readonly mining: Mining | undefined;
  /** Rejects when the node cannot go on, such as when the chain contradicts what is stored. */
  readonly failed: Promise<never>;
}

/** A storage node with its parts wired: the composition root. Nothing happens before `start`. */
export function createStorageNode(options: StorageNodeOptions): StorageNode {
  return new WiredStorageNode(options);
}

/** Time before a loop that met a full or failing disk is begun again. */
const RESUME_AFTER_MS = 1000;
/** How often measures that are not events are set. */
const MEASURE_MS = 5000;

class WiredStorageNode implements StorageNode {
  readonly #options: StorageNodeOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: MetricsRegistry;
  readonly #runner: Runner;
  readonly #stopping = new AbortController();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #watch: EntryWatch = {
    onEntry: (entry) => {
      const isNew = this.#parts?.follower.progress.isCaughtUp ?? false;
      this.#sync?.noteEntry(entry, { isNew });
    },
    onFinalised: (entry) => this.#sync?.noteFinalised(entry),
    onDamaged: (entry) => this.#sync?.noteDamage(entry),
  };
  #parts: NodeParts | undefined;
  #sync: Sync | undefined;
  #chainId: ChainId | undefined;
  #host: HttpHost | undefined;
  #adminSocket: string | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: StorageNodeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#logger = options.log.logger;
    this.#metrics = options.metrics ?? createMetrics();
    this.#runner = new Runner({ clock: this.#clock, logger: this.#logger });
  }

  get failed(): Promise<never> {
    return this.#runner.failed;
  }

  get address(): StorageNodeAddress {
    if (this.#host === undefined) throw new Error('the storage node was not started');
    const { url, port } = this.#host.address;
    const peerAddresses = this.#sync?.addresses ?? [];
    return { url, port, adminSocket: this.#adminSocket, peerAddresses };
  }

  get library(): FileLibrary {
    if (this.#parts === undefined) throw new Error('the storage node was not started');
    return this.#parts.library;
  }

  get upkeep(): Upkeep {
    if (this.#parts === undefined) throw new Error('the storage node was not started');
    return this.#parts.upkeep;
  }

  get mining(): Mining | undefined {
    if (this.#parts === undefined) throw new Error('the storage node was not started');
    return this.#parts.mining;
  }

  async start({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    try {
      await this.#open(signal);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { config } = this.#options;
    const { metrics } = this.#metrics;
    const [clock, logger] = [this.#clock, this.#logger];
    const chain =
      this.#options.chain ?? (await connectChain(config, { clock, logger, metrics }, { signal }));
    this.#closers.push(() => chain.close());
    this.#chainId = chain.chainLog.chainId;
    const hasher = this.#options.hasher ?? (await loadHasher());
    const directory = config.node.dataDirectory;
    const parts = await openParts(
      {
        config,
        chain,
        hasher,
        clock,
        logger,
        metrics,
        rng: this.#options.rng ?? systemRng(),
        freeBytes: this.#options.freeBytes ?? (() => freeBytesAt(directory)),
        opened: (close) => this.#closers.push(close),
        watch: this.#watch,
      },
      { signal },
    );
    this.#parts = parts;
    const methods = zgStorageMethods({
      ...parts,
      chainId: chain.chainLog.chainId,
      flow: chain.chainLog.flow,
      hasher,
    });
    this.#startLoops(parts);
    await this.#listen(parts, hasher, methods, chain);
    if (config.p2p.enabled) await this.#join(parts, hasher);
    if (config.admin.enabled) await this.#listenToAdmins(parts);
  }

  #startLoops(parts: NodeParts): void {
    this.#runner.run('head', (signal) => parts.progress.run(signal));
    this.#runner.run('log', (signal) => this.#follow(parts, signal));
    this.#runner.run('measures', (signal) => this.#measure(parts, signal));
    parts.upkeep.startLoops(this.#runner);
    const { mining, duties } = parts;
    if (mining !== undefined) {
      this.#runner.run('mining', (signal) => mining.run(signal), { onFailure: 'restart' });
    }
    if (duties !== undefined) {
      this.#runner.run('duties', (signal) => duties.run(signal), { onFailure: 'restart' });
    }
  }

  /** Follows the log; a full disk only delays it, a chain that contradicts the store ends the node. */
  async #follow({ follower }: NodeParts, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await follower.run(signal);
      } catch (error) {
        if (signal.aborted || !isNoRoom(error)) throw error;
        this.#logger.error({ reason: describeError(error) }, 'no room to store the log, waiting');
        await this.#clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  }

  async #listen(
    parts: NodeParts,
    hasher: Hasher,
    methods: JsonRpcMethods,
    { termsOf }: ConnectedChain,
  ): Promise<void> {
    const { config } = this.#options;
    const host = createPublicListener({
      config,
      parts,
      hasher,
      clock: this.#clock,
      logger: this.#logger,
      metrics: this.#metrics,
      termsOf,
      peerShards: () => [...(this.#sync?.book.records() ?? [])].map(({ record }) => record.shard),
      rpc: this.#rpc(parts, methods),
      status: () => this.#status(parts),
      stopping: this.#stopping.signal,
    });
    await host.start();
    this.#host = host;
  }

  /** Takes a place in the network of peers, and begins to fill the shard from there. */
  async #join(parts: NodeParts, hasher: Hasher): Promise<void> {
    const [clock, logger, { metrics }] = [this.#clock, this.#logger, this.#metrics];
    const { openSync } = await import('./sync/open-sync.ts'); // for those that have peers only
    const sync = await openSync({
      config: this.#options.config,
      parts,
      hasher,
      clock,
      logger,
      metrics,
      rng: this.#options.rng ?? systemRng(),
      listenerUrl: () => this.address.url,
      network: this.#options.network,
      opened: (close) => this.#closers.push(close),
    });
    this.#sync = sync;
    this.#runner.run('sync', (signal) => sync.run(signal));
  }

  async #listenToAdmins(parts: NodeParts): Promise<void> {
    const { config, log, onShutdown } = this.#options;
    const shutdown = onShutdown ?? ((): void => undefined);
    const methods = {
      ...zgMiningMethods(parts.mining),
      ...zgAdminMethods({
        finder: parts.finder,
        shard: parts.shard,
        host: config.http.host,
        isSynced: () => this.#status(parts).synced,
        renderMetrics: async () => (await this.#metrics.render()).body,
        sync: () => this.#sync,
        shutdown,
      }),
    };
    const socketPath = fittingSocketPath(config.admin.socketPath);
    const host = createAdminListener({
      socketPath,
      logger: this.#logger,
      metrics: this.#metrics,
      door: {
        status: () => this.#adminStatus(parts),
        log,
        shutdown,
        rpc: this.#rpc(parts, methods),
        stopping: this.#stopping.signal,
      },
      upkeep: parts.upkeep,
      mining: parts.mining,
    });
    await host.start();
    this.#closers.push(() => host.stop());
    this.#adminSocket = socketPath;
  }

  #rpc({ metrics }: NodeParts, methods: JsonRpcMethods): JsonRpcDeps {
    return {
      methods,
      clock: this.#clock,
      logger: this.#logger,
      onCall: ({ method, outcome, seconds }) =>
        metrics.rpcDuration.observe(seconds, { method, code: outcome }),
    };
  }

  #status({ log, progress, shard }: NodeParts): NodeStatus {
    const { readyLagBlocks } = this.#options.config.storage;
    const { head, block, nextSequence, lagBlocks } = progress.current();
    return {
      version: VERSION,
      chainId: log.chainId,
      flow: log.flow,
      shard: shard(),
      ...(head === undefined ? {} : { head }),
      synced: lagBlocks !== undefined && lagBlocks <= readyLagBlocks,
      nextSequence,
      ...(block === undefined ? {} : { logSyncBlock: block }),
    };
  }

  async #adminStatus(parts: NodeParts): Promise<Json> {
    const { cache, gate, acceptor, disk, progress, upkeep, mining, duties } = parts;
    await disk.look();
    const { lagBlocks, silentMs } = progress.current();
    return {
      status: nodeStatusJson(this.#status(parts)),
      lagBlocks,
      chainSilentMs: Math.round(silentMs),
      dataDirectory: this.#options.config.node.dataDirectory,
      logLevel: this.#options.log.level,
      disk: { isFull: disk.isFull, freeBytes: disk.freeBytes, reason: disk.reason ?? null },
      uploads: {
        cachedBytes: cache.sizeBytes,
        bodyBytes: gate.usedBytes,
        waiting: gate.waiting + acceptor.waiting,
      },
      upkeep: upkeep.statusJson(),
      mining: mining?.statusJson() ?? null,
      duties: duties?.statusJson() ?? null,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  async #measure(parts: NodeParts, signal: AbortSignal): Promise<void> {
    const { metrics, progress, disk, cache, gate, acceptor } = parts;
    const { reserveBytes } = this.#options.config.storage;
    let shard = parts.shard();
    metrics.buildInfo.set(1, { version: VERSION, chain_id: String(this.#chainId) });
    metrics.diskReserveBytes.set(reserveBytes);
    while (!signal.aborted) {
      await disk.look();
      metrics.shardInfo.set(0, shardLabels(shard));
      shard = parts.shard();
      metrics.shardInfo.set(1, shardLabels(shard));
      const { head, lagBlocks, nextSequence } = progress.current();
      if (head !== undefined) metrics.headBlock.set(head);
      if (lagBlocks !== undefined) metrics.lagBlocks.set(lagBlocks);
      metrics.nextSequence.set(nextSequence);
      metrics.diskFreeBytes.set(disk.freeBytes);
      metrics.cachedBytes.set(cache.sizeBytes);
      metrics.bodyBytes.set(gate.usedBytes);
      metrics.queuedUploads.set(gate.waiting + acceptor.waiting);
      await this.#clock.sleep(MEASURE_MS, signal);
    }
  }

  /** Doors first, so that nothing new begins; then the loops; then what they stood on. */
  async #close(): Promise<void> {
    const close = async (what: string, work: () => Promise<void> | undefined): Promise<void> => {
      try {
        await work();
      } catch (error) {
        this.#logger.warn({ what, reason: describeError(error) }, 'a part did not close');
      }
    };
    await close('listener', () => this.#host?.stop());
    this.#stopping.abort(
      new StorageNodeError({ code: 'NODE_STOPPING' }, 'the storage node is stopping'),
    );
    await close('loops', () => this.#runner.stop());
    for (const closer of this.#closers.splice(0).reverse()) await close('part', closer);
  }
}

function shardLabels({ id, count }: ShardConfig): { readonly id: string; readonly count: string } {
  return { id: String(id), count: String(count) };
}
