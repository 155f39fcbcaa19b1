import { PIECE_BYTES, type PoraKernel, SEGMENT_PIECES } from '@cairn/pora';
import { addPiece, hasPiece, PIECE_BITS_BYTES } from './sealed-record.ts';
import type { SealResult, SealTask } from './worker-tasks.ts';

/** Seals the wanted pieces of a segment; those that are zeros are left out. About 3 ms of CPU. */
export function sealSegment(
  { bytes, minerId, position, wanted, contexts }: SealTask,
  kernel: PoraKernel,
): SealResult {
  kernel.segment.set(bytes);
  const zeros = kernel.zeroPieces();
  kernel.seal({ minerId, position, contexts });
  const sealed = new Uint8Array(PIECE_BITS_BYTES);
  for (let piece = 0; piece < SEGMENT_PIECES; piece += 1) {
    const at = piece * PIECE_BYTES;
    if (hasPiece(wanted, piece) && !hasPiece(zeros, piece)) addPiece(sealed, piece);
    else kernel.segment.fill(0, at, at + PIECE_BYTES);
  }
  return { bytes: kernel.segment.slice(), sealed };
}
