import type { FileSource } from '@cairn/log-layer';
import type { Address, ChainId, Hex, Root, Sequence } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { AvailabilityScore } from './availability.ts';
import type { CostQuote } from './cost.ts';
import type { DirectoryChange, DirectoryEntry, DirectoryItem } from './directories.ts';
import type { ExtendOptions, FileEconomics, RenewalReceipt } from './economics.ts';
import type { Decryption, Encryption } from './encryption/keys.ts';
import type { KvClient } from './kv/kv-options.ts';
import type { ProveRequest } from './prove-availability.ts';
import type { PutDirectoryOptions, PutEvent, PutOptions } from './put-options.ts';
import type { Placement } from './shards/placement.ts';

/** What can be stored: bytes in memory, a `Blob` or `File` of the browser, or any file source. */
export type FileInput = Uint8Array | Blob | FileSource;

/**
 * Which stored file: its root, its place in the log, or the ordered roots of its fragments.
 *
 * A root says what the bytes are but not how many trailing zero bytes there are; a sequence says
 * both. A client that knows several consensus shards looks in all their logs unless `shard` names one; a sequence
 * alone is a place in one log, so there it needs `shard`.
 */
export type FileReference =
  | string
  | { readonly root: string; readonly sequence?: number; readonly shard?: number }
  | { readonly sequence: number; readonly shard?: number }
  | { readonly roots: readonly string[]; readonly shard?: number };

/** Part of a file, in bytes from its start. */
export interface ByteRange {
  readonly offset: number;
  /** To the end of the file unless told; cut at the end of the file. */
  readonly length?: number;
}

/** Who keeps how much of a file. */
export interface HolderReceipt {
  readonly url: string;
  readonly shard: ShardConfig;
  /** Segments of the file this holder keeps. */
  readonly segments: number;
}

/** One file of the log that an upload stored. */
export interface FileReceipt {
  readonly root: Root;
  readonly sequence: Sequence;
  readonly chainId: ChainId;
  readonly flow: Address;
  /** The consensus shard, by its number at the hub, where the client knows of several. */
  readonly shard?: number;
  readonly sizeBytes: number;
  /** Absent where nothing had to be paid. */
  readonly transactionHash?: Hex;
  /** This file's part of the storage fee; absent where nothing had to be paid. */
  readonly feeWei?: bigint;
  /** Whether every holder below has all it keeps. */
  readonly finalised: boolean;
  readonly holders: readonly HolderReceipt[];
}

/**
 * What an upload stored, and where.
 *
 * `root` names the whole: the file itself, or, for a file cut into fragments, a manifest that
 * lists them under the name it was given (read it with `path`).
 */
export interface PutReceipt extends FileReceipt {
  /** The stored bytes before encryption. */
  readonly plainBytes: number;
  /** In order; one unless the file was cut. */
  readonly fragments: readonly FileReceipt[];
  readonly encryption?: Encryption['kind'];
  /** Why it is on this consensus shard, where there was a choice. */
  readonly placement?: Placement;
}

export interface GetOptions {
  readonly range?: ByteRange;
  /** A file inside the directory that the reference names. */
  readonly path?: string;
  readonly decryption?: Decryption;
  /** Segments fetched ahead of the reader; 16 unless told, taken as 1 to 256. */
  readonly parallel?: number;
  readonly signal?: AbortSignal;
}

/** Something a holder said that its own proof contradicts. */
export interface HolderEvidence {
  readonly url: string;
  readonly root: Root;
  /** The segment that was wrong; absent when the file's description was. */
  readonly index?: number;
  /** The fault's code, for instance `PROOF_WRONG_ROOT`. */
  readonly code: string;
  readonly reason: string;
}

/** A stored file that was found and can be read; every byte it gives has been proven. */
export interface StoredFile extends FileSource {
  /** Absent for fragments read as one. */
  readonly root?: Root;
  readonly sequence?: Sequence;
  /** The consensus shard it is read from, where the client knows of several. */
  readonly shard?: number;
  readonly roots: readonly Root[];
  /** What holders were caught at while this file was read. */
  readonly evidence: readonly HolderEvidence[];
}

