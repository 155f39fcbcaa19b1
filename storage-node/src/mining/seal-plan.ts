import { PIECE_SECTORS, SEGMENT_PIECES } from '@cairn/pora';
import { equalBytes, SEGMENT_SECTORS } from '@cairn/primitives';
import type { SealContexts } from './seal-contexts.ts';
import {
  addPiece,
  contextOfPiece,
  hasPiece,
  PIECE_BITS_BYTES,
  type PieceBits,
  type SealRun,
} from './sealed-record.ts';

/** How a segment is to be sealed. */
export interface SealPlan {
  /** Whole pieces with a context. */
  readonly wanted: PieceBits;
  /** Of each of the 64 pieces; of those not wanted any. */
  readonly contexts: readonly Uint8Array[];
  readonly runs: readonly SealRun[];
  /** Whether a whole piece has no context yet. */
  readonly isOpen: boolean;
}

/** Which whole pieces of a segment have a context, and which. @throws what the chain throws */
export async function planSeals(
  { segment, whole }: { readonly segment: number; readonly whole: PieceBits },
  known: Pick<SealContexts, 'of'>,
  signal: AbortSignal,
): Promise<SealPlan> {
  const wanted = new Uint8Array(PIECE_BITS_BYTES);
  const contexts: Uint8Array[] = [];
  const runs: SealRun[] = [];
  let context: Uint8Array = new Uint8Array(32);
  let isOpen = false;
  for (let piece = 0; piece < SEGMENT_PIECES; piece += 1) {
    if (hasPiece(whole, piece)) {
      const last = segment * SEGMENT_SECTORS + (piece + 1) * PIECE_SECTORS - 1;
      const found = await known.of(last, signal);
      if (found === undefined) {
        isOpen = true;
      } else {
        addPiece(wanted, piece);
        if (!equalBytes(context, found.digest) && piece > 0) runs.push({ end: piece, context });
        context = found.digest;
      }
    }
    contexts.push(context);
  }
  runs.push({ end: SEGMENT_PIECES, context });
  return { wanted, contexts, runs, isOpen };
}

/** Whether every wanted piece was sealed with the context that it has in the plan. */
export function isSealedAs(
  { wanted, contexts }: Pick<SealPlan, 'wanted' | 'contexts'>,
  runs: readonly SealRun[],
): boolean {
  return contexts.every((context, piece) => {
    if (!hasPiece(wanted, piece)) return true;
    const sealedWith = contextOfPiece({ runs }, piece);
    return sealedWith !== undefined && equalBytes(sealedWith, context);
  });
}
