import { join } from 'node:path';
import { acquireDirectoryLock, openDataDirectory } from '@cairn/node-runtime/files';
import { openLevelStore } from '@cairn/node-runtime/level';
import {
  type Address,
  type ChainId,
  type KeyValueStore,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { NODE_KEYS } from './keyspace.ts';
import { DaNodeError } from './node-errors.ts';
import { VERSION } from './version.ts';

/** Layout of the data directory that this build reads and writes. */
const FORMAT = 1;

/** Whose data a directory holds. */
export interface DataOptions {
  readonly directory: string;
  readonly chainId: ChainId;
  readonly account: Address;
  readonly entrance: Address;
}

/** Notes something opened, to be closed in reverse order. */
export type Opened = (name: string, close: () => Promise<void>) => void;

/**
 * Takes the data directory: `LOCK.<n>`, `FORMAT` and `VERSION` say whose it is, `index/` holds what a
 * node knows of itself and its transactions. Roles keep theirs in folders of their names.
 *
 * @returns the index
 * @throws {StorageError} DIRECTORY_LOCKED, WRONG_CHAIN, WRONG_DIRECTORY_KIND, FORMAT_NEWER, …;
 *   {LevelError}; {DaNodeError} NODE_IDENTITY for another account or entrance
 */
export async function openData(
  { directory, chainId, account, entrance }: DataOptions,
  opened: Opened,
): Promise<KeyValueStore> {
  const lock = await acquireDirectoryLock(directory);
  opened('lock', () => lock.release());
  const owner = { kind: 'da-node', chainId, format: FORMAT, version: VERSION };
  await openDataDirectory({ directory, ...owner });
  const index = await openLevelStore({ directory: join(directory, 'index') });
  opened('index', () => index.close());
  await claim(index, { key: NODE_KEYS.account, field: 'account', wanted: account });
  await claim(index, { key: NODE_KEYS.entrance, field: 'entrance', wanted: entrance });
  return index;
}

/** One account's promises and transactions are counted in one place: it cannot become another's. */
async function claim(
  index: KeyValueStore,
  {
    key,
    field,
    wanted,
  }: { readonly key: Uint8Array; readonly field: string; readonly wanted: string },
): Promise<void> {
  const stored = await index.get(key);
  if (stored === undefined) {
    await index.write([{ type: 'put', key, value: utf8Bytes(wanted) }], { sync: true });
    return;
  }
  const held = utf8Text(stored);
  if (held === wanted) return;
  throw new DaNodeError(
    { code: 'NODE_IDENTITY', field, expected: wanted, actual: held },
    `the data directory belongs to the ${field} ${held}, but ${wanted} is configured; use another data_dir`,
  );
}
