import type {
  BlobHeader,
  Committee,
  Domain,
  EpochHeader,
  Network,
  PromiseSlot,
} from '@cairn/attestation';
import type { Address } from '@cairn/primitives';

/** What a signer knows of its network for good: from the contracts' constants. */
export interface SignerNetwork {
  readonly network: Network;
  /** The DA entrance with its chain. */
  readonly entrance: Domain;
  readonly shardId: number;
  readonly layout: { readonly cosets: number; readonly minLog2K: number };
  /** Seconds of an epoch by which retention is counted. */
  readonly epochSeconds: number;
  /** Seconds after an epoch's end in which its batches can be confirmed. */
  readonly graceSeconds: number;
  readonly maxRetentionEpochs: number;
}

/** Prices of an epoch; they never change once it is open. */
export interface EpochPrices {
  readonly basePerBlobWei: bigint;
  readonly pricePerByteEpochWei: bigint;
}

/** A blob that was submitted and paid on chain. */
export interface SubmittedBlob {
  /** As the event and its transaction make it. */
  readonly header: BlobHeader;
  readonly epoch: number;
  readonly quorumId: number;
  /** Whether its block cannot be taken back. */
  readonly isFinal: boolean;
}

/** A payer's deposit at one final block. */
export interface PayerAccount {
  /** Unix seconds of that block; 0 while they cannot be had. */
  readonly atSeconds: number;
  /** What promises can be charged to, less what is asked back. */
  readonly freeWei: bigint;
  /** For each slot asked about: whether it has paid for a blob. */
  readonly charged: readonly boolean[];
}

/** What every wait on the chain is given. */
export interface ChainOptions {
  readonly signal: AbortSignal;
}

/** How far back an epoch is looked for. */
export interface EpochOptions extends ChainOptions {
  /** Epochs further behind the newest count as not known, unless they are at hand. */
  readonly span?: number;
}

/** Facts of the chain that a signer needs. Whoever implements it answers from what it has verified. */
export interface SignerChain {
  /** The header of an epoch that has begun, however long ago; `undefined` while it is not known here. */
  epochHeader(epoch: number, options: EpochOptions): Promise<EpochHeader | undefined>;
  /** The members of a quorum in office; `undefined` while the epoch is not known here. */
  committee(epoch: number, quorumId: number, options: ChainOptions): Promise<Committee | undefined>;
  /** Prices of an epoch that is open on the entrance; `undefined` before. */
  prices(epoch: number, options: ChainOptions): Promise<EpochPrices | undefined>;
  /** The submission with this index; `undefined` while none is known. */
  submission(index: bigint, options: ChainOptions): Promise<SubmittedBlob | undefined>;
  /** Unix seconds of the newest block that stays; `account` may say what was so before. */
  finalSeconds(options: ChainOptions): Promise<number>;
  /**
   * Deposit and slots of a payer, all at one final block: the newest where slots are asked about, else
   * one of a moment ago.
   */
  account(
    payer: Address,
    slots: readonly PromiseSlot[],
    options: ChainOptions,
  ): Promise<PayerAccount>;
}
