import type { Address, ChainId } from '@cairn/primitives';

/** What a quorum can state. */
export const STATEMENT_KINDS = {
  /** The blobs of a batch, submitted on chain, are held by the quorum. */
  batch: 1,
  /** Checkpoints of consensus shards are what their chains held. */
  checkpoints: 2,
  /** The header of the next epoch. */
  handover: 3,
  /** Who served how many of the rows drawn in a period. */
  served: 4,
  /** The blobs of a batch, promised to be paid, are held by the quorum. */
  promisedBatch: 5,
} as const;

/** The number of a kind of statement. */
export type StatementKind = (typeof STATEMENT_KINDS)[keyof typeof STATEMENT_KINDS];

/** The contract that a statement is made to, with its chain. */
export interface Domain {
  readonly chainId: ChainId;
  /**
   * DA entrance for batches, ordering hub for checkpoints, sortition for a handover, mining contract for
   * served rows.
   */
  readonly address: Address;
}

/** What the members of a quorum put their names to. */
export interface Statement {
  readonly kind: StatementKind;
  readonly domain: Domain;
  /** The epoch in which the quorum holds office; its members may have been drawn earlier. */
  readonly epoch: number;
  /** 0 is the committee; DA quorums are 1 … Q where there are several. */
  readonly quorumId: number;
  /** Leaves under the root; 1 for a handover. */
  readonly count: number;
  /** 32 bytes: of the tree over leaf bodies, or the hash of an epoch's header. */
  readonly root: Uint8Array;
}

/** The kind of a number. `undefined` for one that is not known here. */
export function statementKindOf(value: number): StatementKind | undefined {
  return Object.values(STATEMENT_KINDS).find((kind) => kind === value);
}
