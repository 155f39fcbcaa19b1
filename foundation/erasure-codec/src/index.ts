/** Reed-Solomon rows over a blob, and the commitment by which anyone checks one. */
export { dataMatrix, payloadOf } from './blob-matrix.ts';
export { CodecError, type CodecFault, SliceError, type SliceFault } from './errors.ts';
export { type BlobLayout, type LayoutNetwork, layoutOf } from './layout.ts';
export {
  CODEC_VERSION,
  COMBINATION_BYTES,
  COMBINATION_SYMBOLS,
  DEFAULT_PARITY_COSETS,
  MAX_PARITY_COSETS,
  MAX_PAYLOAD_BYTES,
} from './params.ts';
export { referenceCodec } from './reference-codec.ts';
export type { MatrixShape, PlacedRow, RowCodec } from './row-codec.ts';
export { type LoadWasmCodecOptions, loadWasmCodec } from './wasm/wasm-codec.ts';
