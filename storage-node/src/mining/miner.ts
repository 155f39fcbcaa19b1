import type { WorkerContext } from '@cairn/chain-access/pora';
import {
  EMPTY_DIGEST,
  expectedAttempts,
  hashLimit,
  limitBytes,
  minableLength,
  type RecallRange,
  rangeDigest,
  rangeOfShard,
  SEGMENT_PIECES,
  scaleX64,
} from '@cairn/pora';
import { type Clock, type Rng, toHex, type WorkerPool } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import { Bell } from '../upkeep/bell.ts';
import type { MiningMetrics } from './metrics.ts';
import type { SealedStore } from './sealed-store.ts';
import { type Hit, type MineResult, type MineTask, SEALED_FILE_BYTES } from './worker-tasks.ts';

/** What is mined in a miner's window. */
export interface Puzzle {
  /** Rises with every other puzzle. */
  readonly generation: number;
  readonly context: WorkerContext;
  readonly shard: ShardConfig;
  readonly range: RecallRange;
  readonly limit: bigint;
  /** Attempts that a hit takes on average, if all of the shard is sealed. */
  readonly attemptsPerHit: number;
}

/** What mining works with. */
export interface MinerDeps {
  readonly store: Pick<SealedStore, 'table'>;
  readonly pool: Pick<WorkerPool, 'run'>;
  readonly shard: () => ShardConfig;
  /** Sectors of the flow that this node has read: answers can be proven up to there. */
  readonly flowLength: () => number;
  readonly onHit: (hit: Hit, puzzle: Puzzle) => void;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly rng: Rng;
  readonly metrics: MiningMetrics;
}

export interface MinerOptions {
  readonly minerId: Uint8Array;
  /** Where sealed copies lie. */
  readonly directory: string;
  readonly threads: number;
  /** Share of each thread's time, above 0 … 1. */
  readonly duty: number;
  /** Where mining of a flow that is too long for one range begins. */
  readonly startPosition: number;
  readonly isEnabled: boolean;
}

/** One task of a thread: results are seen this often. A puzzle that ends is left at once. */
const SLICE_MS = 500;
/** Looks at what there is to mine where nothing was told to happen. */
const IDLE_MS = 1000;
const PREFIX_BYTES = 24;

/** Keeps threads mining the puzzle that counts. */
export class Miner {
  readonly #deps: MinerDeps;
  readonly #options: MinerOptions;
  readonly #control = new Int32Array(new SharedArrayBuffer(4));
  readonly #bell = new Bell();
  #puzzle: Puzzle | undefined;
  #context: WorkerContext | undefined;
  #isEnabled: boolean;
  #startPosition: number;
  #attemptsPerSecond = 0;

  constructor(deps: MinerDeps, options: MinerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#isEnabled = options.isEnabled;
    this.#startPosition = options.startPosition;
  }

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** What is mined now; `undefined` outside the window, and when stopped. */
  get puzzle(): Puzzle | undefined {
    return this.#isEnabled ? this.#puzzle : undefined;
  }

