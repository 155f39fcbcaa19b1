/** Proofs of random access: what is sealed, what is mined, what an answer must show. */
export { type AnswerTerms, checkAnswer, type PoraAnswer, pieceRoot } from './check-answer.ts';
export {
  contextDigest,
  EMPTY_DIGEST,
  minerIdOf,
  rangeDigest,
  subtaskDigest,
  subtaskIndex,
} from './digests.ts';
export { PoraError, type PoraFault } from './errors.ts';
export { PoraKernel, type SegmentSeals, type WinningPiece } from './kernel.ts';
export { type LoadPoraKernelOptions, loadPoraKernel } from './load-kernel.ts';
export {
  MAX_RANGE_SECTORS,
  MAX_TARGET,
  PAD_BYTES,
  PIECE_BYTES,
  PIECE_HEIGHT,
  PIECE_SECTORS,
  PORA_VERSION,
  PRICING_SECTORS,
  SEGMENT_PIECES,
  WORD_BYTES,
  WORKER_CALLER,
} from './params.ts';
export {
  checkRange,
  minableLength,
  numberOf,
  type RangeTerms,
  type RecallRange,
  rangeOfShard,
  recalledSegment,
  shardsOfMask,
} from './range.ts';
export {
  type Attempt,
  type PuzzleDigests,
  pieceHash,
  prepareAttempt,
  type SealTerms,
  sealPiece,
  unsealPiece,
} from './reference.ts';
export {
  type AdjustmentTerms,
  expectedAttempts,
  hashLimit,
  limitBytes,
  nextTarget,
  scaleX64,
  targetAfterEpochs,
  targetOf,
} from './target.ts';
