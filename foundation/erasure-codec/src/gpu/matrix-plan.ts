import { KIB, MIB } from '@cairn/primitives';
import { CHUNK_BYTES, COMBINATION_BYTES, SYMBOL_BYTES } from '../params.ts';
import type { MatrixShape } from '../row-codec.ts';

/** No buffer is larger: a coset of the largest blob, which browsers allow unasked. */
export const LARGEST_BUFFER_BYTES: number = 128 * MIB;
/** A device with smaller buffers is of no use: the factors' images, or 4096 chunks beside each other. */
export const SMALLEST_BUFFER_BYTES: number = 256 * KIB;

/** Planes that are transformed together: enough to occupy a device, few enough for its caches. */
const STRIP_BYTES = 32 * MIB;
/** Products of coefficients that lie ready at once. */
const PRODUCT_BYTES = 8 * MIB;
/** A chunk's coefficients, each with 16 products. */
const CHUNK_PRODUCT_BYTES = (CHUNK_BYTES / SYMBOL_BYTES) * COMBINATION_BYTES * 16;
/** Threads that combining is cut up for, two rows each: few rows are cut up into more columns. */
const COMBINING_THREADS = 2 ** 16;

/** Rows of one coset that lie in one buffer. */
export interface RowPart {
  /** 0 for data. */
  readonly coset: number;
  /** Index of its first row among all rows. */
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: number;
}

/** How a matrix is cut up so that no buffer is too large. */
export interface MatrixPlan {
  /** All rows, in order. */
  readonly parts: readonly RowPart[];
  /** Chunks of every row that are transformed together. */
  readonly stripChunks: number;
  /** Chunks of every row that are combined together. */
  readonly blockChunks: number;
  /** Chunks that one thread combines. */
  readonly tileChunks: number;
}

/** @param bufferBytes - the largest buffer, at least SMALLEST_BUFFER_BYTES */
export function planMatrix(shape: MatrixShape, bufferBytes: number): MatrixPlan {
  const { dataRows, rows, rowBytes } = shape;
  const chunks = rowBytes / CHUNK_BYTES;
  const partRows = Math.min(dataRows, Math.floor(bufferBytes / rowBytes));
  const parts: RowPart[] = [];
  for (let firstRow = 0; firstRow < rows; ) {
    const coset = Math.floor(firstRow / dataRows);
    const count = Math.min(partRows, (coset + 1) * dataRows - firstRow);
    parts.push({ coset, firstRow, rows: count, bytes: count * rowBytes });
    firstRow += count;
  }
  const stripBytes = Math.min(bufferBytes, STRIP_BYTES);
  const productBytes = Math.min(bufferBytes, PRODUCT_BYTES);
  return {
    parts,
    stripChunks: Math.min(chunks, Math.floor(stripBytes / (dataRows * CHUNK_BYTES))),
    blockChunks: Math.min(chunks, Math.floor(productBytes / CHUNK_PRODUCT_BYTES)),
    tileChunks: Math.ceil((chunks * dataRows) / (2 * COMBINING_THREADS)),
  };
}