/** What the network says about a file. */
export interface FileStat {
  readonly root: Root;
  readonly sequence: Sequence;
  readonly chainId: ChainId;
  /** The consensus shard in whose log it was found, where the client knows of several. */
  readonly shard?: number;
  readonly sizeBytes: number;
  readonly startSector: number;
  /** Segments that hold data. */
  readonly segments: number;
  /** Whether the holders together have every segment and say that it is final. */
  readonly finalised: boolean;
  /** How many full copies the holders below make up. */
  readonly replicas: number;
  /** Nodes that have all their shard keeps and keep the segment that fewest of them do. */
  readonly leastReplicas: number;
  /** The same for the segment that most of them keep. */
  readonly mostReplicas: number;
  readonly holders: readonly FileHolder[];
}

/** What one holder says about a file. */
export interface FileHolder {
  readonly url: string;
  readonly shard: ShardConfig;
  readonly sequence: Sequence;
  readonly finalised: boolean;
  /** Segments its shard keeps. */
  readonly ownedSegments: number;
  /** Segments it has; absent where the node does not tell (plain 0G nodes). */
  readonly heldSegments?: number;
}

/** A file's identity, computed without a network. */
export interface FileIdentity {
  readonly root: Root;
  readonly sizeBytes: number;
  readonly segments: number;
  /** What the log charges for. */
  readonly paddedSectors: number;
  /** The roots of the fragments, one unless the file was cut. */
  readonly roots: readonly Root[];
}

export interface DirectoryReceipt {
  /** The manifest's root: the directory's name. */
  readonly root: Root;
  readonly manifest: PutReceipt;
  readonly files: number;
  readonly totalBytes: number;
  /** What was paid for storage, over all transactions. */
  readonly feeWei: bigint;
}

export interface LsOptions {
  readonly path?: string;
  /** Everything below, not only the next level. */
  readonly recursive?: boolean;
  readonly decryption?: Decryption;
  readonly signal?: AbortSignal;
}

export interface RootOptions {
  readonly fragmentBytes?: number;
  readonly onProgress?: (event: PutEvent) => void;
  readonly signal?: AbortSignal;
}

