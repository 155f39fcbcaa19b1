import { type Hasher, loadHasher } from '@cairn/commitments';
import { freeBytesAt } from '@cairn/node-runtime/files';
import type { HttpHost } from '@cairn/node-runtime/http';
import { Runner } from '@cairn/node-runtime/lifecycle';
import { createMetrics, type MetricsRegistry } from '@cairn/node-runtime/observe';
import {
  type ChainId,
  type Clock,
  describeError,
  forEachConcurrent,
  type Json,
  type Logger,
  labelledMetrics,
  type PeerNetwork,
  type Rng,
  systemClock,
  systemRng,
} from '@cairn/primitives';
import type { AdjustableLogger } from './adjustable-logger.ts';
import { createAdminListener, fittingSocketPath } from './admin-listener.ts';
import { BodyGate } from './body-gate.ts';
import { chainMounts, chainsDoor } from './chains/chain-doors.ts';
import { chainPlans } from './chains/chain-plans.ts';
import { KeptChain } from './chains/kept-chain.ts';
import { MAX_SHARDS } from './chains/shards-config.ts';
import { unkeptChains } from './chains/unkept-chains.ts';
import type { StorageNodeConfig } from './config.ts';
import { type ConnectedChain, connectChain } from './connect-chain.ts';
import { DiskGuard } from './disk-guard.ts';
import type { FileLibrary } from './doors/files/readable-file.ts';
import { StorageNodeError } from './errors.ts';
import { readyReportOfAll } from './health.ts';
import { createSharedMetrics } from './metrics.ts';
import type { Mining } from './mining/create-mining.ts';
import type { SharedParts } from './node-parts.ts';
import { type ChainDoorsDeps, createPublicListener, createReplyMemory } from './public-listener.ts';
import type { Upkeep } from './upkeep/create-upkeep.ts';
import { SharedBudget } from './upkeep/shared-budget.ts';
import { zgAdminMethods } from './zg-compat/admin-methods.ts';
import { zgMiningMethods } from './zg-compat/mining-methods.ts';

/** What a storage node is made of; whatever is left out is the real thing. */
export interface StorageNodeOptions {
  readonly config: StorageNodeConfig;
  readonly log: AdjustableLogger;
  readonly clock?: Clock;
  /** Chance: which half of a shard is given up, whom to ask among peers. */
  readonly rng?: Rng;
  readonly metrics?: MetricsRegistry;
  readonly hasher?: Hasher;
  /** The first chain; unless told, the one that the configuration names. The node closes it. */
  readonly chain?: ConnectedChain;
  /** Chains beside the first, by id; unless told, those that the configuration names. The node closes them. */
  readonly shardChains?: ReadonlyMap<number, ConnectedChain>;
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

/** A chain of a running node. */
export interface StorageNodeChain {
  readonly chainId: ChainId;
  readonly name: string;
  /** Where its doors are, without a slash at the end; those of the first chain are at the node's own URL too. */
  readonly url: string;
  readonly upkeep: Upkeep;
}

/** A storage node. Start it once, stop it once. */
export interface StorageNode {
  /**
   * Opens the data directory, connects to the chains, listens, and begins to follow their logs.
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
  /** The chains that it keeps, the first one first. @throws {Error} before `start` */
  readonly chains: readonly StorageNodeChain[];
  /** Files of the first chain that this node can read to the end by itself. @throws {Error} before `start` */
  readonly library: FileLibrary;
  /** What keeps the disk sound, of the first chain. @throws {Error} before `start` */
  readonly upkeep: Upkeep;
  /** `undefined` where the node is not configured to mine. @throws {Error} before `start` */
  readonly mining: Mining | undefined;
  /** Rejects when the node cannot go on, such as when its only chain contradicts what is stored. */
  readonly failed: Promise<never>;
}

/** A storage node with its parts wired: the composition root. Nothing happens before `start`. */
export function createStorageNode(options: StorageNodeOptions): StorageNode {
  return new WiredStorageNode(options);
}

/** How often measures that are not events are set. */
const MEASURE_MS = 5000;
/** Uploads after the disk was full wait at most this long for the next look. */
const DISK_RECHECK_MS = 1000;
/** Chains that are opened at once: one whose endpoint is slow holds none of the others up. */
const OPEN_PARALLEL = MAX_SHARDS + 1;
/** What an endpoint may take to say which chain it serves before the others' doors open; it is asked again later. */
const CHECK_MS = 5000;

class WiredStorageNode implements StorageNode {
  readonly #options: StorageNodeOptions;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #logger: Logger;
  readonly #metrics: MetricsRegistry;
  readonly #runner: Runner;
  readonly #shared: SharedParts;
  readonly #stopping = new AbortController();
  readonly #closers: (() => Promise<void>)[] = [];
  #kept: readonly KeptChain[] = [];
  #host: HttpHost | undefined;
  /** Listeners of single chains, below the node's own, by chain id. */
  readonly #mounted = new Map<string, HttpHost>();
  readonly #mountedForAdmins = new Map<string, HttpHost>();
  #adminSocket: string | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: StorageNodeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#rng = options.rng ?? systemRng();
    this.#logger = options.log.logger;
    this.#metrics = options.metrics ?? createMetrics();
    this.#runner = new Runner({ clock: this.#clock, logger: this.#logger });
    this.#shared = this.#share(options.config);
  }

