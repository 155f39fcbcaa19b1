/** Reed-Solomon rows over a blob, and the commitment by which anyone checks one. */
export {
  arcRows,
  assignRows,
  minLog2KFor,
  type Placement,
  type RowArc,
  type SeatedMember,
} from './assign-rows.ts';
export { type DataMatrix, dataMatrix, newDataMatrix, payloadOf } from './blob-matrix.ts';
export { BLOB_PARAMS_BYTES, type BlobParams, encodeParams, parseParams } from './blob-params.ts';
export {
  type ChooseCodecOptions,
  type ChosenCodec,
  type CodecCandidate,
  type CodecTrial,
  chooseCodec,
} from './choose-codec.ts';
export {
  type CombinedShape,
  combinationCoefficients,
  extendCombinations,
  type RowCombiner,
} from './combination.ts';
export {
  type CombinationOdds,
  combinationSecurityBits,
  combinationSymbolsFor,
} from './combination-bits.ts';
export {
  type CheckParityOptions,
  type CommitOptions,
  type CommittedBlob,
  checkParity,
  commitBlob,
  commitMatrix,
  headerOf,
  rowsOf,
} from './commitment.ts';
export { CodecError, type CodecFault, SliceError, type SliceFault } from './errors.ts';
export {
  type BadRow,
  badRowBytes,
  badRowEvidence,
  encodeBadRow,
  parseBadRow,
  type VerifiedBadRow,
  verifyBadRow,
} from './evidence.ts';
export { scalarCombiner } from './kernels/scalar-combiner.ts';
export { type BlobLayout, type LayoutNetwork, layoutOf } from './layout.ts';
export { MemoryRows, type MemoryRowsOptions } from './memory-rows.ts';
export { packedSliceBytes, packedSliceOf } from './packed-slice.ts';
export {
  CODEC_VERSION,
  COMBINATION_BYTES,
  COMBINATION_SYMBOLS,
  DEFAULT_PARITY_COSETS,
  MAX_PARITY_COSETS,
  MAX_PAYLOAD_BYTES,
} from './params.ts';
export { type BlobValue, type ReadOptions, readValue } from './read-value.ts';
export { referenceCodec } from './reference-codec.ts';
export type {
  DecodeOptions,
  EncodeOptions,
  HeldRows,
  HoldingCodec,
  MatrixMemory,
  MatrixShape,
  PlacedRow,
  RowCodec,
} from './row-codec.ts';
export {
  type BareRow,
  type DataRowMessage,
  encodeRow,
  type FullRow,
  parseRow,
  type RowMessage,
  rowMessageBytes,
} from './row-message.ts';
export {
  type ExpectedSlice,
  type Slice,
  sliceOf,
  type VerifiedSlice,
  verifySlice,
} from './slice.ts';
export { encodeSlice, parseSlice, sliceMessageBytes, verifySliceMessage } from './slice-message.ts';
export {
  type BlobHeader,
  type ExpectedBlob,
  type VerifiedHeader,
  type VerifyOptions,
  verifyHeader,
} from './verified-header.ts';
export {
  type DataRow,
  type MemberRow,
  type ProvenRow,
  type VerifiedRow,
  verifyDataRow,
  verifyMembership,
  verifyRow,
  verifyRows,
} from './verify-row.ts';
export type { KernelBuild } from './wasm/load-kernel.ts';
export { type LoadWasmCodecOptions, loadWasmCodec } from './wasm/wasm-codec.ts';
export { type LoadWasmCombinerOptions, loadWasmCombiner } from './wasm/wasm-combiner.ts';
export { wrongCosets } from './wrong-cosets.ts';
