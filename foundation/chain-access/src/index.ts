/** The chain: a client for its endpoint, the log as a stream, transactions made once, keys, the flow contract. */
export { decodeRevert, encodeCall, encodeDeployment, type RevertReason } from './client/abi.ts';
export type {
  BlockTag,
  CallOptions,
  CallRequest,
  ChainClient,
  LogFilter,
} from './client/chain-client.ts';
export { type ChainClientOptions, createChainClient } from './client/create-client.ts';
export { ChainError, type ChainFault, isOutage } from './client/errors.ts';
export { fetchTransport } from './client/fetch-transport.ts';
export type {
  ChainBlock,
  ChainTransaction,
  LogRecord,
  TransactionReceipt,
} from './client/parse-replies.ts';
export { FlowError, type FlowFault } from './flow/errors.ts';
export { type FlowContract, openFlow } from './flow/open-flow.ts';
export {
  chargedSectors,
  encodeSubmissions,
  type FlowSubmission,
  MAX_BATCH_SUBMISSIONS,
} from './flow/submission.ts';
export {
  type FeeQuote,
  quoteFee,
  type SubmitOptions,
  type SubmittedFile,
  submitFile,
  submitFiles,
} from './flow/submit-file.ts';
export { KeyError, type KeyFault } from './keys/errors.ts';
export {
  createKeystore,
  type KeystoreOptions,
  openKeystore,
  signerFromKeystore,
} from './keys/keystore.ts';
export {
  addressOf,
  ecdhSharedX,
  parsePrivateKey,
  personalDigest,
  publicKeyOf,
  randomKey,
  recoverAddress,
} from './keys/private-key.ts';
export {
  type LocalSigner,
  type SignedTransaction,
  signerFromKey,
  type TransactionFees,
  type UnsignedTransaction,
} from './keys/signer.ts';
export { checkCode } from './log/check-contract.ts';
export { type ChainLogOptions, createChainLog } from './log/create-chain-log.ts';
export { decodeSubmit } from './log/decode-submit.ts';
export type { ChainLogWait } from './log/log-wait.ts';
export { type FileTerms, readFileTerms } from './reward/file-terms.ts';
export { findLastProven, type LastProven, type ProvenAnswer } from './reward/last-proven.ts';
export { type FileFees, openFileFees, type Stretch } from './reward/open-reward.ts';
export { type PaidTime, PaidTimes, type PaidTimesOptions } from './reward/paid-times.ts';
export {
  MAX_RENEWAL_TERMS,
  type Renewal,
  readPaidUntil,
  readRenewalCost,
  readSectorPrice,
  renewSectors,
} from './reward/renewals.ts';
export { createTransactionSender, type TransactionSenderOptions } from './send/create-sender.ts';
export { TransactionError, type TransactionFault } from './send/errors.ts';
export type {
  SendOptions,
  TransactionIntent,
  TransactionSender,
} from './send/transaction-sender.ts';
