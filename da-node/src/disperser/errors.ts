import { Fault } from '@cairn/primitives';

/** What a disperser refuses or cannot do, with the numbers. */
export type DispersalFault =
  | { readonly code: 'BLOB_EMPTY' }
  | { readonly code: 'BLOB_TOO_LARGE'; readonly sizeBytes: number; readonly maxBytes: number }
  /** The queue holds as many blobs or bytes as it may. */
  | {
      readonly code: 'DISPERSAL_QUEUE_FULL';
      readonly blobs: number;
      readonly bytes: number;
      readonly maxBlobs: number;
      readonly maxBytes: number;
    }
  /** The body came too slowly to hold memory for it. */
  | { readonly code: 'WIRE_TOO_SLOW'; readonly timeoutMs: number }
  /** No API key, or one that is not known. */
  | { readonly code: 'ACCOUNT_UNKNOWN' }
  /** The key has used up what it may post in this period. */
  | {
      readonly code: 'ACCOUNT_BUDGET';
      readonly usedBytes: number;
      readonly budgetBytes: number;
      readonly askedBytes: number;
    }
  /** No live blob has this name here. */
  | { readonly code: 'BLOB_NOT_TAKEN'; readonly id: string }
  /** The quorum has not signed for the blob yet. */
  | { readonly code: 'BLOB_NOT_DISPERSED'; readonly id: string; readonly stage: string }
  /** All slots of the payer are used in this epoch. */
  | { readonly code: 'PROMISE_SLOTS'; readonly epoch: number; readonly slots: number }
  /** Blobs are not written to the log here. */
  | { readonly code: 'ARCHIVE_NOT_KEPT' }
  /** No storage node gives the file, or not all of it. */
  | { readonly code: 'ARCHIVE_UNAVAILABLE'; readonly id: string; readonly root: string }
  /** What the log has under the file's root is not the blob. */
  | { readonly code: 'ARCHIVE_MISMATCH'; readonly id: string; readonly root: string }
  /** The payload on disk is not the one that was accepted. */
  | { readonly code: 'PAYLOAD_DAMAGED'; readonly id: string }
  /** A record of the disperser's own that cannot be read. */
  | { readonly code: 'DISPERSAL_RECORD'; readonly what: string }
  | { readonly code: 'DISPERSER_STOPPING' };

/** Something a disperser refused, or could not do, and foresaw. */
export class DispersalError extends Fault<DispersalFault> {}
