import type { Hex } from '../bytes.ts';
import type { Address, ChainId, Sequence } from '../ids.ts';

/** A block by number and hash. */
export interface BlockMark {
  readonly number: number;
  readonly hash: Hex;
}

/** One perfect subtree of a submission: its root stands for 2^height sectors. */
export interface SubmissionNode {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** Edges from the root to a sector's leaf, 0 … 63. */
  readonly height: number;
}

/** A file's place in the log, as the chain announced it. */
export interface ChainEntry {
  readonly sequence: Sequence;
  /** First sector of the flow that belongs to the file. */
  readonly startSector: number;
  /** Sectors charged: the padded length. */
  readonly paddedSectors: number;
  readonly sizeBytes: number;
  readonly submitter: Address;
  /** Free bytes the submitter attached; the key-value layer reads stream ids here. */
  readonly tags: Uint8Array;
  /** One to four nodes of strictly falling height. */
  readonly nodes: readonly SubmissionNode[];
  readonly block: BlockMark;
  readonly transactionHash: Hex;
}

/** What happened on the chain since the last step. */
export type ChainStep =
  /** The chain grew: `entries` in order, all of them up to `through`. */
  | {
      readonly kind: 'advance';
      readonly through: BlockMark;
      readonly entries: readonly ChainEntry[];
      /** Number of the newest block known, `through` plus confirmations at least. */
      readonly head: number;
    }
  /** Blocks after `to` are no longer on the chain; `undefined`: nothing that was known is. */
  | { readonly kind: 'rollback'; readonly to: BlockMark | undefined };

/** The log contract of one chain, as a follower sees it. */
export interface ChainLog {
  readonly chainId: ChainId;
  readonly flow: Address;
  /**
   * Steps from where `known` ends, for ever: history first, then new blocks as they come.
   *
   * A chain that cannot be reached is waited for; the wait is logged, not thrown.
   *
   * @param known - marks already processed, oldest first, at most 256; the newest that is still
   * on the chain decides where to go on
   * @throws the signal's reason, once it aborts
   */
  follow(
    known: readonly BlockMark[],
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<ChainStep>;
  /** The flow root right after `sequence`, 32 bytes; `undefined` if the contract knows none. */
  flowRootAt(
    sequence: Sequence,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined>;
}
