/** Trees and proofs over files and the log, and the keccak kernels that make them fast. */
export type { NodeLookup, TreeNode } from './append-tree.ts';
export {
  commitBytes,
  commitmentFromSegmentRoots,
  type FileCommitment,
  FileCommitter,
} from './commit-file.ts';
export { type CommitStreamOptions, commitStream } from './commit-stream.ts';
export { CommitmentError, type CommitmentFault, ProofError, type ProofFault } from './errors.ts';
export { type FileSector, proveFileSector, verifyFileSector } from './file-sector.ts';
export {
  assertNodeLayout,
  FileTree,
  type ProofStep,
  proofSides,
  proofSteps,
  rootOfNodes,
  type SegmentProof,
} from './file-tree.ts';
export { type FlowClaim, type FlowPosition, flowProof, verifyFlowProof } from './flow-proof.ts';
export { type FlowNode, type FlowPlacement, FlowTree } from './flow-tree.ts';
export { HASH_BYTES, type Hasher } from './hasher.ts';
export { instantiateKernel } from './instantiate-kernel.ts';
export { type LoadHasherOptions, loadHasher } from './load-hasher.ts';
export { nobleHasher } from './noble-hasher.ts';
export {
  encodeRecord,
  parseRecord,
  RECORD_BYTES,
  type RecordClaim,
  RecordTree,
  recordLeaf,
  recordProof,
  type SubmissionRecord,
  verifyRecord,
} from './record-tree.ts';
export { type SectorPath, sectorPath } from './sector-path.ts';
export {
  type FileShape,
  fileShape,
  paddedSectors,
  type ShapeNode,
  sectorsOf,
  segmentDataBytes,
  segmentLeaves,
  segmentRealBytes,
  segmentsOf,
  submissionHeights,
} from './shape.ts';
export {
  type Segment,
  type SegmentRootClaim,
  type VerifiedSegment,
  verifySegment,
  verifySegmentRoot,
  verifySegments,
} from './verify-segment.ts';
export { zeroSubtreeRoot } from './zero-hashes.ts';
