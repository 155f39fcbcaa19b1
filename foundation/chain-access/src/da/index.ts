/** Stake, committee epochs and blobs on chain: facts as checked types, calls as transactions made once. */
export { readHeaderRlp } from '../client/header-rlp.ts';
export { type ProvenBlock, readProvenBlock } from '../proof/proven-state.ts';
export {
  BatchFeed,
  type BatchFeedDeps,
  type BlockRange,
  type FeedPage,
  type FoundBlob,
} from './batch-feed.ts';
export { BatchLog, type LoggedConfirmation } from './batch-log.ts';
export type {
  BatchConfirmation,
  BlobOrder,
  PromisedConfirmation,
  VoidPromise,
  VoidReason,
} from './blob-events.ts';
export { type BlockEntropy, readBlockEntropy } from './block-entropy.ts';
export type { Contract, ContractAbi, ContractCall, ReadOptions } from './contract.ts';
export {
  confirmBatch,
  confirmPromised,
  confirmReduced,
  depositFor,
  type EntranceCaller,
  openEpoch,
  type PaidBlob,
  type PromisedLeaf,
  reduceQuorum,
  type SignedBatch,
  submitBlobs,
} from './entrance-calls.ts';
export {
  type ConfirmedBatch,
  type EpochTerms,
  type PayerAccount,
  readBatch,
  readBlobFee,
  readEntranceEpoch,
  readIsSlotCharged,
  readIsVoid,
  readPayer,
  readTerms,
} from './entrance-facts.ts';
export { EpochBook, type SealedEpoch } from './epoch-book.ts';
export { DaError, type DaFault } from './errors.ts';
export { type Finality, finalBlock } from './finality.ts';
export { findConfirmation } from './find-confirmation.ts';
export {
  bond,
  drawFirstSeed,
  type HubCaller,
  MAX_TICKETS_PER_CALL,
  type Registration,
  registerSigner,
  rejoin,
  reportMissed,
  rotateKey,
  sealEpoch,
  setRoles,
  setSocket,
  submitTickets,
} from './hub-calls.ts';
export {
  type EpochInfo,
  type EpochPhase,
  type Phase,
  ROLES,
  readEntropyBlock,
  readEpochInfo,
  readHasTicket,
  readIsContributor,
  readKey,
  readNeedsFirstSeed,
  readOdds,
  readPhase,
  readSeed,
  readStake,
  readTargetEpoch,
  readVotes,
  type Stake,
} from './hub-facts.ts';
export {
  type ArcLeaf,
  claimHeld,
  claimServed,
  confirmReport,
  estimateMining,
  fixPools,
  type HeldRow,
  type MiningCaller,
  openPeriod,
  publishArcs,
  readGasPrice,
  releaseFees,
  reportRoot,
  type ServedClaim,
  type SignedReport,
} from './mining-calls.ts';
export {
  type FeePool,
  type OpenPeriod,
  type RewardState,
  readFeePool,
  readHasArcs,
  readOpenPeriod,
  readReport,
  readRewardState,
  readServedPool,
  type TakenReport,
} from './mining-facts.ts';
export {
  type Entrance,
  type EntranceOptions,
  type EntranceSettings,
  openEntrance,
} from './open-entrance.ts';
export { type Hub, type HubOptions, openHub } from './open-hub.ts';
export { type Mining, type MiningSettings, openMining } from './open-mining.ts';
export { OrderBook } from './order-book.ts';
export {
  type ProvenBatch,
  readProvenBatch,
  readProvenHeaderHash,
  readProvenSnapshotHash,
  requireProvenHash,
} from './proven-facts.ts';
export { readOrders } from './read-orders.ts';
export { type IntendedOptions, refusalOf } from './send-call.ts';
export { SignerBook, type SignerEntry, type SignerKey } from './signer-book.ts';
export { type SlasherCaller, submitEvidence } from './slasher-calls.ts';
export type { Values } from './values.ts';
export { VoterBook } from './voter-book.ts';
