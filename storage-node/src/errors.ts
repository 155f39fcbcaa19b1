import { type ChainId, Fault, type Root, type Sequence } from '@cairn/primitives';

/** What a storage node refuses or cannot do, with the numbers. */
export type StorageNodeFault =
  /** No log entry has this root or sequence. */
  | { readonly code: 'ENTRY_UNKNOWN'; readonly root?: Root; readonly sequence?: Sequence }
  /** The entry states another root or another length than the segment does. */
  | {
      readonly code: 'ENTRY_MISMATCH';
      readonly field: 'root' | 'sizeBytes';
      readonly sequence: Sequence;
      readonly expected: string | number;
      readonly actual: string | number;
    }
  /** Its contracts know no renewals, or the node has no chain to ask. */
  | { readonly code: 'FEES_UNKNOWN'; readonly sequence: Sequence }
  /** The node gave the file up. */
  | { readonly code: 'ENTRY_PRUNED'; readonly sequence: Sequence }
  /** The segment is not on this node: another shard's, not uploaded yet, or damaged. */
  | { readonly code: 'SEGMENT_NOT_HELD'; readonly sequence: Sequence; readonly index: number }
  /** The message was made for another chain. */
  | { readonly code: 'CHAIN_MISMATCH'; readonly expected: ChainId; readonly actual: ChainId }
  /** A value in the address or the body of a request is not what it should be. */
  | { readonly code: 'WIRE_REQUEST'; readonly field: string; readonly actual: string }
  /** A body beyond its bound; it was not read. */
  | { readonly code: 'WIRE_TOO_LONG'; readonly what: string; readonly max: number }
  /** The body came too slowly to hold memory for it. */
  | { readonly code: 'WIRE_TOO_SLOW'; readonly receivedBytes: number }
  | { readonly code: 'MEDIA_TYPE'; readonly expected: string; readonly actual: string }
  /** Without a log entry, only files up to `maxBytes` wait in memory. */
  | {
      readonly code: 'CACHE_FILE_TOO_LARGE';
      readonly sizeBytes: number;
      readonly maxBytes: number;
    }
  | { readonly code: 'CACHE_FULL'; readonly heldBytes: number; readonly maxBytes: number }
  /** Too many uploads run and wait. */
  | { readonly code: 'QUEUE_FULL'; readonly waiting: number; readonly limit: number }
  /** Writes from before the segment files were opened anew are not durable; send them again. */
  | { readonly code: 'STORE_REOPENED' }
  | {
      readonly code: 'STORE_FULL';
      readonly freeBytes: number;
      readonly reserveBytes: number;
      /** Of all chains together, where it is the budget that is taken. */
      readonly usedBytes?: number;
      readonly maxBytes?: number;
    }
  /** A peer that a chain does without for a while. */
  | { readonly code: 'PEER_LEFT'; readonly peer: string }
  /** The path names a chain that this node does not keep. */
  | {
      readonly code: 'CHAIN_NOT_KEPT';
      readonly chain: string;
      readonly kept: readonly ChainId[];
    }
  /** The chain endpoint, the contract, the configuration and the data do not belong together. */
  | {
      readonly code: 'NODE_IDENTITY';
      readonly field: string;
      readonly expected: string;
      readonly actual: string;
    }
  /** A setting that cannot work. */
  | { readonly code: 'NODE_CONFIG'; readonly field: string }
  /** There is no storage node's data. */
  | { readonly code: 'DB_NOT_FOUND'; readonly directory: string }
  /** A place that must be empty is not. */
  | { readonly code: 'DB_EXISTS'; readonly path: string }
  /** A stored segment is damaged: a copy of it would be too. */
  | { readonly code: 'DB_DAMAGED'; readonly sector: number }
  /** A snapshot that is not what was written. */
  | { readonly code: 'SNAPSHOT_DAMAGED'; readonly offset: number; readonly what: string }
  /** The shard is changing already. */
  | { readonly code: 'SHARD_MOVING'; readonly to: string; readonly stage: string }
  | { readonly code: 'NODE_STOPPING' };

/** Something a storage node refused, or could not do, and foresaw. */
export class StorageNodeError extends Fault<StorageNodeFault> {}
