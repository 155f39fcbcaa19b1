import type { RootContradiction, StreamId } from '@cairn/kv-layer';
import { type ChainId, Fault, type Root, type Sequence } from '@cairn/primitives';
import type { HolderEvidence } from './client.ts';
import type { ShardCandidate } from './shards/placement.ts';

/** What one holder answered when it was asked for something it did not give. */
export interface HolderFailure {
  readonly url: string;
  readonly code: string;
  readonly reason: string;
}

/** What asking one consensus shard for a file came to. */
export interface ShardLookup {
  /** Its number at the hub. */
  readonly shard: number;
  readonly chainId: ChainId;
  /** Nodes that were asked; 0 where none is known. */
  readonly asked: number;
  readonly failures: readonly HolderFailure[];
  readonly reason: string;
}

/** What can go wrong while storing and reading files. */
export type SdkFault =
  /** The client was made without something this call needs. */
  | { readonly code: 'SDK_OPTION'; readonly option: string }
  /** A file of zero bytes has no root; no network of this kind can store it. */
  | { readonly code: 'SDK_EMPTY_FILE' }
  /** The file has to be paid for and there is no signer. */
  | { readonly code: 'SDK_NO_PAYER'; readonly roots: readonly Root[] }
  /** `onQuote` returned false. */
  | { readonly code: 'SDK_DECLINED'; readonly totalWei: bigint }
  /** The nodes that answer do not keep every segment often enough. */
  | {
      readonly code: 'SDK_NOT_ENOUGH_HOLDERS';
      readonly replicas: number;
      readonly answered: number;
      readonly failures: readonly HolderFailure[];
    }
  /** Nodes and chain, or two nodes, belong to different networks. */
  | {
      readonly code: 'SDK_WRONG_NETWORK';
      readonly what: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** Stored and paid, but some holder does not say that it has everything yet. Run it again. */
  | {
      readonly code: 'SDK_NOT_FINAL';
      readonly root: Root;
      readonly waitedMs: number;
      readonly missing: readonly HolderFailure[];
    }
  /** A file changed while it was read. */
  | { readonly code: 'SDK_SOURCE_CHANGED'; readonly expected: string; readonly actual: string }
  | {
      readonly code: 'SDK_FILE_NOT_FOUND';
      readonly reference: string;
      readonly asked: number;
      readonly failures: readonly HolderFailure[];
      /** Each consensus shard that was asked, where the client knows of several. */
      readonly shards?: readonly ShardLookup[];
    }
  /** No consensus shard, or not the one that was named, can take the files now. */
  | { readonly code: 'SDK_NO_SHARD'; readonly shards: readonly ShardCandidate[] }
  /** No holder gave a segment that belongs to the file. */
  | {
      readonly code: 'SDK_SEGMENT_UNAVAILABLE';
      readonly root: Root;
      readonly index: number;
      readonly failures: readonly HolderFailure[];
      readonly evidence: readonly HolderEvidence[];
    }
  /** Holders disagree about the length of a file and no chain was given to settle it. */
  | {
      readonly code: 'SDK_SIZE_DISPUTED';
      readonly root: Root;
      readonly sizes: readonly { readonly sizeBytes: number; readonly holders: number }[];
    }
  | {
      readonly code: 'SDK_RANGE';
      readonly offset: number;
      readonly length: number;
      readonly sizeBytes: number;
    }
  | { readonly code: 'SDK_TOO_LARGE'; readonly sizeBytes: number; readonly maxBytes: number }
  /** A key of the wrong form. The key itself is in no message. */
  | { readonly code: 'SDK_KEY_FORM'; readonly expected: string; readonly lengthBytes: number }
  /** The file is encrypted in a way the given keys are not for. */
  | { readonly code: 'SDK_KEY_MISSING'; readonly kind: string }
  /** The file was sealed with another key, or its header was changed. */
  | { readonly code: 'SDK_WRONG_KEY'; readonly kind: string }
  /** Decryption was asked for, but the file does not begin like an encrypted one. */
  | { readonly code: 'SDK_NOT_ENCRYPTED'; readonly firstByte: number | undefined }
  /** A sealed file was changed, cut, extended or put in another order. */
  | { readonly code: 'SDK_SEAL_BROKEN'; readonly frame: number; readonly reason: string }
  | { readonly code: 'SDK_PATH_NOT_FOUND'; readonly path: string }
  | { readonly code: 'SDK_PATH_KIND'; readonly path: string; readonly kind: string }
  /** A path that would leave its directory, or that cannot be one. */
  | { readonly code: 'SDK_PATH_UNSAFE'; readonly path: string; readonly reason: string }
  | { readonly code: 'SDK_PATH_EXISTS'; readonly path: string }
  /** A journal record that this version does not read. */
  | { readonly code: 'SDK_JOURNAL'; readonly key: string; readonly reason: string }
  /** What a reference says does not fit the file, or what is asked of it. */
  | { readonly code: 'SDK_REFERENCE'; readonly root: Root; readonly reason: string }
  /** A file that should hold tensors does not. */
  | { readonly code: 'SDK_SAFETENSORS'; readonly reason: string }
  | { readonly code: 'SDK_CLOSED' }
  /** No key-value node answered, or one answered with something else. */
  | {
      readonly code: 'SDK_KV_NODE';
      readonly method: string;
      readonly failures: readonly HolderFailure[];
    }
  /** The batch was decided and changed nothing: a newer version of a key was there. */
  | { readonly code: 'SDK_KV_CONFLICT'; readonly sequence: Sequence }
  /** The batch was decided and changed nothing: `result` is the node's word for why. */
  | { readonly code: 'SDK_KV_REFUSED'; readonly sequence: Sequence; readonly result: string }
  /** Stored and paid, but no node that was asked applies batches of these streams. */
  | { readonly code: 'SDK_KV_NOT_WATCHED'; readonly sequence: Sequence }
  /** Stored and paid, but the node has not come to it; it may still be applied. */
  | {
      readonly code: 'SDK_KV_UNDECIDED';
      readonly sequence: Sequence;
      readonly nextSequence: number;
      readonly waitedMs: number;
    }
  /** Too few of the accounts that count vouch for one root of a stream. */
  | {
      readonly code: 'SDK_KV_UNATTESTED';
      readonly stream: StreamId;
      readonly agreeing: number;
      readonly threshold: number;
      readonly failures: readonly HolderFailure[];
    }
  /** Too few agree, and two statements cannot both be true: anybody can check them. */
  | {
      readonly code: 'SDK_KV_CONTRADICTION';
      readonly stream: StreamId;
      readonly agreeing: number;
      readonly threshold: number;
      /** For `verifyContradiction` of `@cairn/kv-layer`. */
      readonly evidence: RootContradiction;
    }
  /** No key-value node proved what it answered, under a root that was vouched for. */
  | {
      readonly code: 'SDK_KV_UNPROVEN';
      readonly stream: StreamId;
      readonly sequence: number;
      readonly failures: readonly HolderFailure[];
    };

/** Something went wrong while storing or reading a file. */
export class SdkError extends Fault<SdkFault> {}
