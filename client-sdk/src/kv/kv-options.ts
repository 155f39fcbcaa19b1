import type {
  BatchBuilder,
  KeyEvidence,
  RangeEvidence,
  RootContradiction,
  StreamId,
} from '@cairn/kv-layer';
import type { Address, Hex, Sequence } from '@cairn/primitives';
import type { Encryption } from '../encryption/keys.ts';
import type {
  KvChange,
  KvChangesOptions,
  KvEvent,
  KvFindOptions,
  KvHistoryOptions,
  KvWatchOptions,
} from './kv-feed-options.ts';

/** A key or a value: bytes, or text that is taken as UTF-8. */
export type KvBytes = Uint8Array | string;

/** How long a call may take. */
export interface KvCall {
  readonly signal?: AbortSignal;
}

/** Where a read looks. */
export interface KvReadOptions extends KvCall {
  /** The state after this log entry; the newest that is decided unless told. */
  readonly version?: number;
  /**
   * Waits until this log entry is decided, ten seconds at most: with the `sequence` of a write, whoever
   * reads sees that write or something newer.
   */
  readonly minSequence?: number;
  /**
   * Whether the answer is proven under a root that enough accounts vouch for: yes where the client was
   * made with `kvAttest`, which it takes. Said as `false` the node is believed.
   */
  readonly proof?: boolean;
}

/** How batches leave this machine. */
export interface KvWriteOptions {
  /**
   * Batches are encrypted as a whole: nodes that have the key replay them and answer in plain, others note
   * `DataParseError`. Which streams are written, and when, stays public. Official nodes know `zg-ctr` and
   * `zg-ecies`.
   */
  readonly encryption?: Encryption;
}

/** Whose word about state roots counts. */
export interface KvAttestOptions {
  /** Accounts of key-value nodes. */
  readonly keys: readonly string[];
  /** How many of them must say the same: at least 1. More than half of the keys leaves no two answers. */
  readonly threshold: number;
  /**
   * Told of statements that contradict those that agree, where enough agree all the same; it can be shown
   * to anybody (`verifyContradiction` of `@cairn/kv-layer`).
   */
  readonly onContradiction?: (evidence: RootContradiction) => void;
}

/** A value as of the version that was asked for. */
export interface KvValue {
  readonly value: Uint8Array;
  /** The log entry that wrote it. */
  readonly version: number;
}

/** A key with its value. */
export interface KvEntry extends KvValue {
  readonly key: Uint8Array;
}

/** Which keys of a stream; all unless told. Keys are compared as bytes, a prefix before what it begins. */
export interface KvSpan extends KvReadOptions {
  /** Keys that begin with this. */
  readonly prefix?: KvBytes;
  /** The first key. */
  readonly gte?: KvBytes;
  /** The key behind the last one. */
  readonly lt?: KvBytes;
}

/** Which keys of a stream, and how they are read. */
export interface KvRange extends KvSpan {
  /** From the last key to the first. */
  readonly reverse?: boolean;
  /** Keys at most. */
  readonly limit?: number;
  /** Whether values are left out: each entry has one of no byte. */
  readonly keysOnly?: boolean;
}

/** A batch that a node decided and applied. */
export interface KvCommit {
  /** The log entry that carries it: the version of every key it wrote. */
  readonly sequence: Sequence;
  /** Keys written, and deleted, and access controls, over all that went into one entry. */
  readonly writes: number;
}

/** Reads at one version, and writes that are applied together unless something that was read is newer. */
export interface KvUpdate {
  /** The version that everything is read at. */
  readonly version: number;
  /** @returns the value at `version`, with what this update has put meanwhile; `undefined` if there is none */
  get(stream: StreamId, key: KvBytes): Promise<Uint8Array | undefined>;
  put(stream: StreamId, key: KvBytes, value: KvBytes): void;
  delete(stream: StreamId, key: KvBytes): void;
}

/** How an update goes on after a conflict. */
export interface KvUpdateOptions extends KvCall {
  /** How often it is tried in all; 8 unless told. */
  readonly tries?: number;
}

/** Who may write to a stream. Each is decided by the network: it resolves with the batch's commit. */
export interface KvAccess {
  grantAdmin(account: Address, call?: KvCall): Promise<KvCommit>;
  renounceAdmin(call?: KvCall): Promise<KvCommit>;
  grantWriter(account: Address, call?: KvCall): Promise<KvCommit>;
  revokeWriter(account: Address, call?: KvCall): Promise<KvCommit>;
  renounceWriter(call?: KvCall): Promise<KvCommit>;
  /** Only administrators and the key's own writers write to it from now on. */
  setKeyToSpecial(key: KvBytes, call?: KvCall): Promise<KvCommit>;
  setKeyToNormal(key: KvBytes, call?: KvCall): Promise<KvCommit>;
  grantSpecialWriter(key: KvBytes, account: Address, call?: KvCall): Promise<KvCommit>;
  revokeSpecialWriter(key: KvBytes, account: Address, call?: KvCall): Promise<KvCommit>;
  renounceSpecialWriter(key: KvBytes, call?: KvCall): Promise<KvCommit>;
  isAdmin(account: Address, options?: KvReadOptions): Promise<boolean>;
  isWriter(account: Address, options?: KvReadOptions): Promise<boolean>;
  isSpecialKey(key: KvBytes, options?: KvReadOptions): Promise<boolean>;
  isSpecialWriter(account: Address, key: KvBytes, options?: KvReadOptions): Promise<boolean>;
  /** Whether a batch of this account that writes the key would be applied. */
  mayWrite(account: Address, key: KvBytes, options?: KvReadOptions): Promise<boolean>;
}

