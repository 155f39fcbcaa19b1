/** Streams of keys and values over the log: batches, pure replay, state, proofs. */
export {
  judgeRoots,
  type RootContradiction,
  type RootTrust,
  type RootVerdict,
  requireAgreement,
  verifyContradiction,
} from './attest/judge-statements.ts';
export {
  type KeyEvidence,
  type RangeEvidence,
  verifyKeyEvidence,
  verifyRangeEvidence,
} from './attest/proven-read.ts';
export {
  AttestError,
  type AttestFault,
  NO_ROOT,
  parseSignedRoot,
  type RootStatement,
  rootStatementDigest,
  type SignedRoot,
  signedRootJson,
  signRoot,
  type VerifiedRoot,
  verifySignedRoot,
} from './attest/root-statement.ts';
export {
  ACCESS_OP,
  type AccessOp,
  type AccessOpShape,
  accessOpShape,
  isAccessOp,
} from './batch/access-op.ts';
export { BatchBuilder, type BuiltBatch } from './batch/batch-builder.ts';
export { encodeBatch, encodedBatchBytes } from './batch/encode-batch.ts';
export {
  decodeBatch,
  isRefusedByHead,
  type ParsedBatch,
  type ParseFault,
  parseBatch,
  parseBatchBytes,
  type WriteHeader,
} from './batch/parse-batch.ts';
export {
  type AccessControl,
  type BatchSource,
  fileBatchSource,
  memoryBatchSource,
  readableBytes,
  type StreamBatch,
  type StreamKey,
  type StreamWrite,
} from './batch/stream-batch.ts';
export { BatchError, type BatchFault, type BatchSection } from './errors.ts';
export {
  encodeIndexDefinition,
  type FieldValue,
  type IndexDefinition,
} from './read/index-field.ts';
export { type IndexPage, type IndexQuery, SecondaryIndexes } from './read/secondary-index.ts';
export { type ProofRequest, type StateProof, StateProofs } from './read/state-proofs.ts';
export {
  type KeySlice,
  type ReadOptions,
  type SliceOptions,
  StreamReads,
  type ValueSlice,
} from './read/stream-reads.ts';
export {
  type ScannedKey,
  type ScanOptions,
  type ScanPage,
  StreamScans,
} from './read/stream-scans.ts';
export type { FoldedControls, RoleChange } from './replay/fold-controls.ts';
export {
  gateEntry,
  type ReplayOutcome,
  type ReplayView,
  replayBatch,
  type StateChange,
  type StreamEntry,
} from './replay/replay-batch.ts';
export {
  COMMIT,
  controlDeniedResult,
  DOWNLOAD_FAILED,
  parseFaultResult,
  resultKeyText,
  SENDER_NO_WRITE_PERMISSION,
  TAGS_MISMATCH,
  VERSION_CONFLICT,
  writeDeniedResult,
} from './replay/results.ts';
export {
  canWrite,
  hasWritePermission,
  isAdmin,
  isSpecialKey,
  isWriterOfKey,
  isWriterOfStream,
  ROLE,
  type RoleKind,
  type RoleSlot,
  type RoleView,
  slotOf,
  ZERO_ADDRESS,
} from './replay/role.ts';
export { decodeExpiry, encodeExpiry, expiryKey, indexKey, isReservedKey } from './reserved-keys.ts';
export type { AppliedEntry, ReplayInput } from './store/apply-group.ts';
export { StateError, type StateFault } from './store/errors.ts';
export { Generations, type GenerationsDeps } from './store/generations.ts';
export { type ImportedSnapshot, importSnapshot } from './store/import-snapshot.ts';
export { exportSnapshot } from './store/snapshot.ts';
export {
  encodeSnapshotHead,
  openSnapshotFile,
  type SnapshotFile,
  type SnapshotPlace,
  type TrustedSnapshot,
  trustedRoots,
} from './store/snapshot-file.ts';
export {
  type SenderSource,
  type StateIdentity,
  sortedStreams,
  stateDomain,
} from './store/state-identity.ts';
export {
  type AppliedEntries,
  type Gate,
  type OpenStateOptions,
  StreamState,
  type StreamStateDeps,
} from './store/stream-state.ts';
export { isSnapshotRefusal, type UnreadSubtrees } from './store/unread-subtrees.ts';
export {
  deriveStreamId,
  parseStreamId,
  type StreamId,
  streamIdBytes,
  streamIdOf,
} from './stream-id.ts';
export { encodeTags, parseTags } from './tags.ts';
export type { Leaf, LeafRecord } from './tree/digests.ts';
export {
  type ProvenState,
  type ProvenTable,
  StateProofError,
  type StateProofFault,
  verifyStateProof,
  verifyValue,
} from './tree/state-proof.ts';
