import { join } from 'node:path';
import type { Hasher } from '@cairn/commitments';
import type { LogStore, Reader, SegmentStore } from '@cairn/log-layer';
import { openFlatFileStore } from '@cairn/node-runtime/files';
import { createWorkerPool, siblingModule } from '@cairn/node-runtime/workers';
import {
  type Clock,
  describeError,
  isFault,
  type Json,
  type KeyValueStore,
  type Logger,
  type Metrics,
  type Rng,
} from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { DiskGuard } from '../disk-guard.ts';
import type { MiningHealth } from '../health.ts';
import { SEALED_DIRECTORY } from '../open-stores.ts';
import { ReopeningFileStore } from '../reopening-file-store.ts';
import { AnswerDesk } from './answer-desk.ts';
import type { MiningConfig } from './config.ts';
import { createMiningMetrics, type MiningMetrics } from './metrics.ts';
import { Miner } from './miner.ts';
import { settleMinerId } from './miner-id.ts';
import {
  affordableAnswers,
  MINING_STATES,
  type MiningFacts,
  type MiningParts,
  type MiningState,
  miningHealth,
  miningStatusJson,
} from './mining-report.ts';
import type { MiningChain, MiningFunds } from './ports.ts';
import { reclaimSealed } from './reclaim-sealed.ts';
import { SealContexts } from './seal-contexts.ts';
import { type SealedCheck, SealedStore } from './sealed-store.ts';
import { Sealer } from './sealer.ts';
import { SEALED_FILE_BYTES } from './worker-tasks.ts';

/** What mining is made of. */
export interface MiningDeps {
  readonly config: MiningConfig;
  readonly dataDirectory: string;
  readonly openChain: (signal: AbortSignal) => Promise<MiningChain>;
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly reader: Reader;
  readonly kv: KeyValueStore;
  readonly shard: () => ShardConfig;
  readonly disk: Pick<DiskGuard, 'requireRoom'>;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Between tries to begin, and to ask the chain that did not answer. */
const RETRY_MS = 5000;
/** Between looks at what the account holds. */
const FUNDS_MS = 60_000;

/**
 * Mining beside a storage node. Whatever goes wrong with it, the node goes on: the reason is told, and
 * it begins again.
 */
export class Mining {
  readonly #deps: MiningDeps;
  readonly #metrics: MiningMetrics;
  #isEnabled: boolean;
  #startPosition: number;
  #parts: MiningParts | undefined;
  #fault: unknown;
  #funds: MiningFunds | undefined;

  constructor(deps: MiningDeps) {
    this.#deps = deps;
    this.#metrics = createMiningMetrics(deps.metrics);
    this.#isEnabled = deps.config.autostart;
    this.#startPosition = deps.config.startPosition;
  }

