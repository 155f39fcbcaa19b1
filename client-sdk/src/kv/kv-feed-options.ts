import type { Hex } from '@cairn/primitives';
import type { KvBytes, KvCall, KvReadOptions } from './kv-options.ts';

/** A key as an entry of the log left it. */
export interface KvChange {
  readonly key: Uint8Array;
  /** The log entry that wrote it. */
  readonly version: number;
  /** `undefined`: deleted, or not asked for. */
  readonly value: Uint8Array | undefined;
  /** Bytes of the value; 0: deleted. */
  readonly size: number;
}

/** What to listen to. */
export interface KvWatchOptions extends KvCall {
  /** Keys that begin with this; all unless told. */
  readonly prefix?: KvBytes;
  /**
   * What was seen last: the `position` of an event, or a log entry such as the `sequence` of a write.
   * Whatever was committed after it is told. From now on unless told.
   */
  readonly after?: string | number;
  /** Whether values are told, those that fit an event; no unless told. */
  readonly values?: boolean;
}

/** What a feed tells. */
export type KvEvent = {
  /** The last log entry that this event covers. */
  readonly sequence: number;
  /** For `after` of another watch: it goes on behind this event. */
  readonly position: string;
} & (
  | {
      /** A log entry was committed to the stream. */
      readonly kind: 'change';
      /** The stream's state root after it. */
      readonly stateRoot: Hex;
      readonly keys: readonly KvChange[];
      /** Whether the entry changed more keys than are told. */
      readonly isCut: boolean;
    }
  /** Everything up to `sequence` is decided. */
  | { readonly kind: 'progress' }
  /** The chain took entries after `sequence` back: forget what was told of them. */
  | { readonly kind: 'revert' }
  /** What was told before may not be so: read anew. The feed goes on behind `sequence`. */
  | { readonly kind: 'reset' }
);

/** Which changes are asked for. */
export interface KvChangesOptions extends KvCall {
  /** Keys that changed after this log entry. */
  readonly since: number;
  /** Up to this one; the newest that is decided unless told. */
  readonly version?: number;
  /** Keys at most. */
  readonly limit?: number;
}

/** Which versions of a key are asked for. */
export interface KvHistoryOptions
  extends Pick<KvReadOptions, 'version' | 'minSequence' | 'signal'> {
  /** Versions at most; as many as a node gives at once unless told. */
  readonly limit?: number;
}

/** What an index is asked for. */
export interface KvFindOptions extends Pick<KvReadOptions, 'version' | 'minSequence' | 'signal'> {
  /** The index's name, as the stream declares it. */
  readonly index: string;
  /** The lowest value of the field; of any unless told. */
  readonly from?: string | number | boolean;
  /** The highest. */
  readonly through?: string | number | boolean;
  /** Keys at most. */
  readonly limit?: number;
}