  get failed(): Promise<never> {
    return this.#runner.failed;
  }

  get address(): StorageNodeAddress {
    if (this.#host === undefined) throw new Error('the storage node was not started');
    const { url, port } = this.#host.address;
    const peerAddresses = this.#first.sync?.addresses ?? [];
    return { url, port, adminSocket: this.#adminSocket, peerAddresses };
  }

  get chains(): readonly StorageNodeChain[] {
    const { url } = this.address;
    return this.#kept.map(({ chainId, name, path, parts }) => ({
      ...{ chainId, name, upkeep: parts.upkeep },
      url: `${url}${path}`,
    }));
  }

  get library(): FileLibrary {
    return this.#first.parts.library;
  }

  get upkeep(): Upkeep {
    return this.#first.parts.upkeep;
  }

  get mining(): Mining | undefined {
    return this.#first.parts.mining;
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

  get #first(): KeptChain {
    const [first] = this.#kept;
    if (first === undefined) throw new Error('the storage node was not started');
    return first;
  }

  /** What all chains share: one disk with one budget, and one memory for bodies. */
  #share({ node, storage, limits }: StorageNodeConfig): SharedParts {
    const [clock, logger] = [this.#clock, this.#logger];
    const freeBytes = this.#options.freeBytes ?? (() => freeBytesAt(node.dataDirectory));
    const budget = new SharedBudget({ maxBytes: storage.maxBytes });
    return {
      budget,
      disk: new DiskGuard(
        { freeBytes, budget, clock, logger },
        { reserveBytes: storage.reserveBytes, recheckMs: DISK_RECHECK_MS },
      ),
      gate: new BodyGate(
        { clock },
        { budgetBytes: limits.bodyBudgetBytes, maxWaiting: limits.queuedWrites },
      ),
    };
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { config } = this.#options;
    const hasher = this.#options.hasher ?? (await loadHasher());
    const plans = chainPlans(config);
    const isAlone = plans.length === 1;
    this.#kept = plans.map(
      (plan) =>
        new KeptChain({
          ...{ plan, isAlone, hasher, clock: this.#clock, rng: this.#rng, shared: this.#shared },
          connect: (own, options) => this.#connect(own, isAlone, options),
          logger: isAlone ? this.#logger : this.#logger.child({ chain: plan.name }),
          metrics: this.#metricsOf(plan.config).metrics,
          opened: (close) => this.#closers.push(close),
        }),
    );
    // The first one owns the data directory; the others lie in it.
    await this.#first.open({ signal });
    const others = this.#kept.slice(1);
    await forEachConcurrent(others, (chain, opening) => chain.open({ signal: opening }), {
      parallel: OPEN_PARALLEL,
      signal,
    });
    await this.#warnOfUnkept();
    for (const chain of this.#kept) chain.startLoops(this.#runner);
    this.#runner.run('shared measures', (inner) => this.#measure(inner));
    await this.#listen(hasher);
    if (config.p2p.enabled) await this.#join();
    if (config.admin.enabled) await this.#listenToAdmins();
  }

  /** The chain of a configuration. */
  async #connect(
    config: StorageNodeConfig,
    isAlone: boolean,
    options: { readonly signal: AbortSignal },
  ): Promise<ConnectedChain> {
    const { chain, shardChains, config: whole } = this.#options;
    const { chainId } = config.chain;
    const given =
      config.node.dataDirectory === whole.node.dataDirectory
        ? chain
        : shardChains?.get(chainId ?? 0);
    if (given !== undefined) return given;
    const [clock, logger] = [this.#clock, this.#logger];
    const { metrics } = this.#metricsOf(config);
    const checkMs = isAlone ? undefined : CHECK_MS;
    return connectChain(config, { clock, logger, metrics, checkMs }, options);
  }

  /** The measures of a chain: they carry its id where there are several. */
  #metricsOf({ chain }: StorageNodeConfig): MetricsRegistry {
    const { metrics, render } = this.#metrics;
    if (this.#options.config.shards.length === 0) return this.#metrics;
    return { metrics: labelledMetrics(metrics, { chain: String(chain.chainId) }), render };
  }

  async #warnOfUnkept(): Promise<void> {
    const { dataDirectory } = this.#options.config.node;
    const ids = this.#kept.slice(1).map(({ chainId }) => chainId);
    const folders = await unkeptChains(dataDirectory, ids);
    if (folders.length === 0) return;
    this.#logger.warn(
      { folders },
      'folders of chains that are not kept any more take room that is not counted',
    );
  }

  async #listen(hasher: Hasher): Promise<void> {
    const { config } = this.#options;
    const replies = createReplyMemory();
    const doorsOf = (chain: KeptChain): ChainDoorsDeps => ({
      ...{ config: chain.config, chain, hasher, replies, clock: this.#clock, logger: this.#logger },
      metrics: this.#metricsOf(chain.config),
      stopping: this.#stopping.signal,
    });
    const isAlone = this.#kept.length === 1;
    if (!isAlone) {
      for (const chain of this.#kept) {
        const ready = () => chain.health();
        const mounted = createPublicListener(doorsOf(chain), { ready, mountPath: chain.path });
        await mounted.open();
        this.#mounted.set(String(chain.chainId), mounted);
      }
    }
    const host = createPublicListener(
      { ...doorsOf(this.#first), config },
      {
        ready: () => (isAlone ? this.#first.health() : this.#healthOfAll()),
        routes: [chainsDoor(this.#kept), chainMounts(this.#kept, () => this.#mounted)],
      },
    );
    if (isAlone) this.#mounted.set(String(this.#first.chainId), host);
    await host.start();
    this.#host = host;
  }

  #healthOfAll(): ReturnType<typeof readyReportOfAll> {
    const chains = this.#kept.map((chain) => ({
      ...{ name: chain.name, report: chain.health(), sentence: chain.sentence() },
    }));
    return readyReportOfAll(chains, this.#shared.disk.reason);
  }

  /** Takes a place in the network of peers, for all chains. */
  async #join(): Promise<void> {
    const { openPeers } = await import('./sync/open-peers.ts'); // for those that have peers only
    const peers = await openPeers({
      config: this.#options.config,
      logs: this.#kept.map(({ chain }) => chain.chainLog),
      ...{ clock: this.#clock, logger: this.#logger, metrics: this.#metrics.metrics },
      network: this.#options.network,
      opened: (close) => this.#closers.push(close),
    });
    for (const [index, chain] of this.#kept.entries()) {
      const listenerUrl = (): string => `${this.address.url}${index === 0 ? '' : chain.path}`;
      await chain.join(this.#runner, { peers, listenerUrl });
    }
  }

  async #listenToAdmins(): Promise<void> {
    const { config, log } = this.#options;
    const socketPath = fittingSocketPath(config.admin.socketPath);
    const shutdown = this.#options.onShutdown ?? ((): void => undefined);
    const listenerOf = (chain: KeptChain): Parameters<typeof createAdminListener>[0] => {
      const { finder, shard, upkeep, mining } = chain.parts;
      const methods = {
        ...zgMiningMethods(mining),
        ...zgAdminMethods({
          ...{ finder, shard, host: config.http.host, shutdown },
          isSynced: () => chain.status().synced,
          renderMetrics: async () => (await this.#metrics.render()).body,
          sync: () => chain.sync,
        }),
      };
      return {
        ...{ socketPath, upkeep, mining, logger: this.#logger },
        metrics: this.#metricsOf(chain.config),
        door: {
          ...{ log, shutdown, rpc: chain.rpc(methods), stopping: this.#stopping.signal },
          status: () => this.#adminStatus(chain),
        },
      };
    };
    if (this.#kept.length > 1) {
      for (const chain of this.#kept) {
        const mounted = createAdminListener({ ...listenerOf(chain), mountPath: chain.path });
        await mounted.open();
        this.#mountedForAdmins.set(String(chain.chainId), mounted);
      }
    }
    const routes = [chainMounts(this.#kept, () => this.#mountedForAdmins)];
    const host = createAdminListener({ ...listenerOf(this.#first), routes });
    if (this.#kept.length === 1) this.#mountedForAdmins.set(String(this.#first.chainId), host);
    await host.start();
    this.#closers.push(async () => {
      await host.stop();
      for (const mounted of this.#mountedForAdmins.values()) await mounted.stop();
    });
    this.#adminSocket = socketPath;
  }

  /** What admins see of a chain, of what it shares, and where the others are. */
  async #adminStatus(chain: KeptChain): Promise<Json> {
    const { disk, gate, budget } = this.#shared;
    await disk.look();
    const { uploads, ...own } = chain.statusJson();
    return {
      ...own,
      logLevel: this.#options.log.level,
      disk: {
        isFull: disk.isFull,
        freeBytes: disk.freeBytes,
        reason: disk.reason ?? null,
        usedBytes: budget.usedBytes,
        maxBytes: budget.maxBytes,
      },
      uploads: { ...uploads, bodyBytes: gate.usedBytes },
      residentBytes: process.memoryUsage.rss(),
      chains: this.#kept.map((kept) => {
        const { name, path, status, lagBlocks, chainSilentMs, fault } = kept.statusJson();
        const { usedBytes } = kept.parts.upkeep.budget;
        return { name, path, status, lagBlocks, chainSilentMs, fault, usedBytes };
      }),
    };
  }

  /** Measures of what all chains share. */
  async #measure(signal: AbortSignal): Promise<void> {
    const { disk, gate, budget } = this.#shared;
    const metrics = createSharedMetrics(this.#metrics.metrics);
    metrics.diskReserveBytes.set(this.#options.config.storage.reserveBytes);
    metrics.diskBudgetBytes.set(budget.maxBytes);
    while (!signal.aborted) {
      await disk.look();
      metrics.diskFreeBytes.set(disk.freeBytes);
      metrics.bodyBytes.set(gate.usedBytes);
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
    for (const mounted of this.#mounted.values()) await close('listener', () => mounted.stop());
    await close('loops', () => this.#runner.stop());
    for (const closer of this.#closers.splice(0).reverse()) await close('part', closer);
  }
}
