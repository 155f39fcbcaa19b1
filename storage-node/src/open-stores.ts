import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Hasher } from '@cairn/commitments';
import {
  type LogEntry,
  type LogMetrics,
  LogStore,
  readStoreIdentity,
  SegmentStore,
} from '@cairn/log-layer';
import {
  acquireDirectoryLock,
  type FlatFileStore,
  openDataDirectory,
  openFlatFileStore,
} from '@cairn/node-runtime/files';
import { type LevelStore, openLevelStore } from '@cairn/node-runtime/level';
import {
  type Address,
  type ChainId,
  type Clock,
  isFault,
  type KeyValueStore,
  type Logger,
} from '@cairn/primitives';
import { formatShard, type ShardConfig } from '@cairn/wire-protocol';
import { StorageNodeError } from './errors.ts';
import { ReopeningFileStore } from './reopening-file-store.ts';
import { ShardKeeper } from './upkeep/shard-keeper.ts';
import { VERSION } from './version.ts';

/** Layout of the data directory that this build reads and writes. */
const FORMAT = 1;

/** Name in the data directory of the folder with sealed copies. */
export const SEALED_DIRECTORY = 'sealed';

/** Whose data a directory holds. */
export interface StoresOptions {
  readonly directory: string;
  readonly chainId: ChainId;
  /** `undefined`: the log contract that the directory holds. */
  readonly flow: Address | undefined;
  /** Of a directory that has none yet; the stored one counts otherwise. */
  readonly shard: ShardConfig;
  readonly concurrentWrites: number;
  readonly queuedWrites: number;
  /** Told of an entry that lost a segment to damage. */
  readonly onDamaged: (entry: LogEntry) => void;
  /** Told of the first sector of everything that is stored. */
  readonly onStored?: (sector: number) => void;
}

/** What opening works with. */
export interface StoresDeps {
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
}

/** The stores of a node. */
export interface Stores {
  readonly log: LogStore;
  readonly segments: SegmentStore;
  /** The index that both keep their records in. */
  readonly kv: LevelStore;
  /** What the segment store writes to. */
  readonly files: ReopeningFileStore<FlatFileStore>;
  /** Which shard is kept. */
  readonly keeper: ShardKeeper;
}

/**
 * Takes the data directory and opens what is in it: `LOCK.<n>`, `FORMAT` and `VERSION` say whose it
 * is, `index/` holds the log and the records of segments, `segments/` their bytes.
 *
 * @throws {StorageError} DIRECTORY_LOCKED, WRONG_CHAIN, WRONG_DIRECTORY_KIND, FORMAT_NEWER, …;
 * {LevelError}; {LogError}; {StorageNodeError} NODE_IDENTITY for another log contract
 */
export async function openStores(
  deps: StoresDeps,
  options: StoresOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<Stores> {
  const { hasher, clock, logger, metrics, opened } = deps;
  const { directory, chainId } = options;
  const lock = await acquireDirectoryLock(directory);
  opened(() => lock.release());
  await openDataDirectory({
    directory,
    kind: 'storage-node',
    chainId,
    format: FORMAT,
    version: VERSION,
  });
  const kv = await openLevelStore({ directory: join(directory, 'index') });
  opened(() => kv.close());
  const files = await ReopeningFileStore.open({
    open: () => openFlatFileStore({ directory: join(directory, 'segments') }),
    clock,
    logger,
  });
  opened(() => files.close());
  const flow = options.flow ?? (await readStoreIdentity(kv))?.flow ?? refuseEmpty(directory);
  const log = await openLog(kv, { chainId, flow, directory, hasher }, signal);
  const keeper = await ShardKeeper.open(kv, options.shard);
  tellShard(keeper, options.shard, logger);
  const segments = await SegmentStore.open(
    { files, kv, log, hasher, logger, metrics },
    {
      checksum: (bytes) => crc32(bytes),
      maxWrites: options.concurrentWrites,
      maxQueuedWrites: options.queuedWrites,
      onDamaged: options.onDamaged,
      ...(options.onStored === undefined ? {} : { onStored: options.onStored }),
    },
    { signal },
  );
  opened(() => segments.close());
  return { log, segments, kv, files, keeper };
}

/** @throws {StorageNodeError} NODE_IDENTITY, always */
function refuseEmpty(directory: string): never {
  throw new StorageNodeError(
    { code: 'NODE_IDENTITY', field: 'flow', expected: 'a log', actual: 'none' },
    `${directory} holds no log yet: run the node once`,
  );
}

async function openLog(
  kv: KeyValueStore,
  {
    chainId,
    flow,
    directory,
    hasher,
  }: {
    readonly chainId: ChainId;
    readonly flow: Address;
    readonly directory: string;
    readonly hasher: Hasher;
  },
  signal: AbortSignal,
): Promise<LogStore> {
  try {
    return await LogStore.open(kv, { chainId, flow }, { hasher, signal });
  } catch (error) {
    if (!isFault(error, 'LOG_STORE_WRONG_CHAIN')) throw error;
    throw new StorageNodeError(
      { code: 'NODE_IDENTITY', field: 'flow', expected: flow, actual: error.message },
      `${directory} holds another log: ${error.message}; use another data_dir`,
      { cause: error },
    );
  }
}

/** The setting only decides what a new directory begins with; whoever changed it should know. */
function tellShard({ current, move }: ShardKeeper, configured: ShardConfig, logger: Logger): void {
  const facts = { shard: formatShard(current), configured: formatShard(configured) };
  if (facts.shard === facts.configured || move !== undefined) return;
  logger.warn(
    facts,
    'the stored shard counts, not the configured one; `cairn db migrate` changes it',
  );
}
