/** The append-only log: preparing files, log entries, segment store, following the chain. */

export {
  CacheError,
  type CacheFault,
  LogError,
  type LogFault,
  SegmentError,
  type SegmentFault,
} from './errors.ts';
export {
  type ByteRange,
  type FileSource,
  memoryFileSource,
  type StreamOptions,
  sliceSource,
} from './file-source.ts';
export { Finaliser, type FinaliserDeps } from './finaliser.ts';
export { fragmentRanges, fragmentSources } from './fragments.ts';
export type { HeldSegments } from './held-segments.ts';
export { type EntryState, isSameEntry, type LogEntry } from './log-entry.ts';
export { type FollowProgress, LogFollower, type LogFollowerDeps } from './log-follower.ts';
export { type AppliedStep, LogStore } from './log-store.ts';
export { createLogMetrics, type LogMetrics } from './metrics.ts';
export type { FilePlace } from './piece.ts';
export {
  countStored,
  dropStrayRecords,
  isCopiedKey,
  isCopySound,
  pieceWrite,
  type StoreCounts,
  type StoredPiece,
  storedPieces,
} from './piece-copy.ts';
export type { SectorSpan, SweepRequest, SweepResult } from './piece-sweep.ts';
export { type PreparedFile, type PrepareFileOptions, prepareFile } from './prepare-file.ts';
export type { RunRequest } from './read-run.ts';
export { Reader, type ReaderOptions } from './reader.ts';
export {
  proveSector,
  type SectorProof,
  type SectorProofDeps,
  sectorInFlow,
} from './sector-proof.ts';
export {
  type ScrubResult,
  SegmentStore,
  type SegmentStoreDeps,
  type SegmentStoreOptions,
} from './segment-store.ts';
export { readStoreIdentity, type StoreIdentity } from './store-identity.ts';
export { UploadCache, type UploadCacheOptions } from './upload-cache.ts';