/**
 * One stream of keys and values.
 *
 * Writes resolve once a node has decided them, never earlier: what they resolve with is applied.
 * Those that are asked for while others are on their way share a log entry.
 */
export interface KvStream {
  readonly id: StreamId;
  /** Who may write. */
  readonly access: KvAccess;
  /**
   * A value; `undefined` if there is none.
   *
   * @throws {SdkError} SDK_KV_NODE; SDK_KV_UNDECIDED if `minSequence` does not come; with proof
   * SDK_KV_UNATTESTED, SDK_KV_CONTRADICTION, SDK_KV_UNPROVEN; what the node refuses with
   */
  get(key: KvBytes, options?: KvReadOptions): Promise<KvValue | undefined>;
  /**
   * What a key holds with all that somebody needs to check it who believes the accounts and nobody else:
   * for `verifyKeyEvidence` of `@cairn/kv-layer`, now or years later.
   *
   * @throws {SdkError} SDK_OPTION without `kvAttest`; as `get` with proof
   */
  prove(key: KvBytes, options?: KvReadOptions): Promise<KeyEvidence>;
  /**
   * The keys of a range, proven to be all of them: for `verifyRangeEvidence` of `@cairn/kv-layer`. One
   * proof, of 4,096 keys at most, deleted ones among them; `scan` has no such bound.
   *
   * @throws as `prove`
   */
  proveRange(range?: KvSpan): Promise<RangeEvidence>;
  /**
   * Writes a value whatever was there. Of several to one key that share a log entry the last counts.
   *
   * @throws {SdkError} SDK_OPTION for a value of no byte, which would delete; SDK_KV_REFUSED,
   * SDK_KV_UNDECIDED, SDK_KV_NOT_WATCHED; as `files.put`
   */
  put(key: KvBytes, value: KvBytes, call?: KvCall): Promise<KvCommit>;
  /** Deletes a key; older versions stay readable. @throws as `put` */
  delete(key: KvBytes, call?: KvCall): Promise<KvCommit>;
  /** Keys and values in order, all at one version. @throws as `get` */
  scan(range?: KvRange): AsyncIterable<KvEntry>;
  /**
   * Values of many keys at one version, in their order; `undefined` for those without one.
   *
   * @throws as `get`; {RpcError} of a node that is not Cairn's, which has no such question
   */
  getMany(
    keys: readonly KvBytes[],
    options?: KvReadOptions,
  ): Promise<readonly (KvValue | undefined)[]>;
  /**
   * The changes of the stream as they are decided, from any entry on and without a gap: where a
   * connection breaks off, the next one goes on behind the last event, at another node if need be. It
   * ends when `signal` aborts, with its reason, or when the consumer stops. Events are a node's word.
   *
   * @throws {SdkError} SDK_KV_NODE if no node answers for two minutes, or none at first; SDK_OPTION
   */
  watch(options?: KvWatchOptions): AsyncIterable<KvEvent>;
  /** Keys that changed after a log entry, deleted ones among them; a node's word. @throws as `getMany` */
  changes(options: KvChangesOptions): AsyncIterable<KvChange>;
  /** Versions of a key, newest first; a node's word. @throws as `getMany` */
  history(key: KvBytes, options?: KvHistoryOptions): Promise<readonly KvChange[]>;
  /**
   * Keys by a field of their JSON values, through an index that the stream declares (`indexKey` of
   * `@cairn/kv-layer`); a node's word. @throws as `getMany`
   */
  find(options: KvFindOptions): AsyncIterable<KvEntry>;
}

/** A state as a file. */
export interface KvSnapshot {
  /** The last log entry that it counts. */
  readonly version: number;
  /** Hash of the block that has this entry. */
  readonly block: Hex;
  readonly streams: readonly StreamId[];
  /** Who vouches for roots in it. */
  readonly signers: readonly Address[];
  /** The file, once. Broken off early: the chain took entries back, or the node stopped. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Keys and values on the network. */
export interface KvClient {
  /** @param id - 32 bytes as hex; see `deriveStreamId` of `@cairn/kv-layer` for ids that nobody meets by chance */
  stream(id: string, options?: KvWriteOptions): KvStream;
  /**
   * Reads and writes that are applied together, or tried again where another was first: `change` runs
   * again with what is there then.
   *
   * @throws {SdkError} SDK_KV_CONFLICT after the last try; as `put`; what `change` throws
   */
  update(
    change: (update: KvUpdate) => void | Promise<void>,
    options?: KvUpdateOptions & KvWriteOptions,
  ): Promise<KvCommit>;
  /**
   * Writes that are applied together or not at all, whatever was there, by a log entry of their own.
   *
   * @param build - puts, deletes, access controls; a stream that is only tagged becomes the account's own
   * @throws as `put`; what `build` throws
   */
  batch(build: (batch: BatchBuilder) => void, call?: KvCall & KvWriteOptions): Promise<KvCommit>;
  /** The next log entry that the node decides: everything before it is readable. */
  nextSequence(call?: KvCall): Promise<number>;
  /**
   * The newest state of all streams of a node as a file: stored in the log layer, another node begins
   * with it instead of the first entry (`bootstrap.file`). Enough accounts vouch in it for every root.
   *
   * @throws {SdkError} SDK_OPTION without `kvAttest`; SDK_KV_NODE; SDK_KV_UNATTESTED,
   * SDK_KV_CONTRADICTION
   */
  snapshot(call?: KvCall): Promise<KvSnapshot>;
  /** Streams that the node has. */
  streams(call?: KvCall): Promise<readonly StreamId[]>;
}
