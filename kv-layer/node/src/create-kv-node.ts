import { type Hasher, loadHasher } from '@cairn/commitments';
import { freeBytesAt } from '@cairn/node-runtime/files';
import type { HttpHost } from '@cairn/node-runtime/http';
import { Runner } from '@cairn/node-runtime/lifecycle';
import { createMetrics, type MetricsRegistry } from '@cairn/node-runtime/observe';
import { type Clock, describeError, type Logger, systemClock } from '@cairn/primitives';
import type { KvNodeConfig } from './config.ts';
import { type ConnectedChain, connectChain, isChainOutage } from './connect-chain.ts';
import { isNoRoom } from './disk-room.ts';
import { KvNodeError } from './errors.ts';
import { type KvNodeParts, openParts } from './parts.ts';
import { createPublicListener } from './public-listener.ts';
import type { FileFetcherDeps } from './replay/file-fetcher.ts';
import { type ReplayStatus, type StatusWait, waitOf } from './replay-status.ts';
import { VERSION } from './version.ts';

/** What a key-value node is made of; whatever is left out is the real thing. */
export interface KvNodeOptions {
  readonly config: KvNodeConfig;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly metrics?: MetricsRegistry;
  readonly hasher?: Hasher;
  /** The chain; unless told, the one that the configuration names. The node closes it. */
  readonly chain?: ConnectedChain;
  /** Where files of the log are read; unless told, the storage nodes that the configuration names. */
  readonly files?: FileFetcherDeps['files'];
  /** Bytes that can still be written where the data lies. */
  readonly freeBytes?: () => Promise<number | undefined>;
}

/** A key-value node. Start it once, stop it once. */
export interface KvNode {
  /**
   * Opens the data directory, connects to the chain, listens, and begins to replay. Resolves when
   * requests are taken; `/health/ready` tells when the log is replayed.
   *
   * @throws {StorageError}, {LevelError}, {ChainError}, {StateError}, {KvNodeError}; what listening
   * throws. Whatever was opened is closed then
   */
  start(options: { readonly signal: AbortSignal }): Promise<void>;
  /** Lets running requests end, stops the loops, closes the stores. */
  stop(): Promise<void>;
  /** Where it listens, without a slash at its end. @throws {Error} before `start` */
  readonly url: string;
  /** How far it is. @throws {Error} before `start` */
  readonly status: ReplayStatus;
  /** Rejects when the node cannot go on, such as when the chain contradicts what is stored. */
  readonly failed: Promise<never>;
}

/** A key-value node with its parts wired: the composition root. Nothing happens before `start`. */
export function createKvNode(options: KvNodeOptions): KvNode {
  return new WiredKvNode(options);
}

/** Time before a loop that met a full or failing disk is begun again. */
const RESUME_AFTER_MS = 1000;
/** How often measures that are not events are set, and the head of the chain is asked for. */
const MEASURE_MS = 2000;
/** How often a wait is logged while it lasts. */
const TELL_WAIT_MS = 30_000;

