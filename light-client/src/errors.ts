import { type Address, Fault } from '@cairn/primitives';
import type { HandoverConflict } from './epochs/epoch-trust.ts';
import type { Fraction } from './sampling/sample-bound.ts';

/** What can be wrong with following epochs. */
export type TrustFault =
  /** The committee that signed is not believed any more: its stake may be free. Start anew from a published header. */
  | {
      readonly code: 'TRUST_EXPIRED';
      readonly epoch: number;
      readonly untilSeconds: number;
      readonly nowSeconds: number;
    }
  /** An epoch that begins later than now, by more than clocks differ. */
  | {
      readonly code: 'TRUST_IN_FUTURE';
      readonly epoch: number;
      readonly startSeconds: number;
      readonly nowSeconds: number;
      readonly maxDriftSeconds: number;
    }
  /** An epoch that was not followed, or longer ago than is remembered. */
  | {
      readonly code: 'TRUST_EPOCH_UNKNOWN';
      readonly epoch: number;
      readonly oldest: number;
      readonly newest: number;
    }
  /** The snapshot is of another group than the committee, which alone names the next epoch. */
  | { readonly code: 'TRUST_NOT_COMMITTEE'; readonly quorumId: number }
  /** A committee named two epochs to follow its own. Publish both certificates. */
  | {
      readonly code: 'TRUST_CONFLICT';
      readonly epoch: number;
      readonly evidence: HandoverConflict;
    }
  /** Two epochs were named to follow this one: nothing is believed until someone decides. */
  | { readonly code: 'TRUST_STOPPED'; readonly epoch: number }
  /** Endpoints that name different blocks of one height: one of them is on another chain, or lies. */
  | {
      readonly code: 'TRUST_WITNESS_DIFFERS';
      readonly block: number;
      readonly hash: string;
      readonly witness: string;
      readonly witnessHash: string;
    }
  /** A header that the chain sealed, and another for the same epoch, or one that does not continue it. */
  | { readonly code: 'TRUST_CHAIN_DIFFERS'; readonly epoch: number }
  /** Two certificates that name the same epoch are evidence of nothing. */
  | { readonly code: 'TRUST_NO_CONFLICT'; readonly epoch: number }
  /** A handover, or what is kept of all of them, beyond its bound. */
  | {
      readonly code: 'TRUST_TOO_LARGE';
      readonly what: string;
      readonly length: number;
      readonly max: number;
    }
  /** Stored trust that is not what was stored. */
  | { readonly code: 'TRUST_STORED'; readonly what: string };

/** An epoch that is not believed. */
export class TrustError extends Fault<TrustFault> {}

/** Two certificates that cannot both be of one stream of a shard's checkpoints. */
export interface CheckpointConflict {
  readonly shardId: number;
  /** Of the later one. */
  readonly number: number;
  readonly first: Uint8Array;
  readonly second: Uint8Array;
}

/** What can be wrong with following the checkpoints of shards. */
export type ShardTrustFault =
  /** Committees signed two contents of one number, or one that does not go on from the other. Publish both. */
  | {
      readonly code: 'SHARD_CONFLICT';
      readonly shardId: number;
      readonly number: number;
      readonly evidence: CheckpointConflict;
    }
  /** A conflict was seen: nothing about shards is believed until someone decides. */
  | { readonly code: 'SHARD_STOPPED'; readonly shardId: number; readonly number: number }
  /** No root of the order with so many checkpoints was learned, or it is forgotten. */
  | { readonly code: 'SHARD_ORDER_UNKNOWN'; readonly count: number; readonly newest: number };

/** Checkpoints of shards that are not believed. */
export class ShardTrustError extends Fault<ShardTrustFault> {}

/** What can be wrong with a sample before anything is asked. */
export type SampleFault =
  /** A target that no sample of allowed size meets. */
  | {
      readonly code: 'SAMPLE_TARGET';
      readonly bits: number;
      readonly served: Fraction;
      readonly maxRows: number;
    }
  /** A certified header whose layout is not the one that the network gives its length. */
  | {
      readonly code: 'SAMPLE_LAYOUT';
      readonly field: string;
      readonly expected: number;
      readonly actual: number;
    }
  /** Members of another quorum than the one that certified the blob. */
  | {
      readonly code: 'SAMPLE_COMMITTEE';
      readonly epoch: number;
      readonly quorumId: number;
    }
  /** The members were not given: who holds which rows follows from them. */
  | { readonly code: 'SAMPLE_NEEDS_MEMBERS'; readonly epoch: number; readonly quorumId: number }
  /** Stored progress that is none, or that of another sample. */
  | { readonly code: 'SAMPLE_PROGRESS'; readonly field: string };

/** A sample that cannot be taken. */
export class SampleError extends Fault<SampleFault> {}

/** What can be wrong with a holder, beside faults of its transport, and of what it sends. */
export type HolderFault =
  /** No address is known for the signer. */
  | { readonly code: 'HOLDER_NO_ADDRESS'; readonly signer: Address }
  /** It answered what was not asked: a row of another index, or another form. */
  | { readonly code: 'HOLDER_ANSWER'; readonly signer: Address; readonly what: string };

/** A holder that did not give what it holds. */
export class HolderError extends Fault<HolderFault> {}
