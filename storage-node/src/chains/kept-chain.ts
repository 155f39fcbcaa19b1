import type { Hasher } from '@cairn/commitments';
import type { HealthReport } from '@cairn/node-runtime/http';
import type { Runner } from '@cairn/node-runtime/lifecycle';
import {
  type ChainId,
  type Clock,
  describeError,
  isFault,
  type Json,
  type Logger,
  type Metrics,
  type Rng,
} from '@cairn/primitives';
import {
  formatShard,
  type NodeStatus,
  nodeStatusJson,
  type ShardConfig,
} from '@cairn/wire-protocol';
import type { StorageNodeConfig } from '../config.ts';
import type { ConnectedChain } from '../connect-chain.ts';
import { isNoRoom } from '../disk-guard.ts';
import { readyReport } from '../health.ts';
import { type EntryWatch, type NodeParts, openParts, type SharedParts } from '../node-parts.ts';
import type { Sync } from '../sync/create-sync.ts';
import type { Peers } from '../sync/open-peers.ts';
import { VERSION } from '../version.ts';
import type { JsonRpcDeps, JsonRpcMethods } from '../zg-compat/answer-json-rpc.ts';
import { zgStorageMethods } from '../zg-compat/storage-methods.ts';
import { type ChainPlan, chainPath } from './chain-plans.ts';

/** What keeping a chain works with. */
export interface KeptChainDeps {
  readonly plan: ChainPlan;
  /** Whether the node keeps no other: what stops the chain stops the node then. */
  readonly isAlone: boolean;
  readonly shared: SharedParts;
  readonly connect: (
    config: StorageNodeConfig,
    options: { readonly signal: AbortSignal },
  ) => Promise<ConnectedChain>;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** With the chain as a label, where there are several. */
  readonly metrics: Metrics;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
}

/** A chain as admins see it. */
export interface KeptChainStatus {
  readonly name: string;
  readonly path: string;
  readonly status: Json;
  readonly lagBlocks: number | undefined;
  readonly chainSilentMs: number;
  /** Why its log is not followed. */
  readonly fault: string | null;
  readonly dataDirectory: string;
  readonly uploads: { readonly cachedBytes: number; readonly waiting: number };
  readonly upkeep: Json;
  readonly mining: Json;
  readonly duties: Json;
}

/** Time before a loop that met a full or failing disk is begun again. */
const RESUME_AFTER_MS = 1000;
/** Time before a log that could not be followed is tried again, where other chains go on. */
const RETRY_AFTER_MS = 10_000;
/** How often measures that are not events are set. */
const MEASURE_MS = 5000;

