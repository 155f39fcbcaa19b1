/** What the parties of data availability exchange: deliveries, votes, rows, promises, receipts. */
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
  type BlobReceipt,
  blobReceiptJson,
  parseBlobReceipt,
  RECEIPT_STAGES,
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
  encodeRowReply,
  MAX_ROW_REPLY_BYTES,
  MAX_ROWS_PER_REQUEST,
  parseRowReply,
  ROW_REPLY_TYPE,
  rowReplyBytes,
  rowsPerReply,
} from './row-reply.ts';
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
  type SignerStatus,
  signerStatusJson,
} from './signer-shapes.ts';
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
