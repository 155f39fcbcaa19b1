import { Fault, type Sequence } from '@cairn/primitives';
import type { StreamId } from '../stream-id.ts';

/** What can be wrong with a state, or with what is asked of it. */
export type StateFault =
  /** The store was made for another chain, log contract, set of streams or source of senders. */
  | {
      readonly code: 'KV_WRONG_STATE';
      readonly field: 'chain' | 'flow' | 'senders' | 'keys' | 'streams';
    }
  /** The store has a layout this build does not read. */
  | { readonly code: 'KV_STATE_VERSION'; readonly version: number; readonly supported: number }
  /** A stored record that cannot be what was written. */
  | { readonly code: 'KV_STATE_DAMAGED'; readonly what: string; readonly sizeBytes: number }
  /** An entry that is not the next one. */
  | { readonly code: 'KV_GAP'; readonly expected: Sequence; readonly actual: Sequence }
  /** Taking entries back that were never applied. */
  | { readonly code: 'KV_ROLLBACK_AHEAD'; readonly to: Sequence; readonly next: Sequence }
  /** Taking entries back led to another root than the one noted then. */
  | { readonly code: 'KV_ROOT_MISMATCH'; readonly stream: StreamId; readonly sequence: Sequence }
  /** More in one call than is allowed. */
  | {
      readonly code: 'KV_TOO_MUCH';
      readonly what: string;
      readonly count: number;
      readonly max: number;
    }
  /** A part of a value that begins beyond its end. */
  | { readonly code: 'KV_SLICE_START'; readonly start: number; readonly valueBytes: number }
  /** A key of no byte. */
  | { readonly code: 'KV_KEY_EMPTY' }
  /** A proof at a version that too many changes lie behind. */
  | {
      readonly code: 'KV_VERSION_TOO_OLD';
      readonly version: number;
      readonly changedKeys: number;
      readonly maxKeys: number;
    }
  /** A snapshot with too few statements about a stream's root that agree. */
  | {
      readonly code: 'KV_SNAPSHOT_UNATTESTED';
      readonly stream: StreamId;
      readonly agreeing: number;
      readonly needed: number;
    }
  /** A version from before the snapshot that the state began with. */
  | { readonly code: 'KV_VERSION_PRUNED'; readonly version: number; readonly oldest: number }
  /** No index of that name is declared. */
  | { readonly code: 'KV_INDEX_UNKNOWN'; readonly stream: StreamId; readonly name: string }
  /** An index that was built at a later version than the one asked for. */
  | { readonly code: 'KV_INDEX_YOUNG'; readonly version: number; readonly from: number }
  /** Bytes that are no snapshot. */
  | { readonly code: 'KV_SNAPSHOT_MALFORMED'; readonly offset: number }
  /** A snapshot whose content has another root than the one trusted. */
  | {
      readonly code: 'KV_SNAPSHOT_ROOT';
      readonly stream: StreamId;
      readonly expected: string;
      readonly actual: string;
    }
  /** A version that no entry was applied for yet. */
  | { readonly code: 'KV_VERSION_AHEAD'; readonly version: number; readonly next: Sequence }
  /** A reorganisation took back what was being read. */
  | { readonly code: 'KV_ROLLED_BACK'; readonly version: number }
  /** A stream that this state does not hold. */
  | { readonly code: 'KV_STREAM_UNKNOWN'; readonly stream: StreamId }
  /** A cursor that this call did not give. */
  | { readonly code: 'KV_CURSOR'; readonly reason: string };

/** A state that is not what it should be, or a question it does not answer. */
export class StateError extends Fault<StateFault> {}
