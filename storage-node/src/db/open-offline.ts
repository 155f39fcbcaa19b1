import { join } from 'node:path';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { createLogMetrics, Finaliser, type LogEntry } from '@cairn/log-layer';
import { openFlatFileStore, readDataDirectory } from '@cairn/node-runtime/files';
import {
  type Clock,
  chainIdOf,
  type Logger,
  MAX_CONCURRENT_WRITES,
  MAX_QUEUED_WRITES,
  noMetrics,
  systemClock,
} from '@cairn/primitives';
import { StorageNodeError } from '../errors.ts';
import { MINER_KEY } from '../keyspace.ts';
import { SealedStore } from '../mining/sealed-store.ts';
import { SEALED_FILE_BYTES } from '../mining/worker-tasks.ts';
import { openStores, SEALED_DIRECTORY, type Stores } from '../open-stores.ts';
import { createUpkeepMetrics } from '../upkeep/metrics.ts';
import { moveShard } from '../upkeep/move-shard.ts';
import { Pruner } from '../upkeep/prune.ts';
import { SpaceReclaimer } from '../upkeep/reclaim-space.ts';

/** A node's stores with what works on them, and nothing that listens or follows a chain. */
export interface OfflineStores extends Stores {
  readonly directory: string;
  readonly hasher: Hasher;
  readonly finaliser: Finaliser;
  /** Brings a change of the shard, a pruning and files that were being made anew to their ends. */
  finishWork(signal: AbortSignal): Promise<void>;
  /** Gives up files that end at or before a sector of the flow, to the end. */
  prune(belowSector: number, signal: AbortSignal): Promise<void>;
  /** Sealed copies, opened when first asked for; `undefined` where nothing was ever mined. */
  openSealed(signal: AbortSignal): Promise<SealedStore | undefined>;
  /** Entries that lost a segment to damage since the stores were opened, by sequence. */
  readonly damaged: ReadonlySet<number>;
  close(): Promise<void>;
}

/** What opening takes besides the directory; whatever is left out is the real thing. */
export interface OpenOfflineOptions {
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly signal: AbortSignal;
}

/**
 * Takes a data directory that no node runs on, and opens what is in it.
 *
 * @throws {StorageError} DIRECTORY_LOCKED where one runs; {StorageNodeError} DB_NOT_FOUND; as
 * `openStores`
 */
export async function openOffline(
  directory: string,
  { logger, clock = systemClock(), signal }: OpenOfflineOptions,
): Promise<OfflineStores> {
  const found = await readDataDirectory(directory);
  if (found === undefined) {
    throw new StorageNodeError(
      { code: 'DB_NOT_FOUND', directory },
      `${directory} is no data directory of a node`,
    );
  }
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  const damaged = new Set<number>();
  let sealed: Promise<SealedStore | undefined> | undefined;
  const metrics = createLogMetrics(noMetrics());
  const hasher = await loadHasher();
  try {
    const stores = await openStores(
      { hasher, clock, logger, metrics, opened: (closer) => closers.push(closer) },
      {
        directory,
        chainId: chainIdOf(found.chainId),
        flow: undefined,
        shard: { id: 0, count: 1 },
        concurrentWrites: MAX_CONCURRENT_WRITES,
        queuedWrites: MAX_QUEUED_WRITES,
        onDamaged: ({ sequence }: LogEntry) => damaged.add(sequence),
      },
      { signal },
    );
    const { log, segments, kv, files, keeper } = stores;
    const rest = async (): Promise<void> => undefined; // nobody else is served
    const upkeepMetrics = createUpkeepMetrics(noMetrics());
    const reclaimer = new SpaceReclaimer({
      segments,
      files,
      rest,
      clock,
      logger,
      metrics: upkeepMetrics,
    });
    const work = { keeper, log, segments, reclaimer, rest, clock, logger };
    const pruner = await Pruner.open({ ...work, kv });
    return {
      ...stores,
      directory,
      hasher,
      finaliser: new Finaliser({
        log,
        segments,
        hasher,
        logger,
        metrics,
        shard: () => keeper.required,
      }),
      finishWork: async (inner) => {
        await reclaimer.finish(inner);
        await moveShard(work, inner);
        await pruner.run(inner);
      },
      prune: async (belowSector, inner) => {
        await pruner.request(belowSector);
        await pruner.run(inner);
      },
      openSealed: (inner) => {
        sealed ??= openSealed(stores, directory, (closer) => closers.push(closer), inner);
        return sealed;
      },
      damaged,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openSealed(
  { kv, keeper }: Pick<Stores, 'kv' | 'keeper'>,
  directory: string,
  opened: (close: () => Promise<void>) => void,
  signal: AbortSignal,
): Promise<SealedStore | undefined> {
  const minerId = await kv.get(MINER_KEY);
  if (minerId === undefined) return undefined;
  const files = await openFlatFileStore({
    directory: join(directory, SEALED_DIRECTORY),
    fileBytes: SEALED_FILE_BYTES,
  });
  opened(() => files.close());
  return SealedStore.open({ files, kv }, { minerId, shard: keeper.current }, signal);
}
