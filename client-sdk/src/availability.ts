import type { Address, ChainId, Hex, Root, Sequence } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';

/** Sectors asked of each node unless told: a node that lost a tenth passes once in 23. */
export const DEFAULT_SAMPLES = 30;
/** Most sectors asked of one node: 256 MiB of a file of its own, read a segment at a time. */
export const MAX_SAMPLES = 1024;
/** How improbable a pass must be for a loss to be taken as excluded: once in 1,024. */
export const EXCLUDED_CHANCE: number = 2 ** -10;
/** The share of loss whose chance to pass is told besides. */
export const TOLD_SHARE = 0.1;

/** What answers to random questions say about loss. */
export interface LossBound {
  /** A node that lost at least this share of what was drawn from passes with `chance` at most. */
  readonly share: number;
  /** 2^-10. */
  readonly chance: number;
  /** With what chance a node that lost a tenth passes. */
  readonly chanceAtTenth: number;
}

/** What one node did when it was asked. `answered` + `wrong` + `silent` = `asked`. */
export interface NodeAvailability {
  readonly url: string;
  /** What it says it keeps; absent where it did not answer at all. */
  readonly shard?: ShardConfig;
  /** Sectors of the file that it should hold, which were drawn from. */
  readonly sectors: number;
  readonly asked: number;
  /** Sectors it gave, each proven under the file's root. */
  readonly answered: number;
  /** Answers that its own proof contradicts. */
  readonly wrong: number;
  /** Questions it did not answer, in time or at all, also where it says that it has no such sector. */
  readonly silent: number;
  /** Why answers were wrong or missing: how often each code. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Whether it answered everything. */
  readonly passed: boolean;
  /** What a pass is worth; of a node that did not pass, nothing is bounded. */
  readonly lossBound?: LossBound;
}

/** What nodes had of a file when they were asked for sectors nobody could foresee. */
export interface AvailabilityScore {
  readonly kind: 'cairn availability score 1';
  readonly chainId: ChainId;
  /** The log contract. */
  readonly flow: Address;
  readonly root: Root;
  readonly sequence: Sequence;
  readonly sizeBytes: number;
  /** When the last node was done, in milliseconds since the Unix epoch, by the asker's clock. */
  readonly timeMs: number;
  /** Sectors asked of each node, or all that it should hold where those are fewer. */
  readonly samples: number;
  /** What the draws were made from, 32 bytes: whoever asks with it asks for the same sectors. */
  readonly seed: Hex;
  readonly lossBound: LossBound;
  readonly nodes: readonly NodeAvailability[];
  /** Of all segments, how many nodes that passed should hold the one that fewest do. */
  readonly leastReplicas: number;
  /** The same for the segment that most do. */
  readonly mostReplicas: number;
  /** `available`: each segment is one that a node that passed should hold. */
  readonly verdict: 'available' | 'unavailable';
}

/** A score with who vouches for it. */
export interface SignedScore {
  readonly score: AvailabilityScore;
  readonly signer: Address;
  /** r ‖ s ‖ v, over `scoreMessage` as `personal_sign` signs it. */
  readonly signature: Hex;
}

/**
 * What `asked` answers of `asked` say about a node that should hold `sectors`.
 *
 * A node that lost a share p of them passes with (1 - p)^asked at most: drawing without putting
 * back makes it less. Where everything was asked, nothing can be missing.
 */
export function lossBound(asked: number, sectors: number): LossBound {
  if (asked >= sectors) return { share: 0, chance: EXCLUDED_CHANCE, chanceAtTenth: 0 };
  return {
    share: twelveDigits(1 - EXCLUDED_CHANCE ** (1 / asked)),
    chance: EXCLUDED_CHANCE,
    chanceAtTenth: twelveDigits((1 - TOLD_SHARE) ** asked),
  };
}

/** Powers differ in their last digit from one JavaScript engine to another; scores do not. */
function twelveDigits(value: number): number {
  return Number(value.toPrecision(12));
}
