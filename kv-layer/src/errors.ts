import { Fault } from '@cairn/primitives';

/** Where in a batch something is. */
export type BatchSection = 'version' | 'reads' | 'writes' | 'values' | 'controls' | 'end';

/** What can be wrong with a batch that is built or read strictly. */
export type BatchFault =
  /** A key of no byte, or of more than the format's 24 bits can say. */
  | { readonly code: 'KV_KEY_LENGTH'; readonly keyBytes: number; readonly maxBytes: number }
  /** More reads, writes or access controls than a batch may have. */
  | {
      readonly code: 'KV_BATCH_TOO_LONG';
      readonly list: 'reads' | 'writes' | 'controls';
      readonly count: number;
      readonly max: number;
    }
  /** A version that is no unsigned 64-bit number. */
  | { readonly code: 'KV_BATCH_VERSION'; readonly version: string }
  /** Bytes that are not one batch and nothing else. */
  | { readonly code: 'KV_BATCH_MALFORMED'; readonly section: BatchSection; readonly offset: number }
  /** An access control that lacks its key or account, or has one it must not have. */
  | { readonly code: 'KV_CONTROL_SHAPE'; readonly op: number; readonly field: 'key' | 'account' }
  /** A stream id that is not 32 bytes. */
  | { readonly code: 'KV_STREAM_ID'; readonly text: string };

/** A batch that cannot be written, or that is none. */
export class BatchError extends Fault<BatchFault> {}
