import { concatBytes, viewOf } from '@cairn/primitives';

const F32_BYTES = 4;
/** The one NaN that is written: machines differ in which they make. */
const NAN_BITS = 0x7fc0_0000;
/** Scores are handed on in pieces of about that many bytes. */
const OUT_BYTES = 262_144;

/** A matrix, [outputs, width], row by row. */
export interface Matrix {
  readonly values: Float32Array;
  readonly outputs: number;
  readonly width: number;
}

/**
 * The products of a matrix with rows of F32 values, little-endian, that come in pieces cut anywhere; what is no whole
 * row at the end is left out. Each is the sum over rising i in 64-bit floats, rounded to 32 bits once.
 *
 * Memory: a piece and a row of each side.
 */
export async function* rowsTimes(
  pieces: AsyncIterable<Uint8Array>,
  matrix: Matrix,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  const { outputs, width } = matrix;
  const rowBytes = width * F32_BYTES;
  const outRowBytes = outputs * F32_BYTES;
  const group = Math.max(1, Math.floor(OUT_BYTES / outRowBytes));
  const row = new Float64Array(width);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of pieces) {
    const bytes = rest.length === 0 ? piece : concatBytes(rest, piece);
    const rows = Math.floor(bytes.length / rowBytes);
    const view = viewOf(bytes);
    for (let first = 0; first < rows; first += group) {
      signal.throwIfAborted();
      const count = Math.min(group, rows - first);
      const out = new Uint8Array(count * outRowBytes);
      const outView = viewOf(out);
      for (let at = 0; at < count; at += 1) {
        const from = (first + at) * rowBytes;
        for (let i = 0; i < width; i += 1) row[i] = view.getFloat32(from + i * F32_BYTES, true);
        multiply(matrix, row, outView, at * outRowBytes);
      }
      yield out;
    }
    rest = bytes.slice(rows * rowBytes);
  }
}

function multiply(
  { values, outputs, width }: Matrix,
  row: Float64Array,
  out: DataView,
  offset: number,
): void {
  for (let o = 0; o < outputs; o += 1) {
    let sum = 0;
    for (let i = 0; i < width; i += 1) sum += (values[o * width + i] ?? 0) * (row[i] ?? 0);
    const at = offset + o * F32_BYTES;
    if (Number.isNaN(Math.fround(sum))) out.setUint32(at, NAN_BITS, true);
    else out.setFloat32(at, sum, true);
  }
}