/** A chain that a node keeps: its stores, what goes on with them, and what there is to tell of it. */
export class KeptChain {
  readonly name: string;
  readonly config: StorageNodeConfig;
  readonly #deps: KeptChainDeps;
  readonly #watch: EntryWatch = {
    onEntry: (entry) => {
      const isNew = this.#parts?.follower.progress.isCaughtUp ?? false;
      this.#sync?.noteEntry(entry, { isNew });
    },
    onFinalised: (entry) => this.#sync?.noteFinalised(entry),
    onDamaged: (entry) => this.#sync?.noteDamage(entry),
  };
  #chain: ConnectedChain | undefined;
  #parts: NodeParts | undefined;
  #sync: Sync | undefined;
  /** Why the log could not be followed last time. */
  #fault: string | undefined;
  /** When following it began again, on the monotonic clock; `undefined` while it waits. */
  #followsSince: number | undefined;

  constructor(deps: KeptChainDeps) {
    this.#deps = deps;
    this.name = deps.plan.name;
    this.config = deps.plan.config;
  }

  /** @throws {Error} before `open` */
  get parts(): NodeParts {
    if (this.#parts === undefined) throw new Error('the storage node was not started');
    return this.#parts;
  }

  /** @throws {Error} before `open` */
  get chain(): ConnectedChain {
    if (this.#chain === undefined) throw new Error('the storage node was not started');
    return this.#chain;
  }

  get chainId(): ChainId {
    return this.chain.chainLog.chainId;
  }

  /** Path below which its doors are. */
  get path(): string {
    return chainPath(this.chainId);
  }

  /** Its part in the network of peers; `undefined` while it takes none. */
  get sync(): Sync | undefined {
    return this.#sync;
  }

  /** Connects to the chain and opens its stores. @throws what either throws */
  async open({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { name, config } = this;
    const { shared, hasher, clock, rng, logger, metrics, opened } = this.#deps;
    const chain = await this.#deps.connect(config, { signal });
    opened(() => chain.close());
    this.#chain = chain;
    const watch = this.#watch;
    this.#parts = await openParts(
      { name, config, shared, chain, hasher, clock, rng, logger, metrics, opened, watch },
      { signal },
    );
  }

  /** Starts what goes on in the background. */
  startLoops(runner: Runner): void {
    const { parts } = this;
    const { isAlone } = this.#deps;
    const own: Pick<Runner, 'run'> = isAlone
      ? runner
      : { run: (loop, work, options) => runner.run(`${loop} of ${this.name}`, work, options) };
    own.run('head', (signal) => parts.progress.run(signal));
    own.run('log', (signal) => this.#follow(parts, signal));
    own.run('measures', (signal) => this.#measure(parts, signal));
    parts.upkeep.startLoops(own);
    const { mining, duties } = parts;
    if (mining !== undefined) {
      own.run('mining', (signal) => mining.run(signal), { onFailure: 'restart' });
    }
    if (duties !== undefined) {
      own.run('duties', (signal) => duties.run(signal), { onFailure: 'restart' });
    }
  }

  /** Takes a place in the network of peers, and begins to fill the shard from there. */
  async join(
    runner: Runner,
    { peers, listenerUrl }: { readonly peers: Peers; readonly listenerUrl: () => string },
  ): Promise<void> {
    const { config, parts } = this;
    const { hasher, clock, rng, logger, metrics } = this.#deps;
    const { openSync } = await import('../sync/open-sync.ts'); // for those that have peers only
    const sync = await openSync({
      ...{ config, parts, peers, hasher, clock, rng, logger, metrics, listenerUrl },
    });
    this.#sync = sync;
    runner.run('sync', (signal) => sync.run(signal));
  }

  /** The zgs_* methods, about this chain. */
  storageMethods(): JsonRpcMethods {
    const { chainId, flow } = this.chain.chainLog;
    return zgStorageMethods({ ...this.parts, chainId, flow, hasher: this.#deps.hasher });
  }

  /** How JSON-RPC about this chain is answered. */
  rpc(methods: JsonRpcMethods): JsonRpcDeps {
    const { rpcDuration } = this.parts.metrics;
    return {
      methods,
      clock: this.#deps.clock,
      logger: this.#deps.logger,
      onCall: ({ method, outcome, seconds }) =>
        rpcDuration.observe(seconds, { method, code: outcome }),
    };
  }

  /** What the chain's nodes tell of it to everybody. */
  status(): NodeStatus {
    const { log, progress, shard } = this.parts;
    const { readyLagBlocks } = this.config.storage;
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

  /** Whether requests about this chain should be sent here. */
  health(): HealthReport {
    const { readyLagBlocks: maxLagBlocks } = this.config.storage;
    return readyReport({ ...this.parts, fault: this.#faultNow() }, { maxLagBlocks });
  }

  /** What it keeps and takes, in a sentence. */
  sentence(): string {
    const { shard, upkeep } = this.parts;
    const { nextSequence, head } = this.status();
    const block = head === undefined ? 'no block known' : `block ${head}`;
    return `keeps ${formatShard(shard())} of ${nextSequence} files in ${upkeep.budget.usedBytes} bytes, ${block}`;
  }

  /** A log that is followed again for as long as it waited has no fault any more. */
  #faultNow(): string | undefined {
    const since = this.#followsSince;
    if (since === undefined) return this.#fault;
    return this.#deps.clock.monotonic() - since < RETRY_AFTER_MS ? this.#fault : undefined;
  }

  /** What admins see of this chain alone. */
  statusJson(): KeptChainStatus {
    const { cache, gate, acceptor, progress, upkeep, mining, duties } = this.parts;
    const { lagBlocks, silentMs } = progress.current();
    return {
      name: this.name,
      path: this.path,
      status: nodeStatusJson(this.status()),
      lagBlocks,
      chainSilentMs: Math.round(silentMs),
      fault: this.#faultNow() ?? null,
      dataDirectory: this.config.node.dataDirectory,
      uploads: { cachedBytes: cache.sizeBytes, waiting: gate.waiting + acceptor.waiting },
      upkeep: upkeep.statusJson(),
      mining: mining?.statusJson() ?? null,
      duties: duties?.statusJson() ?? null,
    };
  }

  /**
   * Follows the log; a full disk only delays it. A chain that contradicts the store, or is another than it should
   * be, ends the node that keeps nothing else; else it is told, and tried again, and the other chains go on.
   */
  async #follow({ follower }: NodeParts, signal: AbortSignal): Promise<void> {
    const { clock, logger, isAlone } = this.#deps;
    while (!signal.aborted) {
      this.#followsSince = clock.monotonic();
      try {
        await follower.run(signal);
      } catch (error) {
        this.#followsSince = undefined;
        const hasRoom = !isNoRoom(error);
        if (signal.aborted || (hasRoom && isAlone)) throw error;
        const reason = describeError(error);
        if (hasRoom) {
          this.#fault = `the log is not followed: ${isFault(error) ? `${error.code}: ` : ''}${reason}`;
          logger.error({ chain: this.name, reason }, 'the log of a chain is not followed');
        } else {
          logger.error({ reason }, 'no room to store the log, waiting');
        }
        await clock.sleep(hasRoom ? RETRY_AFTER_MS : RESUME_AFTER_MS, signal);
      }
    }
  }

  async #measure(parts: NodeParts, signal: AbortSignal): Promise<void> {
    const { metrics, progress, cache, gate, acceptor } = parts;
    let shard = parts.shard();
    metrics.buildInfo.set(1, { version: VERSION, chain_id: String(this.chainId) });
    while (!signal.aborted) {
      metrics.shardInfo.set(0, shardLabels(shard));
      shard = parts.shard();
      metrics.shardInfo.set(1, shardLabels(shard));
      const { head, lagBlocks, nextSequence } = progress.current();
      if (head !== undefined) metrics.headBlock.set(head);
      if (lagBlocks !== undefined) metrics.lagBlocks.set(lagBlocks);
      metrics.nextSequence.set(nextSequence);
      metrics.cachedBytes.set(cache.sizeBytes);
      metrics.queuedUploads.set(gate.waiting + acceptor.waiting);
      await this.#deps.clock.sleep(MEASURE_MS, signal);
    }
  }
}

function shardLabels({ id, count }: ShardConfig): { readonly id: string; readonly count: string } {
  return { id: String(id), count: String(count) };
}
