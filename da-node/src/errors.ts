import { type Address, Fault, type Hex, type Root } from '@cairn/primitives';

/** What a signer refuses or cannot do, with the numbers. */
export type SignerFault =
  /** A file of the signer's own that holds what it never wrote. */
  | { readonly code: 'SIGNER_DAMAGED'; readonly file: string; readonly atByte: number }
  /** The log of what was signed is not where it was. */
  | { readonly code: 'PROTECTION_MISSING'; readonly file: string }
  /** The log belongs to another key. */
  | { readonly code: 'PROTECTION_FOREIGN'; readonly file: string }
  /** The disk failed under the log; nothing is signed until the signer starts again. */
  | { readonly code: 'PROTECTION_BROKEN' }
  | { readonly code: 'PROTECTION_FULL'; readonly slots: number; readonly maxSlots: number }
  /** An epoch whose signatures are forgotten. */
  | { readonly code: 'PROTECTION_CLOSED'; readonly epoch: number; readonly floorEpoch: number }
  /** Another leaf was signed for in this slot. */
  | {
      readonly code: 'SLOT_SIGNED';
      readonly slot: Hex;
      readonly signed: Hex;
      readonly asked: Hex;
    }
  /** A later number in the same stream of checkpoints was signed for, and this one was not. */
  | {
      readonly code: 'STREAM_SIGNED';
      readonly shardId: number;
      readonly number: number;
      readonly newest: number;
    }
  /** No such shard, or none whose chain this signer reaches. */
  | { readonly code: 'SHARD_UNKNOWN'; readonly shardId: number }
  /** A shard of the registry whose chain was not reached since this signer started. */
  | { readonly code: 'SHARD_AWAY'; readonly shardId: number }
  /** The checkpoint's block is not final here yet. */
  | {
      readonly code: 'CHECKPOINT_NOT_FINAL';
      readonly shardId: number;
      readonly number: number;
      readonly newest: number;
    }
  /** Neither what was signed or ordered already, nor what comes next. */
  | {
      readonly code: 'CHECKPOINT_SEQUENCE';
      readonly shardId: number;
      readonly number: number;
      readonly next: number;
    }
  /** Another content than this signer's endpoint of the shard tells. */
  | {
      readonly code: 'CHECKPOINT_DIFFERS';
      readonly shardId: number;
      readonly number: number;
      readonly own: Hex;
      readonly asked: Hex;
    }
  /** Another blob of this slot is on the disk. */
  | { readonly code: 'SLOT_HELD'; readonly submissionIndex: bigint }
  | { readonly code: 'EPOCH_UNKNOWN'; readonly epoch: number; readonly quorumId: number }
  /** Its quorum signs no more, or not yet. */
  | {
      readonly code: 'EPOCH_CLOSED';
      readonly epoch: number;
      readonly nowSeconds: number;
      readonly untilSeconds: number;
    }
  /** No seat in the quorum, or not with this key. */
  | { readonly code: 'SIGNER_NOT_SEATED'; readonly epoch: number; readonly quorumId: number }
  /** No submission with this index is known yet. */
  | { readonly code: 'BLOB_UNKNOWN'; readonly submissionIndex: bigint }
  /** The block of the submission is not final. */
  | { readonly code: 'BLOB_NOT_FINAL'; readonly submissionIndex: bigint }
  /** The header is not the one that was submitted. */
  | { readonly code: 'BLOB_MISMATCH'; readonly field: string; readonly submissionIndex: bigint }
  /** Not the layout that network and length fix. */
  | {
      readonly code: 'BLOB_LAYOUT';
      readonly field: string;
      readonly expected: number;
      readonly actual: number;
    }
  /** Of another shard, epoch, quorum or kind than the statement. */
  | {
      readonly code: 'BLOB_MISPLACED';
      readonly field: 'shard' | 'epoch' | 'quorum' | 'kind';
      readonly expected: number;
      readonly actual: number;
    }
  | {
      readonly code: 'BLOB_EXPIRED';
      readonly expirySeconds: number;
      readonly nowSeconds: number;
    }
  /** This signer does not hold all its rows of the blob. */
  | { readonly code: 'BLOB_NOT_HELD'; readonly submissionIndex: bigint }
  | { readonly code: 'BATCH_REPEATS'; readonly submissionIndex: bigint }
  /** The signature is not the submitter's. */
  | { readonly code: 'PROMISE_NOT_SIGNED'; readonly payer: Address }
  /** Terms that would make the promise void, or an expiry that is not theirs. */
  | {
      readonly code: 'PROMISE_TERMS';
      readonly field: 'fee' | 'retention' | 'expiry';
      readonly allowed: bigint;
      readonly actual: bigint;
    }
  | {
      readonly code: 'PROMISE_LATE';
      readonly signBySeconds: number;
      readonly nowSeconds: number;
    }
  /** The deposit does not cover the payer's open promises five times for each quorum. */
  | {
      readonly code: 'PROMISE_UNCOVERED';
      readonly payer: Address;
      readonly freeWei: bigint;
      readonly neededWei: bigint;
    }
  /** This signer holds its share of one payer's unpaid blobs. */
  | {
      readonly code: 'PAYER_FULL';
      readonly payer: Address;
      readonly heldBytes: number;
      readonly maxBytes: number;
    }
  | {
      readonly code: 'STORE_FULL';
      readonly heldBytes: number;
      readonly neededBytes: number;
      readonly maxBytes: number;
    }
  /** A body beyond its bound; the rest was not read. */
  | { readonly code: 'WIRE_TOO_LONG'; readonly what: string; readonly max: number }
  | {
      readonly code: 'WIRE_LENGTH';
      readonly what: string;
      readonly expectedBytes: number;
      readonly actualBytes: number;
    }
  /** The body came too slowly to hold memory for it. */
  | { readonly code: 'WIRE_TOO_SLOW'; readonly receivedBytes: number }
  | { readonly code: 'MEDIA_TYPE'; readonly expected: string; readonly actual: string }
  /** Too many deliveries are under way. */
  | { readonly code: 'QUEUE_FULL'; readonly waiting: number; readonly limit: number }
  /** Text that is no keystore, or asks for more than a keystore needs. */
  | { readonly code: 'KEYSTORE_FORM'; readonly field: string }
  | { readonly code: 'KEYSTORE_PASSWORD' }
  | { readonly code: 'ROWS_NOT_HELD'; readonly commitment: Root }
  | { readonly code: 'VOTE_UNKNOWN'; readonly root: Root }
  /** The handover to this epoch is not signed here, or by too few. */
  | { readonly code: 'HANDOVER_UNKNOWN'; readonly epoch: number }
  /** This signer did not sign for the batch, or it is over. */
  | { readonly code: 'BATCH_UNKNOWN'; readonly root: Root }
  | {
      readonly code: 'AUDIT_UNKNOWN';
      readonly epoch: number;
      readonly quorumId: number;
      readonly auditor: Address;
    }
  | { readonly code: 'REPORT_UNKNOWN'; readonly epoch: number; readonly quorumId: number }
  /** Reports on the epoch are not signed now. */
  | { readonly code: 'REPORT_CLOSED'; readonly epoch: number; readonly nowSeconds: number }
  /** Not the report that follows from the audits that this signer knows. */
  | {
      readonly code: 'REPORT_DIFFERS';
      readonly epoch: number;
      readonly quorumId: number;
      readonly field: 'root' | 'sheets' | 'own sheet' | 'drawn rows';
    };

/** Something a signer refused, or could not do, and foresaw. */
export class SignerError extends Fault<SignerFault> {}