/** Files on the network. Everything read is verified; everything written can be run again. */
export interface FilesClient {
  /**
   * Stores a file and waits until its holders have it.
   *
   * Safe to run again at any point: what is paid is not paid again, what is held is not sent again.
   *
   * @throws {SdkError} SDK_EMPTY_FILE, SDK_NO_PAYER, SDK_DECLINED, SDK_NOT_ENOUGH_HOLDERS,
   * SDK_WRONG_NETWORK, SDK_NO_SHARD, SDK_NOT_FINAL, SDK_SOURCE_CHANGED, SDK_KEY_FORM, SDK_OPTION, SDK_JOURNAL,
   * and what the source, the chain or the network throws
   */
  put(input: FileInput, options?: PutOptions): Promise<PutReceipt>;
  /**
   * The file's bytes, each proven against the root before it is handed on.
   *
   * @throws {SdkError} SDK_FILE_NOT_FOUND, SDK_SEGMENT_UNAVAILABLE, SDK_SIZE_DISPUTED,
   * SDK_RANGE, SDK_OPTION; with `decryption` SDK_NOT_ENCRYPTED, SDK_KEY_MISSING, SDK_KEY_FORM,
   * SDK_WRONG_KEY, SDK_SEAL_BROKEN; with `path` SDK_PATH_NOT_FOUND, SDK_PATH_KIND, SDK_PATH_UNSAFE
   * and as `ls`. {IdError} for a reference of the wrong form
   */
  get(file: FileReference, options?: GetOptions): AsyncIterable<Uint8Array>;
  /** Finds a file for repeated or random reads. @throws as `get` */
  open(file: FileReference, options?: Omit<GetOptions, 'range'>): Promise<StoredFile>;
  /** The whole file in memory. @throws {SdkError} SDK_TOO_LARGE beyond `maxBytes`; as `get` */
  getBytes(
    file: FileReference,
    options?: GetOptions & { readonly maxBytes?: number },
  ): Promise<Uint8Array>;
  /**
   * What the holders say of one file of the log; `undefined` if none knows it.
   *
   * @throws {SdkError} SDK_OPTION for the roots of several fragments, SDK_FILE_NOT_FOUND if no node
   * answered at all, SDK_SIZE_DISPUTED
   */
  stat(
    file: FileReference,
    options?: { readonly signal?: AbortSignal },
  ): Promise<FileStat | undefined>;
  /**
   * Asks nodes for random sectors of one file of the log and proves each answer under its root.
   *
   * @throws {SdkError} SDK_OPTION for a count out of bounds or the roots of several fragments,
   * SDK_FILE_NOT_FOUND, SDK_SIZE_DISPUTED
   */
  proveAvailability(
    file: FileReference,
    options?: ProveRequest & { readonly signal?: AbortSignal },
  ): Promise<AvailabilityScore>;
  /**
   * What one file of the log costs, until when it is paid for, and who proved it last.
   *
   * @throws {SdkError} SDK_OPTION without a chain, with one whose contracts know no renewals, or for
   * the roots of several fragments; SDK_FILE_NOT_FOUND, SDK_SIZE_DISPUTED; what the chain throws
   */
  economics(
    file: FileReference,
    options?: { readonly signal?: AbortSignal },
  ): Promise<FileEconomics>;
  /**
   * Pays for one file of the log for some terms more. Anyone may, for any file.
   *
   * @throws {SdkError} SDK_NO_PAYER, SDK_DECLINED; as `economics`
   */
  extend(
    file: FileReference,
    options?: ExtendOptions & { readonly signal?: AbortSignal },
  ): Promise<RenewalReceipt>;
  /** A file's root, computed here. @throws {SdkError} SDK_EMPTY_FILE */
  root(input: FileInput, options?: RootOptions): Promise<FileIdentity>;
  /**
   * What storing so many bytes costs, before anything is read or paid.
   *
   * @throws {SdkError} SDK_EMPTY_FILE, SDK_OPTION without a chain, SDK_WRONG_NETWORK; what the chain
   * throws
   */
  quote(
    input: FileInput | number,
    options?: {
      readonly fragmentBytes?: number;
      readonly encryption?: Encryption['kind'];
      /** As in `PutOptions`: part of what a file that will be cut stores. */
      readonly name?: string;
      readonly tags?: Uint8Array;
      /** As in `PutOptions`; the quote says how it was chosen. */
      readonly shard?: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<CostQuote>;
  /**
   * Entries of a stored directory.
   *
   * @throws {SdkError} SDK_PATH_NOT_FOUND, SDK_PATH_UNSAFE, SDK_TOO_LARGE beyond 32 MiB of manifest;
   * {WireError} WIRE_MAGIC and others if the file is no manifest; as `get`
   */
  ls(root: string, options?: LsOptions): Promise<readonly DirectoryEntry[]>;
  /** Stores a directory: its files first, its manifest last. @throws as `put` */
  putDirectory(
    items: Iterable<DirectoryItem> | AsyncIterable<DirectoryItem>,
    options?: PutDirectoryOptions,
  ): Promise<DirectoryReceipt>;
  /** What differs between two stored directories. @throws as `ls` */
  diff(
    before: string,
    after: string,
    options?: { readonly decryption?: Decryption; readonly signal?: AbortSignal },
  ): Promise<readonly DirectoryChange[]>;
}

/** A connection to one network. */
export interface Client {
  readonly files: FilesClient;
  /** Keys and values; its calls throw SDK_OPTION where the client was made without `kv`. */
  readonly kv: KvClient;
  /** Closes idle connections and threads the client opened; what was passed in stays open. */
  close(): Promise<void>;
}