class WiredKvNode implements KvNode {
  readonly #options: KvNodeOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: MetricsRegistry;
  readonly #runner: Runner;
  readonly #closing = new AbortController();
  readonly #stopping = new AbortController();
  readonly #closers: (() => Promise<void>)[] = [];
  #chain: ConnectedChain | undefined;
  #parts: KvNodeParts | undefined;
  #host: HttpHost | undefined;
  #head: number | undefined;
  #freeBytes: number | undefined;
  /** Why nothing can be written now. */
  #diskReason: string | undefined;
  #toldWait: { readonly sequence: number; readonly atMs: number } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: KvNodeOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock();
    this.#logger = options.logger;
    this.#metrics = options.metrics ?? createMetrics();
    this.#runner = new Runner({ clock: this.#clock, logger: this.#logger });
  }

  get failed(): Promise<never> {
    return this.#runner.failed;
  }

  get url(): string {
    if (this.#host === undefined) throw new Error('the key-value node was not started');
    return this.#host.address.url;
  }

  get status(): ReplayStatus {
    if (this.#parts === undefined) throw new Error('the key-value node was not started');
    const { log, keeper } = this.#parts;
    const { state, pending, wait } = keeper;
    return {
      head: this.#head,
      block: log.newestBlock?.number,
      logNext: log.nextSequence,
      nextSequence: state.nextSequence,
      firstSequence: state.firstSequence,
      streams: state.streams,
      holes: state.holeCount,
      wait: this.#timed(wait),
      logWait: this.#timed(this.#chain?.logWait?.()),
      rebuilt: this.#parts.rebuilt,
      diskReason: this.#diskReason,
      bootstrap: this.#parts.bootstrap?.status,
      unread: state.unread.left,
      pending: pending === undefined ? undefined : { ...pending, wait: this.#timed(pending.wait) },
    };
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
    this.#chain = chain;
    this.#closers.push(() => chain.close());
    const directory = config.node.dataDirectory;
    const freeBytes = this.#options.freeBytes ?? (() => freeBytesAt(directory));
    const parts = await openParts(
      {
        config,
        chain,
        files: this.#options.files,
        hasher: this.#options.hasher ?? (await loadHasher()),
        clock,
        logger,
        metrics,
        freeBytes,
        opened: (close) => this.#closers.push(close),
      },
      { signal },
    );
    this.#parts = parts;
    const host = createPublicListener({
      config,
      parts,
      chainId: chain.chainLog.chainId,
      flow: chain.chainLog.flow,
      clock,
      logger,
      metrics: this.#metrics,
      status: () => this.status,
      closing: this.#closing.signal,
      stopping: this.#stopping.signal,
    });
    await host.start();
    this.#host = host;
    this.#runner.run('log', (inner) =>
      this.#whileThereIsRoom((loop) => parts.follower.run(loop), inner),
    );
    this.#runner.run('replay', (inner) =>
      this.#whileThereIsRoom((loop) => parts.keeper.run(loop), inner),
    );
    this.#runner.run('measures', (inner) => this.#measure(parts, freeBytes, inner));
  }

  /** A full disk only delays a loop; it is begun anew until there is room. */
  async #whileThereIsRoom(
    loop: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      try {
        await loop(signal);
      } catch (error) {
        if (signal.aborted || !isNoRoom(error)) throw error;
        this.#diskReason = `the disk of this node is full: ${describeError(error).slice(0, 200)}; replay goes on once there is room, reads go on`;
        this.#logger.error({ reason: describeError(error) }, 'no room on the disk, waiting');
        await this.#clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  }

  async #measure(
    parts: KvNodeParts,
    freeBytes: () => Promise<number | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    const { metrics } = parts;
    metrics.buildInfo.set(1, {
      version: VERSION,
      chain_id: String(this.#chain?.chainLog.chainId),
    });
    while (!signal.aborted) {
      await this.#askHead(signal);
      this.#freeBytes = (await freeBytes()) ?? this.#freeBytes;
      const { status } = this;
      const { head, block, logNext, nextSequence, holes, streams, pending } = status;
      const wait = waitOf(status);
      if (head !== undefined) metrics.headBlock.set(head);
      if (head !== undefined && block !== undefined) metrics.lagBlocks.set(head - block);
      metrics.logNext.set(logNext);
      metrics.replayNext.set(nextSequence);
      metrics.pendingNext.set(pending?.nextSequence ?? -1);
      metrics.waitSequence.set(wait?.sequence ?? -1);
      metrics.waitSeconds.set((wait?.waitedMs ?? 0) / 1000);
      metrics.holes.set(holes);
      metrics.streams.set(streams.length);
      if (this.#freeBytes !== undefined) metrics.diskFreeBytes.set(this.#freeBytes);
      if (nextSequence === logNext) this.#diskReason = undefined;
      this.#tellWait(wait);
      await this.#clock.sleep(MEASURE_MS, signal);
    }
  }

  async #askHead(signal: AbortSignal): Promise<void> {
    try {
      this.#head = (await this.#chain?.client.blockNumber({ signal })) ?? this.#head;
    } catch (error) {
      signal.throwIfAborted();
      if (!isChainOutage(error)) throw error;
      this.#logger.debug({ reason: describeError(error) }, 'the head of the chain was not told');
    }
  }

  /** Logs what replay waits for, once it is long and then again and again. */
  #tellWait(wait: StatusWait | undefined): void {
    if (wait === undefined || wait.waitedMs < TELL_WAIT_MS / 6) {
      this.#toldWait = undefined;
      return;
    }
    const nowMs = this.#clock.monotonic();
    const { sequence, kind, waitedMs, sentence } = wait;
    const isToldNow =
      this.#toldWait?.sequence === sequence && nowMs - this.#toldWait.atMs < TELL_WAIT_MS;
    if (isToldNow) return;
    this.#toldWait = { sequence, atMs: nowMs };
    const facts = {
      sequence,
      for: kind,
      waitedMs: Math.round(waitedMs),
      sentence,
    };
    this.#logger.warn(facts, 'replay waits');
  }

  #timed<Wait extends { readonly sinceMs: number }>(
    wait: Wait | undefined,
  ): (Wait & { readonly waitedMs: number }) | undefined {
    return wait && { ...wait, waitedMs: this.#clock.monotonic() - wait.sinceMs };
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
    const reason = new KvNodeError({ code: 'KV_STOPPING' }, 'the key-value node is stopping');
    this.#closing.abort(reason); // who listens to changes is not waited for
    await close('listener', () => this.#host?.stop());
    this.#stopping.abort(reason);
    await close('loops', () => this.#runner.stop());
    for (const closer of this.#closers.splice(0).reverse()) await close('part', closer);
  }
}
