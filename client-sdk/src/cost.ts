/** What one file of the log costs. */
export interface FileCost {
  readonly sizeBytes: number;
  /** Sectors that hold the file's bytes. */
  readonly sectors: number;
  /** Sectors charged: the padded length. */
  readonly chargedSectors: number;
  /** Bytes charged that hold nothing of the file. */
  readonly paddingBytes: number;
  readonly feeWei: bigint;
}

/** What storing costs, before anything is paid. */
export interface CostQuote extends FileCost {
  readonly pricePerSectorWei: bigint;
  /** Gas of the transactions, estimated by the chain; absent where there is no payer. */
  readonly gas?: bigint;
  readonly gasFeeWei?: bigint;
  /** Storage and gas together, as far as known. */
  readonly totalWei: bigint;
  /** One file of the log each, in order. */
  readonly fragments: readonly FileCost[];
  /** Transactions it takes. */
  readonly transactions: number;
}
