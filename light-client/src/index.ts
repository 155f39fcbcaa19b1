/** Epochs followed and blobs sampled, from the browser. The Node entry checks signatures by blst. */
export {
  createLightClient,
  DEFAULT_MAX_DRIFT_SECONDS,
  type LightClientOptions,
  type LightParams,
} from './create-light-client.ts';
export {
  type EpochTrust,
  type FollowedEpoch,
  type HandoverConflict,
  headOf,
  MAX_FOLLOWED_EPOCHS,
  startTrust,
  type TrustAnchor,
} from './epochs/epoch-trust.ts';
export { findHandover } from './epochs/find-handover.ts';
export { type ChainOffer, followChain } from './epochs/follow-chain.ts';
export {
  followHandover,
  type HandoverOffer,
  MAX_HANDOVER_BYTES,
  type TrustBackend,
  type TrustRules,
  verifyConflict,
} from './epochs/follow-handover.ts';
export { encodeTrust, MAX_TRUST_BYTES, parseTrust } from './epochs/trust-message.ts';
export {
  type CheckpointConflict,
  HolderError,
  type HolderFault,
  SampleError,
  type SampleFault,
  ShardTrustError,
  type ShardTrustFault,
  TrustError,
  type TrustFault,
} from './errors.ts';
export {
  LightClient,
  type LightClientDeps,
  type LightNetwork,
  type SampleCallOptions,
} from './light-client.ts';
export {
  type CheckpointStore,
  formatCheckpoint,
  MAX_CHECKPOINT_CHARACTERS,
  MAX_OPEN_SAMPLES,
  parseCheckpoint,
  type RunCheckpoint,
} from './run/checkpoint.ts';
export type { BlobPlace, ConfirmedBlob, RunBlock, RunChain } from './run/ports.ts';
export { type RunDeps, type RunOptions, type RunReport, runLightClient } from './run.ts';
export { type ReadBlobOptions, type ReadCallOptions, readBlob } from './sampling/read-blob.ts';
export type { RowPlaces } from './sampling/row-places.ts';
export {
  MAX_READ_ROWS,
  type SampleDeps,
  type SampleOptions,
  type SampleRequest,
  sampleBlob,
} from './sampling/sample-blob.ts';
export {
  DEFAULT_TARGET,
  type Fraction,
  MAX_DRAWN_ROWS,
  planSample,
  type RowOdds,
  requiredAnswers,
  type SamplePlan,
  type SampleTarget,
  sampleBound,
} from './sampling/sample-bound.ts';
export { parseSampleProgress, type SampleProgress } from './sampling/sample-progress.ts';
export { certifiedBlob, provenBlob, type SampledBlob } from './sampling/sampled-blob.ts';
export type {
  AnsweredRow,
  Confidence,
  MissingRow,
  ReadBlobValue,
  SampleReport,
  SampleVerdict,
} from './sampling/verdict.ts';
export {
  type BlobContentOffer,
  type CheckpointOffer,
  type FileContentOffer,
  type FollowedCheckpoint,
  ShardClient,
  type ShardClientDeps,
  type ShardClientNetwork,
} from './shards/shard-client.ts';
export {
  type CertificateContext,
  type CertificateOffer,
  type CertifiedBlob,
  verifyBlobCertificate,
} from './verify-blob-certificate.ts';
