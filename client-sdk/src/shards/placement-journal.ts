import {
  concatBytes,
  isRecord,
  type KeyValueStore,
  keccak256,
  parseJson,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { SdkError } from '../errors.ts';

/** Version of the record's form. */
const VERSION = 1;

/**
 * Which consensus shard an upload began to pay on: run again, it goes on there, whatever the prices are by then.
 *
 * Written, synced, before the first payment; gone once the upload is done.
 */
export interface PlacementJournal {
  /** The shard's number at the hub. @throws {SdkError} SDK_JOURNAL */
  get(key: string): Promise<number | undefined>;
  put(key: string, shard: number): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Keeps placements in `store` under `placed/` and the hash of their key. */
export function placementJournal(store: KeyValueStore): PlacementJournal {
  return {
    async get(key) {
      const bytes = await store.get(storeKey(key));
      return bytes === undefined ? undefined : parseShard(bytes, key);
    },
    async put(key, shard) {
      const value = utf8Bytes(JSON.stringify({ version: VERSION, shard }));
      await store.write([{ type: 'put', key: storeKey(key), value }], { sync: true });
    },
    async delete(key) {
      await store.write([{ type: 'delete', key: storeKey(key) }], { sync: true });
    },
  };
}

function storeKey(key: string): Uint8Array {
  return concatBytes(utf8Bytes('placed/'), keccak256(utf8Bytes(key)));
}

/** A record that cannot be read is no reason to pay elsewhere. */
function parseShard(bytes: Uint8Array, key: string): number {
  let value: unknown;
  try {
    value = parseJson(utf8Text(bytes));
  } catch (error) {
    throw unreadable(key, 'it is not JSON', error);
  }
  if (!isRecord(value) || value['version'] !== VERSION) {
    throw unreadable(key, `its version is not ${VERSION}`);
  }
  const { shard } = value;
  if (typeof shard === 'number' && Number.isSafeInteger(shard) && shard >= 0) return shard;
  throw unreadable(key, 'it names no shard');
}

function unreadable(key: string, reason: string, cause?: unknown): SdkError {
  return new SdkError(
    { code: 'SDK_JOURNAL', key, reason },
    `the journal's record of where an upload began cannot be read: ${reason}; name the shard`,
    cause === undefined ? {} : { cause },
  );
}
