import { HASH_BYTES } from '@cairn/commitments';
import {
  concatBytes,
  fromHex,
  type Hex,
  isHexOf,
  isRecord,
  type Json,
  type KeyValueStore,
  keccak256,
  parseJson,
  parseRoot,
  type Root,
  stringifyJson,
  toHex,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { decodeBase64, encodeBase64 } from '@cairn/wire-protocol';
import { SdkError } from './errors.ts';

/** Version of the record's form. Records of another version are put aside, not guessed at. */
const VERSION = 1;

/** One file of the log inside an upload: what hashing found out. */
export interface JournalledFile {
  readonly root: Root;
  /** Stored bytes: after encryption. */
  readonly sizeBytes: number;
  /** 32 bytes for each segment that holds data: the tree without reading the file again. */
  readonly segmentRoots: Uint8Array;
  readonly nodes: readonly { readonly height: number; readonly root: Uint8Array }[];
}

/**
 * What is worth remembering of an upload that was cut off.
 *
 * Kept under the caller's resume key, chain, contract and options; gone once the upload is done.
 * What was paid is not remembered here but in the sender's journal, under the payment's name.
 */
export interface UploadRecord {
  /** Bytes before encryption; another length means another file. */
  readonly plainBytes: number;
  /**
   * 32 bytes that all chance of the encryption is drawn from, so that it gives the same bytes
   * again. For recipients it is as secret as the file: keep the journal as private as that.
   */
  readonly seed?: Uint8Array;
  readonly files: readonly JournalledFile[];
}

/** Upload records in a store that survives a crash. */
export interface UploadJournal {
  /** @throws {SdkError} SDK_JOURNAL if the record cannot be read */
  get(key: string): Promise<UploadRecord | undefined>;
  /** Resolves once the record is durable. */
  put(key: string, record: UploadRecord): Promise<void>;
  delete(key: string): Promise<void>;
}

/** Keeps upload records in `store` under `upload/` and the hash of their key. */
export function uploadJournal(store: KeyValueStore): UploadJournal {
  return {
    async get(key) {
      const bytes = await store.get(storeKey(key));
      return bytes === undefined ? undefined : parseRecord(bytes, key);
    },
    async put(key, record) {
      const value = utf8Bytes(stringifyJson(recordJson(record)));
      await store.write([{ type: 'put', key: storeKey(key), value }], { sync: true });
    },
    async delete(key) {
      await store.write([{ type: 'delete', key: storeKey(key) }], { sync: true });
    },
  };
}

function storeKey(key: string): Uint8Array {
  return concatBytes(utf8Bytes('upload/'), keccak256(utf8Bytes(key)));
}

function recordJson({ plainBytes, seed, files }: UploadRecord): Json {
  return {
    version: VERSION,
    plainBytes,
    seed: seed === undefined ? undefined : toHex(seed),
    files: files.map((file) => ({
      root: file.root,
      sizeBytes: file.sizeBytes,
      segmentRoots: encodeBase64(file.segmentRoots),
      nodes: file.nodes.map(({ height, root }) => [height, toHex(root)]),
    })),
  };
}

function parseRecord(bytes: Uint8Array, key: string): UploadRecord {
  const refuse = (reason: string, cause?: unknown): SdkError =>
    new SdkError(
      { code: 'SDK_JOURNAL', key, reason },
      `the journal's record of an upload cannot be read: ${reason}`,
      cause === undefined ? {} : { cause },
    );
  const natural = (value: unknown, what: string): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw refuse(`${what} is no number`);
  };
  const list = (value: unknown, what: string): readonly unknown[] => {
    if (Array.isArray(value)) return value;
    throw refuse(`${what} is no list`);
  };
  const hash = (value: unknown, what: string): Hex => {
    if (isHexOf(value, HASH_BYTES)) return value;
    throw refuse(`${what} is no hash`);
  };
  let value: unknown;
  try {
    value = parseJson(utf8Text(bytes));
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  if (!isRecord(value)) throw refuse('it is not an object');
  if (value['version'] !== VERSION) throw refuse(`its version is not ${VERSION}`);
  const fileOf = (item: unknown): JournalledFile => {
    if (!isRecord(item)) throw refuse('a file is not an object');
    const { segmentRoots } = item;
    if (typeof segmentRoots !== 'string') throw refuse('segmentRoots is no text');
    return {
      root: parseRoot(hash(item['root'], 'root')),
      sizeBytes: natural(item['sizeBytes'], 'sizeBytes'),
      segmentRoots: decodeBase64(segmentRoots),
      nodes: list(item['nodes'], 'nodes').map((node) => {
        const [height, root] = list(node, 'a node');
        return { height: natural(height, 'height'), root: fromHex(hash(root, 'root')) };
      }),
    };
  };
  const { seed } = value;
  return {
    plainBytes: natural(value['plainBytes'], 'plainBytes'),
    ...(seed === undefined ? {} : { seed: fromHex(hash(seed, 'seed')) }),
    files: list(value['files'], 'files').map(fileOf),
  };
}
