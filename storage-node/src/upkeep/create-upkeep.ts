import { join } from 'node:path';
import type { LogFollower, LogStore, SegmentStore } from '@cairn/log-layer';
import type { FlatFileStore } from '@cairn/node-runtime/files';
import type { LevelStore } from '@cairn/node-runtime/level';
import type { Runner } from '@cairn/node-runtime/lifecycle';
import {
  type Clock,
  describeError,
  type Json,
  type Logger,
  type Metrics,
  type Rng,
} from '@cairn/primitives';
import { formatShard, type ShardConfig } from '@cairn/wire-protocol';
import type { StorageNodeConfig } from '../config.ts';
import { countDatabase, databaseCountsJson } from '../db/count.ts';
import { isNoRoom } from '../disk-guard.ts';
import { SEALED_DIRECTORY } from '../open-stores.ts';
import type { ReopeningFileStore } from '../reopening-file-store.ts';
import { Bell } from './bell.ts';
import { DiskBudget } from './disk-budget.ts';
import { createUpkeepMetrics, type UpkeepMetrics } from './metrics.ts';
import { moveShard } from './move-shard.ts';
import { occupiedBytes } from './occupied-bytes.ts';
import { Pruner } from './prune.ts';
import { ExpiredPruner, type ExpiredPrunerDeps } from './prune-expired.ts';
import { SpaceReclaimer } from './reclaim-space.ts';
import { Scrubber, type ScrubberDeps, scrubReportJson } from './scrub.ts';
import { moveJson, type ShardKeeper } from './shard-keeper.ts';
import type { SharedBudget } from './shared-budget.ts';

