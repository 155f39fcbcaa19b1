import type { Address, ChainId } from '@cairn/primitives';
import type { CostQuote } from '../cost.ts';

/** What an entry that is not final yet adds to a price: 1 %. Ten of them are ten puts at once, a busy block. */
const ENTRY_PERCENT = 1;
/** What a checkpoint that is late adds: 10 %, as a file waits a whole period longer for its place in the order. */
const CHECKPOINT_PERCENT = 10;
/** Decimals of a coin's weight. */
const WEIGHT_SCALE = 1_000_000;

/** How far a shard is behind. */
export interface ShardBacklog {
  /** Entries of its log that are not in a final block yet. */
  readonly waitingEntries: number;
  /** Checkpoints that are due and not ordered, but for the one on its way. */
  readonly lateCheckpoints: number;
  readonly headBlock: number;
  readonly finalBlock: number;
}

/** One consensus shard, as a place for files that are to be stored. */
export interface ShardCandidate {
  /** Its number at the hub. */
  readonly shard: number;
  readonly chainId: ChainId;
  /** Its log contract. */
  readonly flow?: Address;
  /** Whether its log has the files already; absent where nobody asked. */
  readonly isKnown?: boolean;
  /** What the files cost there, in the coin of its chain; absent where it was not asked, or could not be. */
  readonly cost?: Pick<
    CostQuote,
    'pricePerSectorWei' | 'feeWei' | 'gas' | 'gasFeeWei' | 'totalWei'
  >;
  readonly backlog?: ShardBacklog;
  /** The cost with 1 % for each waiting entry and 10 % for each late checkpoint, in the coin of the first place. */
  readonly weightedWei?: bigint;
  /** Why it cannot take the files now. */
  readonly fault?: { readonly code: string; readonly reason: string };
}

/**
 * Why files go to one consensus shard: `told` by the caller; `begun` there by an upload that was cut off; its log has
 * them already (`known`); it is the `cheapest` now.
 */
export type PlacementReason = 'told' | 'begun' | 'known' | 'cheapest';

/** Which consensus shard takes the files of an upload, and what it was chosen from. */
export interface Placement {
  readonly shard: number;
  readonly chainId: ChainId;
  readonly reason: PlacementReason;
  /** Every shard there is, best first; those that cannot take the files last. */
  readonly candidates: readonly ShardCandidate[];
}

/**
 * What storing on a shard comes to once waiting is counted: (100 + entries that wait + 10 · late checkpoints) percent
 * of the price, times what its coin is worth.
 */
export function weightedWei(
  totalWei: bigint,
  { waitingEntries, lateCheckpoints }: Pick<ShardBacklog, 'waitingEntries' | 'lateCheckpoints'>,
  coinWeight: number,
): bigint {
  const percent = 100 + ENTRY_PERCENT * waitingEntries + CHECKPOINT_PERCENT * lateCheckpoints;
  const weight = BigInt(Math.max(1, Math.round(coinWeight * WEIGHT_SCALE)));
  return (totalWei * weight * BigInt(percent)) / BigInt(100 * WEIGHT_SCALE);
}

/** Best first: usable, then cheaper once weighed, then fewer entries that wait, then the lower number. */
export function rankCandidates(candidates: readonly ShardCandidate[]): readonly ShardCandidate[] {
  return candidates.toSorted((left, right) => {
    const byFault = Number(left.fault !== undefined) - Number(right.fault !== undefined);
    if (byFault !== 0) return byFault;
    const byCost = compare(left.weightedWei, right.weightedWei);
    if (byCost !== 0) return byCost;
    const waiting = ({ backlog }: ShardCandidate): number => backlog?.waitingEntries ?? 0;
    return waiting(left) - waiting(right) || left.shard - right.shard;
  });
}

/** A price that is not known comes last. */
function compare(left: bigint | undefined, right: bigint | undefined): number {
  if (left === right) return 0;
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return left < right ? -1 : 1;
}

/** The candidates in words, one clause each, for faults. */
export function describeCandidates(candidates: readonly ShardCandidate[]): string {
  const told = candidates.map(({ shard, chainId, fault }) => {
    return `shard ${shard} (chain ${chainId}): ${fault?.reason ?? 'not chosen'}`;
  });
  return told.join('; ');
}