  get state(): MiningState {
    if (this.#fault !== undefined) return 'degraded';
    if (this.#parts === undefined) return 'starting';
    if (!this.#isEnabled) return 'stopped';
    return this.#parts.miner.idleReason === undefined ? 'mining' : 'waiting';
  }

  /** Why it is degraded, in a sentence. */
  get reason(): string | undefined {
    return this.#fault === undefined ? undefined : describeError(this.#fault);
  }

  /** What everybody may know of it. */
  get health(): MiningHealth {
    return miningHealth(this.#facts, this.#parts);
  }

  start(): void {
    this.#isEnabled = true;
    this.#parts?.miner.start();
  }

  /** Stops mining within milliseconds; sealing goes on. */
  stop(): void {
    this.#isEnabled = false;
    this.#parts?.miner.stop();
  }

  /** Sets where mining of a flow beyond 8 TiB a shard begins, in sectors. */
  setStartPosition(sector: number): void {
    this.#startPosition = sector;
    this.#parts?.miner.setStartPosition(sector);
  }

  /** Told of the first sector of everything that is stored. */
  onStored(sector: number): void {
    this.#parts?.sealer.markStored(sector);
  }

  /** Told that stored segments were given up. */
  onGivenUp(): void {
    this.#parts?.sealer.reconsider();
  }

  /**
   * Reads sealed copies of segments from `from` on and before `to`; what is damaged is made anew. Nothing
   * is read while the contracts are not open.
   */
  async checkSealed(from: number, to: number, signal: AbortSignal): Promise<SealedCheck> {
    const parts = this.#parts;
    if (parts === undefined) return { checked: 0, bytes: 0, damaged: [] };
    const found = await parts.store.check(from, to, signal);
    for (const segment of found.damaged) parts.sealer.markSegment(segment);
    if (found.damaged.length > 0) {
      this.#metrics.sealedDamaged.add(found.damaged.length, { found: 'scrub' });
    }
    return found;
  }

  /** Runs until `signal` aborts, whatever happens to it. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.#session(signal);
      } catch (error) {
        signal.throwIfAborted();
        if (describeError(error) !== this.reason) {
          const code = isFault(error) ? error.code : undefined;
          logger.error({ code, reason: describeError(error) }, 'mining cannot go on, trying again');
        }
        this.#fault = error;
        this.#showState();
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  /** What admins see of it. */
  statusJson(): Json {
    return miningStatusJson(this.#facts, this.#parts);
  }

  get #facts(): MiningFacts {
    const { config } = this.#deps;
    return { state: this.state, fault: this.#fault, funds: this.#funds, config };
  }

  /** From opening the contracts until something fails or `signal` aborts. */
  async #session(signal: AbortSignal): Promise<void> {
    const closers: (() => Promise<void>)[] = [];
    const ending = new AbortController();
    const inner = AbortSignal.any([signal, ending.signal]);
    try {
      const parts = await this.#open(inner, closers);
      this.#parts = parts;
      this.#fault = undefined;
      const loops = [this.#watch(parts, inner), parts.sealer.run(inner)];
      loops.push(parts.miner.run(inner), parts.desk.run(inner));
      try {
        await Promise.all(loops);
      } finally {
        ending.abort(new Error('mining begins anew'));
        await Promise.allSettled(loops);
      }
    } finally {
      this.#parts = undefined;
      for (const close of closers.reverse()) await close();
    }
  }

  async #open(signal: AbortSignal, closers: (() => Promise<void>)[]): Promise<MiningParts> {
    const { config, dataDirectory, kv, shard, disk, clock, logger, rng, log, segments } =
      this.#deps;
    const metrics = this.#metrics;
    const chain = await this.#deps.openChain(signal);
    closers.push(() => chain.close());
    const minerId = await settleMinerId({ kv, chain }, config.minerId, signal);
    const directory = join(dataDirectory, SEALED_DIRECTORY);
    const files = await ReopeningFileStore.open({
      open: () => openFlatFileStore({ directory, fileBytes: SEALED_FILE_BYTES }),
      clock,
      logger,
    });
    closers.push(() => files.close());
    const store = await SealedStore.open({ files, kv }, { minerId, shard: shard() }, signal);
    if (files.store.fileNumbers().length === 0) await store.dropFrom(0, signal);
    const module = siblingModule('./mining-worker', import.meta.url);
    const sealing = createWorkerPool({ module, size: 1 });
    closers.push(() => sealing.close());
    const mining = createWorkerPool({ module, size: config.threads });
    closers.push(() => mining.close());
    const contexts = new SealContexts(chain);
    const reclaim = (inner: AbortSignal): Promise<readonly number[]> =>
      reclaimSealed({ files, store, logger }, inner);
    const sealer = new Sealer(
      {
        log,
        segments,
        store,
        contexts,
        pool: sealing,
        disk,
        reclaim,
        shard,
        clock,
        logger,
        metrics,
      },
      { minerId, duty: config.sealDuty },
    );
    const miner: Miner = new Miner(
      {
        store,
        pool: mining,
        shard,
        flowLength: () => log.flowLength,
        onHit: (hit, puzzle) => desk.offer(hit, puzzle),
        clock,
        rng,
        metrics,
      },
      {
        minerId,
        directory,
        threads: config.threads,
        duty: config.duty,
        startPosition: this.#startPosition,
        isEnabled: this.#isEnabled,
      },
    );
    const desk = new AnswerDesk(
      {
        ...this.#deps,
        chain,
        store,
        current: () => miner.puzzle,
        onStaleSeal: (segment) => {
          contexts.forget();
          sealer.markSegment(segment);
        },
        metrics,
      },
      minerId,
    );
    return { chain, minerId, store, sealer, miner, desk };
  }

  /** Asks what is to be mined, again and again. A chain that is silent is waited for. */
  async #watch(
    { chain, minerId, miner, sealer, desk }: MiningParts,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, logger, config } = this.#deps;
    let epoch: number | undefined;
    let fundsAt = Number.NEGATIVE_INFINITY;
    let accepted = 0;
    while (!signal.aborted) {
      try {
        if (clock.monotonic() - fundsAt >= FUNDS_MS || desk.counts.accepted > accepted) {
          accepted = desk.counts.accepted;
          this.#showFunds(await chain.funds({ signal }));
          fundsAt = clock.monotonic();
        }
        const context = await chain.workerContext(minerId, { signal });
        if (context.epoch !== epoch) sealer.renew();
        epoch = context.epoch;
        miner.setContext(context);
      } catch (error) {
        signal.throwIfAborted();
        logger.debug({ reason: describeError(error) }, 'the chain did not say what to mine');
      }
      this.#showState();
      await clock.sleep(config.pollMs, signal);
    }
  }

  #showFunds(funds: MiningFunds): void {
    this.#funds = funds;
    this.#metrics.accountWei.set(Number(funds.balanceWei));
    this.#metrics.waitingWei.set(Number(funds.waitingWei));
    this.#metrics.affordable.set(affordableAnswers(funds));
  }

  #showState(): void {
    for (const state of MINING_STATES)
      this.#metrics.state.set(Number(state === this.state), { state });
  }
}