/** What upkeep works on. */
export interface UpkeepDeps {
  /** Of the chain, for people. */
  readonly name: string;
  /** What all chains of the node may take together. */
  readonly budget: SharedBudget;
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly kv: LevelStore;
  readonly files: ReopeningFileStore<FlatFileStore>;
  readonly keeper: ShardKeeper;
  readonly follower: Pick<LogFollower, 'reconsiderPending'>;
  readonly dataDirectory: string;
  /** Looks at sealed copies as scrubbing goes by. */
  readonly checkSealed: NonNullable<ScrubberDeps['checkSealed']>;
  /** Told after stored segments were given up. */
  readonly onGivenUp: () => void;
  /** What the chain says of payments; `undefined` where its contracts know of none. */
  readonly lookAtPayments: ExpiredPrunerDeps['look'];
  readonly isPromised: ExpiredPrunerDeps['isPromised'];
  /** Whether clients are reading now. */
  readonly isReading: () => boolean;
  readonly rng: Rng;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What keeps a node's disk sound, and within its bounds, wired. */
export interface Upkeep {
  readonly scrubber: Scrubber;
  readonly budget: DiskBudget;
  /**
   * Lets the shard change; durable once this resolves, carried out in the background.
   *
   * @returns whether there is anything to do
   * @throws {StorageNodeError} SHARD_MOVING
   */
  changeShard(to: ShardConfig): Promise<boolean>;
  /** Lets files be given up that end at or before a sector of the flow; durable as `changeShard`. */
  prune(belowSector: number): Promise<void>;
  /** Starts what goes on in the background. A failing disk only delays it. */
  startLoops(runner: Pick<Runner, 'run'>): void;
  /** The shard and the change of it that is under way. */
  shardJson(): Json;
  /** What the data directory holds; reads the whole index. */
  countsJson(signal: AbortSignal): Promise<Json>;
  /** What admins see of it all. */
  statusJson(): Json;
}

/** How often the disk is looked at: where there is a budget, and where it is only measured. */
const LOOK_MS = 10_000;
const MEASURE_MS = 60_000;
/** Before work goes on that met a full disk. */
const RESUME_AFTER_MS = 1000;
/** Work rests as long as it worked, so that clients have at least half of the disk. */
const REST_SHARE = 1;

/** Wires upkeep and reads where an earlier process was; nothing runs before `startLoops`. */
export async function createUpkeep(
  deps: UpkeepDeps,
  config: Pick<StorageNodeConfig, 'scrub' | 'storage'>,
): Promise<Upkeep> {
  const { log, segments, kv, files, keeper, isReading, rng, clock, logger } = deps;
  const metrics = createUpkeepMetrics(deps.metrics);
  const rest = (busyMs: number, signal: AbortSignal): Promise<void> =>
    clock.sleep(busyMs * REST_SHARE, signal);
  const stores = { log, segments, kv, rest, clock, logger };
  const reclaimer = new SpaceReclaimer({ ...stores, files, metrics });
  const pruner = await Pruner.open({ ...stores, reclaimer });
  const { lookAtPayments, isPromised } = deps;
  const expired = await ExpiredPruner.open(
    { ...stores, reclaimer, look: lookAtPayments, isPromised, metrics },
    { afterSeconds: config.storage.pruneExpiredSeconds },
  );
  const indexBytes = (): Promise<number> => kv.sizeBytes();
  const sealedBytes = (): Promise<number> =>
    occupiedBytes(join(deps.dataDirectory, SEALED_DIRECTORY));
  const { name, budget: shared } = deps;
  const budget = new DiskBudget({
    ...{ name, shared, files, indexBytes, sealedBytes, keeper, rng, logger },
  });
  const scrubber = await Scrubber.open(
    { segments, log, checkSealed: deps.checkSealed, kv, isReading, clock, logger, metrics },
    config.scrub,
  );
  const bell = new Bell();
  const space = new SpaceWork({ ...deps, metrics, bell, budget, pruner, expired, reclaimer, rest });
  const shardJson = (): Json => ({
    shard: formatShard(keeper.current),
    move: moveJson(keeper.move),
    fault: space.fault ?? null,
  });
  return {
    scrubber,
    budget,
    changeShard: async (to) => {
      const isBegun = await keeper.begin(to, 'admin');
      bell.ring();
      return isBegun;
    },
    prune: async (belowSector) => {
      await pruner.request(belowSector);
      bell.ring();
    },
    startLoops: (runner) => {
      runner.run('scrub', (signal) => scrubber.run(signal), { onFailure: 'restart' });
      runner.run('space', (signal) => space.run(signal), { onFailure: 'restart' });
    },
    shardJson,
    countsJson: async (signal) =>
      databaseCountsJson(
        await countDatabase({ log, kv, files, keeper }, deps.dataDirectory, signal),
      ),
    statusJson: () => ({
      scrub: scrubReportJson(scrubber.report),
      shard: shardJson(),
      prune: pruner.report,
      expired: expired.report,
      disk: { usedBytes: budget.usedBytes, maxBytes: shared.maxBytes },
    }),
  };
}

interface SpaceWorkDeps extends Omit<UpkeepDeps, 'metrics' | 'budget'> {
  readonly metrics: UpkeepMetrics;
  readonly bell: Bell;
  readonly budget: DiskBudget;
  readonly pruner: Pruner;
  readonly expired: ExpiredPruner;
  readonly reclaimer: SpaceReclaimer;
  readonly rest: (busyMs: number, signal: AbortSignal) => Promise<void>;
}

/** The loop that gives up what is no longer kept, one thing at a time. */
class SpaceWork {
  readonly #deps: SpaceWorkDeps;
  #fault: string | undefined;

  constructor(deps: SpaceWorkDeps) {
    this.#deps = deps;
  }

  /** Why it does not go on at the moment. */
  get fault(): string | undefined {
    return this.#fault;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, reclaimer } = this.#deps;
    let isFirst = true;
    while (!signal.aborted) {
      try {
        if (isFirst) await reclaimer.finish(signal);
        isFirst = false;
        await this.#work(signal);
        this.#fault = undefined;
      } catch (error) {
        if (signal.aborted || !isNoRoom(error)) throw error;
        this.#fault = describeError(error);
        logger.warn({ reason: this.#fault }, 'no room to make room, waiting');
        await clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { keeper, follower, pruner, expired, budget, metrics, bell, clock, onGivenUp } =
      this.#deps;
    const isDue = keeper.move !== undefined || pruner.isDue;
    metrics.spaceWork.set(isDue ? 1 : 0);
    if (keeper.move !== undefined) {
      follower.reconsiderPending(); // a smaller shard may have all it needs already
      await moveShard(this.#deps, signal);
      follower.reconsiderPending();
      onGivenUp();
    } else if (pruner.isDue) {
      await pruner.run(signal);
      onGivenUp();
    } else if (expired.isDue && (await expired.run(signal))) {
      onGivenUp();
    }
    await budget.look();
    metrics.usedBytes.set(budget.usedBytes);
    const half = budget.halfOfShard();
    if (half !== undefined) await keeper.begin(half, 'budget');
    else if (!isDue) await bell.wait(clock, budget.isBounded ? LOOK_MS : MEASURE_MS, signal);
  }
}
