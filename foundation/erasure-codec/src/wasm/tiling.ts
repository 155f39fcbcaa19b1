import type { MatrixShape } from '../row-codec.ts';

/** One of the two halves of the scratch memory at most: an L2 cache of 2 MiB holds both. */
const SCRATCH_BYTES = 2 ** 20;
/** What is enough of it: longer strips of few rows keep more of the memory's pages busy at once. */
const ENOUGH_SCRATCH_BYTES = 2 ** 19;
/** Strips are this long as far as the scratch memory allows, and longer where it is not full. */
const STRIP_BYTES = 512;
const MAX_STRIP_BYTES = 4096;
/** A block of rows stays in an L1 cache of 48 KiB beside the tables; one of long strips nearly does. */
const BLOCK_BYTES = 2 ** 15;
const LONG_BLOCK_BYTES = 2 ** 16;
/** All rows of a panel at most: some milliseconds of work, and what bounds the memory. */
const PANEL_BYTES = 2 ** 24;
/** A row's part in a panel at most: longer ones copy no faster, and few of them stay in the caches. */
const MAX_PANEL_ROW_BYTES = 4096;

/** How the kernels cut a matrix. */
export interface Tiling {
  /** Bytes of each row that are transformed together. */
  readonly strip: number;
  /** log2 of the rows of a block: even, below log2 K. */
  readonly blockLog: number;
}

/** The tiling for so many data rows. */
export function tilingOf(log2K: number): Tiling {
  const dataRows = 2 ** log2K;
  const short = Math.min(STRIP_BYTES, SCRATCH_BYTES / dataRows);
  const strip = Math.max(short, Math.min(MAX_STRIP_BYTES, ENOUGH_SCRATCH_BYTES / dataRows));
  const blockBytes = strip > STRIP_BYTES ? LONG_BLOCK_BYTES : BLOCK_BYTES;
  const blockLog = Math.min(Math.log2(blockBytes / strip), log2K - 1);
  return { strip, blockLog: blockLog - (blockLog % 2) };
}

/** The most bytes of each row that a call takes if it brings or takes away so many rows. */
export function panelBytes({ log2K, rowBytes }: MatrixShape, movedRows: number): number {
  const { strip } = tilingOf(log2K);
  const most = Math.floor(PANEL_BYTES / movedRows / strip) * strip;
  return Math.min(rowBytes, MAX_PANEL_ROW_BYTES, Math.max(strip, most));
}
