import type { DaChainFacts } from './chain-facts.ts';

/** The leaf of a batch that a certificate names. */
export interface NamedLeaf {
  /** Root of the batch, 32 bytes. */
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  /** Leaves of the batch. */
  readonly count: number;
  readonly leafIndex: number;
}

/** Where the leaf of a certificate stands with the chain. */
export type LeafStanding =
  /** Confirmed and paid for. It stays so. */
  | 'confirmed'
  /** Neither confirmed nor too late for it: nobody can tell what becomes of it. */
  | 'open'
  /** Confirmed in a final block, and not paid for, or not what the certificate says of it. */
  | 'void'
  /** Not confirmed in a final block of a time when nothing is confirmed for the epoch any more. */
  | 'never';

/**
 * Where a leaf stands. What is confirmed counts at once, as the chain itself would say; what is not
 * is out of the question only once that is final. So whoever asks, whenever, hears `confirmed` or one
 * of the other two in the end, and `open` before that.
 *
 * @param closesSeconds - when the entrance confirms nothing of the epoch any more
 * @throws what the chain throws; the signal's reason
 */
export async function settleLeaf(
  leaf: NamedLeaf,
  closesSeconds: number,
  chain: Pick<DaChainFacts, 'leaf' | 'finalSeconds'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<LeafStanding> {
  const newest = await chain.leaf(leaf, 'newest', { signal });
  if (newest !== undefined && isCounted(leaf, newest)) return 'confirmed';
  const finalSeconds = await chain.finalSeconds({ signal }); // before the look: it may be older
  const final = await chain.leaf(leaf, 'final', { signal });
  if (final !== undefined) return isCounted(leaf, final) ? 'confirmed' : 'void';
  return finalSeconds > closesSeconds ? 'never' : 'open';
}

type ConfirmedLeaf = NonNullable<Awaited<ReturnType<DaChainFacts['leaf']>>>;

function isCounted(named: NamedLeaf, found: ConfirmedLeaf): boolean {
  const { epoch, quorumId, count } = found;
  const isSame = epoch === named.epoch && quorumId === named.quorumId && count === named.count;
  return isSame && !found.isVoid;
}
