import { join } from 'node:path';
import type { Hasher } from '@cairn/commitments';
import { Generations } from '@cairn/kv-layer';
import { LogStore } from '@cairn/log-layer';
import { acquireDirectoryLock, openDataDirectory } from '@cairn/node-runtime/files';
import { openLevelStore } from '@cairn/node-runtime/level';
import {
  type ChainLog,
  describeError,
  type Hex,
  isFault,
  type KeyValueStore,
  type Logger,
  MIB,
} from '@cairn/primitives';
import type { KvNodeConfig } from './config.ts';
import { KvNodeError } from './errors.ts';
import { setAsideDamaged } from './set-aside-damaged.ts';
import { StreamSet } from './streams/stream-set.ts';
import { ValueFiles } from './value-files.ts';
import { VERSION } from './version.ts';

/** Layout of the data directory that this build reads and writes. */
const FORMAT = 1;
/** Memory for blocks of the state's index. */
const STATE_CACHE_BYTES: number = 64 * MIB;
/** A group of replay writes some 10 MiB: fewer tables, each of several groups, are merged less often. */
const STATE_WRITE_BUFFER_BYTES: number = 32 * MIB;

/** What opening works with. */
export interface StoresDeps {
  readonly hasher: Hasher;
  readonly logger: Logger;
  /** Notes something opened, to be closed in reverse order. */
  readonly opened: (close: () => Promise<void>) => void;
}

/** The stores of a node. */
export interface Stores {
  readonly log: LogStore;
  /** The log's records and this package's own. */
  readonly index: KeyValueStore;
  readonly generations: Generations;
  readonly streams: StreamSet;
  /** What was found damaged and set aside, in a sentence; `undefined` if nothing was. */
  readonly rebuilt: string | undefined;
}

/**
 * Takes the data directory and opens what is in it: `LOCK.<n>`, `FORMAT` and `VERSION` say whose it
 * is, `index/` holds the log and what was learnt about it, `state/` the streams, `values/` their long
 * values, `spool/` large files on their way, `streams.json` the streams that were added. An index that is not
 * what was written to it is set aside as `*.damaged`, and what it held begins anew.
 *
 * @throws {StorageError} DIRECTORY_LOCKED, WRONG_CHAIN, WRONG_DIRECTORY_KIND, FORMAT_NEWER, …;
 * {LevelError}; {LogError}; {StateError}; {KvNodeError} KV_IDENTITY for another log contract
 */
export async function openStores(
  { hasher, logger, opened }: StoresDeps,
  config: KvNodeConfig,
  {
    chainId,
    flow,
    keys,
  }: Pick<ChainLog, 'chainId' | 'flow'> & {
    /** Of the keys that batches are decrypted with. */
    readonly keys: Hex | undefined;
  },
  { signal }: { readonly signal: AbortSignal },
): Promise<Stores> {
  const directory = config.node.dataDirectory;
  const lock = await acquireDirectoryLock(directory);
  opened(() => lock.release());
  await openDataDirectory({
    directory,
    kind: 'kv-node',
    chainId,
    format: FORMAT,
    version: VERSION,
  });
  const rebuilt = await setAsideDamaged(directory, { logger, signal });
  const index = await openLevelStore({ directory: join(directory, 'index') });
  opened(() => index.close());
  const log = await openLog(index, { chainId, flow, directory, hasher }, signal);
  const state = await openLevelStore({
    directory: join(directory, 'state'),
    cacheBytes: STATE_CACHE_BYTES,
    writeBufferBytes: STATE_WRITE_BUFFER_BYTES,
  });
  opened(() => state.close());
  const values = new ValueFiles(join(directory, 'values'), { logger });
  opened(() => values.close());
  const { ids, limit } = config.streams;
  const streams = await StreamSet.open(index, {
    configured: ids,
    limit,
    copy: join(directory, 'streams.json'),
  });
  const generations = await Generations.open(
    {
      kv: state,
      hasher,
      openValues: (generation) => values.open(generation),
      dropValues: (generation) => values.drop(generation),
    },
    {
      chainId,
      flow,
      streams: streams.wanted,
      senders: config.chain.senders,
      ...(keys === undefined ? {} : { keys }),
    },
    { signal },
  );
  return { log, index, generations, streams, rebuilt };
}

async function openLog(
  kv: KeyValueStore,
  {
    directory,
    hasher,
    ...identity
  }: Pick<ChainLog, 'chainId' | 'flow'> & { readonly directory: string; readonly hasher: Hasher },
  signal: AbortSignal,
): Promise<LogStore> {
  try {
    return await LogStore.open(kv, identity, { hasher, signal });
  } catch (error) {
    if (!isFault(error, 'LOG_STORE_WRONG_CHAIN')) throw error;
    throw new KvNodeError(
      { code: 'KV_IDENTITY', expected: identity.flow, actual: describeError(error) },
      `${directory} holds another log: ${error.message}; use another data_dir`,
      { cause: error },
    );
  }
}