  /** Why nothing is mined now, in a sentence; `undefined` while something is. */
  get idleReason(): string | undefined {
    const { store, flowLength } = this.#deps;
    const context = this.#context;
    if (!this.#isEnabled) return 'an operator stopped it';
    if (store.table.segments === 0) return 'nothing is sealed yet';
    if (this.#puzzle !== undefined) return undefined;
    if (context === undefined) return 'the chain has not told what is mined yet';
    const { count } = this.#deps.shard();
    if (count > context.maxShards) {
      return `the contract takes answers of up to ${context.maxShards} shards, this is one of ${count}`;
    }
    if (context.poraTarget === 0n || toHex(context.contextDigest) === EMPTY_DIGEST) {
      return `it is not its turn in epoch ${context.epoch}, or the epoch has all its answers`;
    }
    if (minableLength(context.flowLength) === 0) return 'the flow has no whole segment yet';
    if (context.flowLength > flowLength()) return 'the log is not read up to what is mined';
    return 'it is about to begin';
  }

  /** Of all threads, over their last tasks. */
  get attemptsPerSecond(): number {
    return this.puzzle === undefined ? 0 : this.#attemptsPerSecond;
  }

  start(): void {
    this.#isEnabled = true;
    this.#renew();
  }

  /** Takes effect within a batch of attempts: some milliseconds. */
  stop(): void {
    this.#isEnabled = false;
    this.#renew();
  }

  /** Sets where mining of a flow beyond 8 TiB a shard begins, in sectors. */
  setStartPosition(sector: number): void {
    this.#startPosition = sector;
    this.#renew();
  }

  /** Takes what the contract says is to be mined. */
  setContext(context: WorkerContext): void {
    const known = this.#context;
    this.#context = context;
    const isSame =
      known !== undefined &&
      toHex(known.subtaskDigest) === toHex(context.subtaskDigest) &&
      known.poraTarget === context.poraTarget &&
      known.maxShards === context.maxShards;
    if (!isSame) this.#renew();
    else if (this.#puzzle === undefined) this.#bell.ring(); // the log may be read that far now
  }

  /** Runs the threads until `signal` aborts. @throws what the pool throws */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#leave(), { once: true });
    const threads = Array.from({ length: this.#options.threads }, () => this.#runThread(signal));
    try {
      await Promise.all(threads);
    } finally {
      this.#leave();
    }
  }

  async #runThread(signal: AbortSignal): Promise<void> {
    const { pool, clock, onHit, metrics } = this.#deps;
    while (!signal.aborted) {
      const puzzle = this.#ready();
      if (puzzle === undefined) {
        await this.#bell.wait(clock, IDLE_MS, signal);
        continue;
      }
      const result = await pool.run<MineResult>(this.#taskOf(puzzle), { signal });
      metrics.pads.add(result.pads);
      metrics.attempts.add(result.attempts);
      metrics.hits.add(result.hits.length);
      this.#measure(result, puzzle);
      for (const hit of result.hits) onHit(hit, puzzle);
    }
  }

  /** The puzzle, if anything is sealed that could be found in it. */
  #ready(): Puzzle | undefined {
    const { store, shard } = this.#deps;
    const isOther = ({ id, count }: ShardConfig): boolean =>
      id !== shard().id || count !== shard().count;
    if (this.#puzzle !== undefined && isOther(this.#puzzle.shard)) this.#leave();
    this.#puzzle ??= this.#makePuzzle();
    // After a change of the shard the table follows once the sealer has seen it.
    return store.table.segments === 0 || isOther(store.table.shard) ? undefined : this.#puzzle;
  }

  #makePuzzle(): Puzzle | undefined {
    const context = this.#context;
    const shard = this.#deps.shard();
    if (context === undefined || !this.#isEnabled || context.poraTarget === 0n) return undefined;
    const { flowLength, maxShards, contextDigest, poraTarget } = context;
    if (toHex(contextDigest) === EMPTY_DIGEST || shard.count > maxShards) return undefined;
    if (minableLength(flowLength) === 0 || flowLength > this.#deps.flowLength()) return undefined;
    const scale = scaleX64(flowLength, shard.count);
    return {
      generation: Atomics.load(this.#control, 0),
      context,
      shard,
      range: rangeOfShard(shard, flowLength, this.#startPosition),
      limit: hashLimit(poraTarget, scale),
      attemptsPerHit: expectedAttempts(poraTarget, scale, SEGMENT_PIECES),
    };
  }

  #taskOf({ context, range, limit, generation }: Puzzle): MineTask {
    const { store, rng } = this.#deps;
    const { minerId, directory, duty } = this.#options;
    return {
      kind: 'mine',
      directory,
      fileBytes: SEALED_FILE_BYTES,
      digests: { minerId, subtask: context.subtaskDigest, range: rangeDigest(range) },
      range,
      limit: limitBytes(limit),
      shard: store.table.shard,
      table: store.table.shared,
      control: this.#control.buffer as SharedArrayBuffer,
      generation,
      noncePrefix: rng.fill(new Uint8Array(PREFIX_BYTES)),
      sliceMs: SLICE_MS,
      duty,
    };
  }

  #measure({ attempts }: MineResult, { attemptsPerHit }: Puzzle): void {
    const { threads } = this.#options;
    const now = (attempts / SLICE_MS) * 1000 * threads;
    this.#attemptsPerSecond = this.#attemptsPerSecond * 0.9 + now * 0.1;
    const seconds = attemptsPerHit / Math.max(this.#attemptsPerSecond, 1e-9);
    this.#deps.metrics.expectedSeconds.set(seconds);
  }

  #renew(): void {
    this.#leave();
    this.#bell.ring();
  }

  /** Ends what threads are at. */
  #leave(): void {
    this.#puzzle = undefined;
    Atomics.add(this.#control, 0, 1);
    Atomics.notify(this.#control, 0);
  }
}
