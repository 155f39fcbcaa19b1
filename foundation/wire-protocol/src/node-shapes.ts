import {
  type Address,
  type ChainId,
  fromHex,
  type Hex,
  type Json,
  type Root,
  type Sequence,
  toHex,
} from '@cairn/primitives';
import {
  addressField,
  booleanField,
  chainIdField,
  fieldsOf,
  hexOf,
  listField,
  naturalField,
  refuseField,
  rootField,
  sequenceField,
  textField,
} from './check.ts';
import { WireError } from './errors.ts';
import { parseShardConfig, type ShardConfig } from './shard.ts';

/** Most entries of one root that a node lists. */
export const MAX_STAT_ENTRIES = 1000;
/** Longest tags, in bytes, that are passed on. */
export const MAX_TAGS_BYTES: number = 64 * 1024;

/** One log entry of a file, as a node knows it. */
export interface EntryStat {
  readonly sequence: Sequence;
  readonly sizeBytes: number;
  readonly startSector: number;
  readonly paddedSectors: number;
  readonly submitter: Address;
  readonly tags: Uint8Array;
  /** Number of the block that holds the entry. */
  readonly block: number;
  /** Whether the node holds all that its shard owns. */
  readonly finalized: boolean;
  readonly ownedSegments: number;
  readonly heldSegments: number;
  readonly pruned: boolean;
}

/** Reply of `GET /v1/entries/{root}`. */
export interface FileStat {
  readonly chainId: ChainId;
  readonly root: Root;
  /** By sequence, oldest first. */
  readonly entries: readonly EntryStat[];
}

/** Reply of `GET /v1/status`. */
export interface NodeStatus {
  readonly version: string;
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly shard: ShardConfig;
  /** Number of the newest block of the chain; `undefined` before it is known. */
  readonly head?: number;
  /** Whether the log is read up to the head. */
  readonly synced: boolean;
  readonly nextSequence: Sequence;
  /** The last block read. */
  readonly logSyncBlock?: { readonly number: number; readonly hash: Hex };
}

/** A file's stat as JSON. */
export function fileStatJson({ chainId, root, entries }: FileStat): Json {
  return {
    chainId,
    root,
    entries: entries.map((entry) => ({ ...entry, tags: toHex(entry.tags) })),
  };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG */
export function parseFileStat(value: unknown): FileStat {
  const fields = fieldsOf(value, 'file stat');
  return {
    chainId: chainIdField(fields, 'chainId', 'file stat'),
    root: rootField(fields, 'root', 'file stat'),
    entries: listField(fields, 'entries', 'file stat', MAX_STAT_ENTRIES, parseEntryStat),
  };
}

function parseEntryStat(value: unknown): EntryStat {
  const what = 'entry stat';
  const fields = fieldsOf(value, what);
  const tags = textField(fields, 'tags', what, 2 + MAX_TAGS_BYTES * 2);
  if (!/^0x([0-9a-fA-F]{2})*$/.test(tags)) refuseField(what, 'tags', 'hex', tags);
  return {
    sequence: sequenceField(fields, 'sequence', what),
    sizeBytes: naturalField(fields, 'sizeBytes', what, { min: 1 }),
    startSector: naturalField(fields, 'startSector', what),
    paddedSectors: naturalField(fields, 'paddedSectors', what, { min: 1 }),
    submitter: addressField(fields, 'submitter', what),
    tags: fromHex(tags),
    block: naturalField(fields, 'block', what),
    finalized: booleanField(fields, 'finalized', what),
    ownedSegments: naturalField(fields, 'ownedSegments', what),
    heldSegments: naturalField(fields, 'heldSegments', what),
    pruned: booleanField(fields, 'pruned', what),
  };
}

/** A node's status as JSON. */
export function nodeStatusJson(status: NodeStatus): Json {
  const { logSyncBlock, shard } = status;
  return {
    ...status,
    shard: { ...shard },
    logSyncBlock: logSyncBlock === undefined ? undefined : { ...logSyncBlock },
  };
}

/** @throws {WireError} WIRE_NOT_AN_OBJECT, WIRE_FIELD, WIRE_TOO_LONG, SHARD_INVALID */
export function parseNodeStatus(value: unknown): NodeStatus {
  const what = 'node status';
  const fields = fieldsOf(value, what);
  const shard = fieldsOf(fields['shard'], `${what}.shard`);
  const { head, logSyncBlock } = fields;
  return {
    version: textField(fields, 'version', what, 100),
    chainId: chainIdField(fields, 'chainId', what),
    flow: addressField(fields, 'flow', what),
    shard: parseShardConfig(naturalField(shard, 'id', what), naturalField(shard, 'count', what)),
    ...(head === undefined ? {} : { head: naturalField(fields, 'head', what) }),
    synced: booleanField(fields, 'synced', what),
    nextSequence: sequenceField(fields, 'nextSequence', what),
    ...(logSyncBlock === undefined ? {} : { logSyncBlock: parseBlock(logSyncBlock) }),
  };
}

function parseBlock(value: unknown): { readonly number: number; readonly hash: Hex } {
  const what = 'node status.logSyncBlock';
  const fields = fieldsOf(value, what);
  return {
    number: naturalField(fields, 'number', what),
    hash: hexOf(fields['hash'], 32, what, 'hash'),
  };
}

/** Which segments of a file a node holds: bit `i & 7` of byte `i >> 3` stands for segment i. */
export interface HeldBitmap {
  readonly segments: number;
  /** `⌈segments / 8⌉` bytes; bits beyond the last segment are zero. */
  readonly bits: Uint8Array;
}

/** @throws {WireError} WIRE_LENGTH, WIRE_FIELD if a bit beyond the last segment is set */
export function parseHeldBitmap(bytes: Uint8Array, segments: number): HeldBitmap {
  const expectedBytes = Math.ceil(segments / 8);
  if (bytes.length !== expectedBytes) {
    throw new WireError(
      { code: 'WIRE_LENGTH', what: 'bitmap', expectedBytes, actualBytes: bytes.length },
      `a bitmap of ${segments} segments has ${expectedBytes} bytes, not ${bytes.length}`,
    );
  }
  const spare = (bytes.at(-1) ?? 0) >> (((segments + 7) % 8) + 1);
  if (spare !== 0) refuseField('bitmap', 'bits', 'zero after the last segment', spare);
  return { segments, bits: bytes };
}

/** Whether segment `index` is held. */
export function isHeld({ bits }: HeldBitmap, index: number): boolean {
  return ((bits[Math.floor(index / 8)] ?? 0) & (1 << (index % 8))) !== 0;
}
