import { type Address, Fault, type Hex, type Sequence } from '@cairn/primitives';

/** What a key-value node refuses or cannot do, with the numbers. */
export type KvNodeFault =
  /** A setting that cannot work. */
  | { readonly code: 'KV_CONFIG'; readonly field: string }
  /** The chain endpoint, the contract and the data do not belong together. */
  | { readonly code: 'KV_IDENTITY'; readonly expected: Address; readonly actual: string }
  /** The chain says something else about an entry than its log does: a reorganisation goes on. */
  | { readonly code: 'KV_CHAIN_MOVED'; readonly sequence: Sequence }
  /** A stream that may not be added, or one more than are allowed. */
  | { readonly code: 'KV_STREAM_REFUSED'; readonly reason: 'off' | 'account' | 'limit' }
  /** The disk has no room to replay, or for a file that has to be replayed. */
  | {
      readonly code: 'KV_NO_ROOM';
      readonly sequence?: Sequence;
      readonly neededBytes: number;
      readonly freeBytes: number;
    }
  /** A version that was waited for and did not come in time. */
  | { readonly code: 'KV_NOT_YET'; readonly wanted: number; readonly next: Sequence }
  /** A snapshot of an entry that this chain has in another block. */
  | {
      readonly code: 'KV_SNAPSHOT_BRANCH';
      readonly version: number;
      readonly expected: Hex;
      readonly actual: Hex;
    }
  /** Parts of the snapshot that the node began with are not proven yet. */
  | { readonly code: 'KV_SNAPSHOT_UNREAD'; readonly parts: number }
  /** The node began with a snapshot and vouches for nothing. */
  | { readonly code: 'KV_NOT_REPLAYED'; readonly first: Sequence }
  /** As many snapshots are made as may be. */
  | { readonly code: 'KV_SNAPSHOTS_FULL'; readonly max: number }
  /** Text that names no place in a feed. */
  | { readonly code: 'KV_POSITION'; readonly text: string }
  /** As many listen as may. */
  | { readonly code: 'KV_LISTENERS_FULL'; readonly max: number }
  /** The node has no key to vouch for roots with. */
  | { readonly code: 'KV_NO_KEY' }
  /** What follows a file that was given up is vouched for by nobody. */
  | { readonly code: 'KV_NOT_CANONICAL'; readonly sequence: Sequence; readonly hole: Sequence }
  | { readonly code: 'KV_STOPPING' };

/** Something a key-value node refused, or could not do, and foresaw. */
export class KvNodeError extends Fault<KvNodeFault> {}
