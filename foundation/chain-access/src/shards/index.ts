/** Parallel consensus shards: the hub's order of their checkpoints, what their chains hold, mirrors of its epochs. */
export { anchorPlace } from './anchor-place.ts';
export {
  type CertifiedCheckpoint,
  type CertifiedFile,
  type CertifyFileOptions,
  certifyCheckpoint,
  certifyFile,
  type OrderPlace,
} from './certify-file.ts';
export {
  askAboutBlob,
  askAboutFile,
  blobProofArgument,
  type ContentVerdict,
  type OrderedBlob,
} from './content-facts.ts';
export { ShardError, type ShardFault } from './errors.ts';
export { explainJobRefusal, JobRefusal, type JobRefusalFault } from './explain-job-refusal.ts';
export {
  type CitedContent,
  collectJobFees,
  completeJob,
  type Job,
  type JobCaller,
  type JobRequest,
  jobBoardAt,
  jobsIn,
  type PostedJob,
  postJob,
  readJob,
  readJobCount,
  readJobFees,
  takeJob,
  withdrawJob,
} from './job-board.ts';
export { inputsIdOf, type JobEventOptions, readJobResult, readPostedJob } from './job-feed.ts';
export {
  acceptEpoch,
  acceptHubCheckpoint,
  anchorMirror,
  type HandedEpoch,
  type HubCheckpoint,
  type MirrorCaller,
} from './mirror-calls.ts';
export {
  type MirrorHead,
  readMirrorEpoch,
  readMirroredEpoch,
  readMirroredOrder,
  readMirrorHead,
} from './mirror-facts.ts';
export { type Mirror, type MirrorOptions, openMirror } from './open-mirror.ts';
export { type Ordering, openOrdering, openOrderingOf } from './open-ordering.ts';
export { type OrderedEvent, OrderFeed, type OrderPage } from './order-feed.ts';
export {
  addShard,
  anchorOrder,
  type OrderingCaller,
  type SignedBundle,
  submitBundle,
} from './ordering-calls.ts';
export {
  readCheckpointHash,
  readHead,
  readOrder,
  readOrderRootAt,
  readShard,
  readShardCount,
  type Shard,
  type ShardHead,
} from './ordering-facts.ts';
export {
  type BatchedBlob,
  type ProveBlobDeps,
  type ProvenBlobPlace,
  proveBlob,
} from './prove-blob.ts';
export { type ProveContentOptions, proveContent } from './prove-content.ts';
export {
  fileProofArgument,
  type OrderedFile,
  type ProveFileDeps,
  type ProveFileOptions,
  proveFile,
  readPlaces,
} from './prove-file.ts';
export { type QuorumSignature, signatureOf } from './quorum-signature.ts';
export {
  blockOf,
  newestFinalCheckpoint,
  readShardContent,
  type ShardContent,
  type ShardPlace,
} from './read-checkpoint.ts';
export { ShardBook } from './shard-book.ts';
export { readShardLoad, type ShardLoad, type ShardPace } from './shard-load.ts';
