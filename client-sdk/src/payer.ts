import type { Address, ChainId, Hex, Root, Sequence, SubmissionNode } from '@cairn/primitives';

/** A file of the log as it is paid for. */
export interface PayableFile {
  readonly root: Root;
  readonly sizeBytes: number;
  readonly nodes: readonly SubmissionNode[];
  readonly tags: Uint8Array;
}

/** A file's place in the log, once the chain has it. */
export interface PaidEntry {
  readonly sequence: Sequence;
  readonly startSector: number;
  readonly transactionHash: Hex;
  readonly feeWei: bigint;
}

/** What the chain asks for. */
export interface Price {
  readonly pricePerSectorWei: bigint;
  /** Absent where there is no payer. */
  readonly gas?: bigint;
  readonly gasPriceWei?: bigint;
}

/** The log contract of one chain, and the account that pays, if there is one. */
export interface Payer {
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly canPay: boolean;
  /** Price per sector, and gas for the submissions where there is a payer. */
  price(
    files: readonly Pick<PayableFile, 'sizeBytes' | 'tags'>[],
    options: { readonly signal: AbortSignal },
  ): Promise<Price>;
  /**
   * Pays for files in one transaction. The same intent is one payment, whatever crashes.
   *
   * @returns one entry for each file, in order
   */
  submit(
    files: readonly PayableFile[],
    options: { readonly intent: string; readonly signal: AbortSignal },
  ): Promise<readonly PaidEntry[]>;
}
