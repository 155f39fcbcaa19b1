/** What the parties of data availability exchange: deliveries, votes, rows, promises, receipts, reports. */
export { isListenAddress, isPeerAddress } from '../peer-address.ts';
export {
  AUDIT_TYPE,
  type AuditSheet,
  auditDigest,
  compareDrawnRows,
  type DrawnRowName,
  encodeAuditSheet,
  MAX_AUDIT_BYTES,
  MAX_AUDITED_ROWS,
  parseAuditSheet,
} from './audit-sheet.ts';
export {
  encodePromiseTerms,
  PAYER_SIGNATURE_BYTES,
  PROMISE_TERMS_BYTES,
  type PromisedBlob,
  type PromiseTerms,
  parsePromiseTerms,
  promiseDigest,
} from './blob-promise.ts';
export {
  ARCHIVE_STAGES,
  type BlobReceipt,
  blobReceiptJson,
  parseBlobReceipt,
  RECEIPT_STAGES,
  type ReceiptArchive,
  type ReceiptStage,
  type ReceiptTrouble,
} from './blob-receipt.ts';
export {
  BLOBS_PATH,
  CERTIFICATE_TYPE,
  certificatePath,
  MAX_RECEIPT_WAIT_SECONDS,
  payloadPath,
  type ReceiptWait,
  receiptPath,
} from './blob-routes.ts';
export {
  CHECKPOINT_OFFER_TYPE,
  CHECKPOINT_REQUEST_TYPE,
  type CheckpointRequest,
  encodeCheckpointOffer,
  encodeCheckpointRequest,
  MAX_BUNDLE_CHECKPOINTS,
  MAX_CHECKPOINT_OFFER_BYTES,
  MAX_CHECKPOINT_REQUEST_BYTES,
  MAX_OFFERED_CHECKPOINTS,
  parseCheckpointOffer,
  parseCheckpointRequest,
} from './checkpoint-messages.ts';
export {
  DELIVERY_START_BYTES,
  DELIVERY_TYPE,
  type Delivery,
  type DeliveryHead,
  deliveryHeadBytes,
  encodeDelivery,
  encodeDeliveryHead,
  MAX_DELIVERY_HEAD_BYTES,
  parseDelivery,
  parseDeliveryHead,
} from './delivery.ts';
export {
  auditPath,
  batchPath,
  CHECKPOINT_VOTES_PATH,
  CHECKPOINTS_PATH,
  handoverPath,
  handoverVotePath,
  type OfficePlace,
  REPORT_VOTES_PATH,
  reportPath,
  TICKETS_PATH,
} from './office-routes.ts';
export {
  encodeOfficeVote,
  MAX_REPORT_ENTRIES,
  type OfficeKind,
  type OfficeVote,
  parseOfficeVote,
} from './office-votes.ts';
export {
  encodeHeldRequest,
  encodeRowRequest,
  HELD_QUESTION,
  parseHeldRequest,
  parseRowRequest,
  ROWS_QUESTION,
  type RowQuestion,
  type SignerQuestion,
} from './row-questions.ts';
export {
  encodeRowReply,
  MAX_ROW_REPLY_BYTES,
  MAX_ROWS_PER_REQUEST,
  parseRowReply,
  ROW_REPLY_TYPE,
  rowReplyBytes,
  rowsPerReply,
} from './row-reply.ts';
export {
  encodeReportRequest,
  encodeServedReport,
  MAX_REPORT_BYTES,
  MAX_REPORT_REQUEST_BYTES,
  MAX_REPORT_SHEETS,
  parseReportRequest,
  parseServedReport,
  REPORT_REQUEST_TYPE,
  REPORT_TYPE,
  type ReportRequest,
  type ServedReport,
  type SheetName,
} from './served-report.ts';
export {
  encodeSignedHandover,
  HANDOVER_TYPE,
  MAX_SIGNED_HANDOVER_BYTES,
  parseSignedHandover,
  type SignedHandover,
} from './signed-handover.ts';
export {
  DA_STATUS_PATH,
  heldBlobPath,
  ROW_FORMS,
  type RowForm,
  rowsPath,
  SLICES_PATH,
  VOTES_PATH,
  votePath,
} from './signer-routes.ts';
export {
  type HeldBlob,
  type HeldSlice,
  heldBlobJson,
  MAX_HELD_SLICES,
  parseHeldBlob,
  parseRowQuery,
  parseSignerStatus,
  type RowQuery,
  type ServedEntrance,
  type SignerStatus,
  signerStatusJson,
} from './signer-shapes.ts';
export {
  MAX_SOCKET_BYTES,
  parseSignerSocket,
  type SignerSocket,
} from './signer-socket.ts';
export {
  encodeTicket,
  type OfferedTicket,
  parseTicket,
  TICKET_BYTES,
  TICKET_TYPE,
} from './ticket-message.ts';
export {
  type BatchKind,
  type BatchVote,
  encodeBatchVote,
  encodeVoteRequest,
  MAX_BATCH_BLOBS,
  MAX_PROMISED_BATCH_BLOBS,
  MAX_VOTE_REQUEST_BYTES,
  parseBatchVote,
  parseVoteRequest,
  VOTE_BYTES,
  VOTE_REQUEST_TYPE,
  VOTE_TYPE,
  type VoteRequest,
} from './votes.ts';
