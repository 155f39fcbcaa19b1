/** What the chain says of a leaf of a confirmed batch. */
export interface ConfirmedLeaf {
  readonly epoch: number;
  readonly quorumId: number;
  readonly count: number;
  /** Whether it counts for nothing because it was not paid for. */
  readonly isVoid: boolean;
}

/** What doors ask the entrance's chain before they call a certificate valid or not. */
export interface DaChainFacts {
  /** A leaf as of the newest or the newest final block; `undefined` where its batch is not confirmed. */
  leaf(
    place: { readonly root: Uint8Array; readonly leafIndex: number },
    at: 'newest' | 'final',
    options: { readonly signal: AbortSignal },
  ): Promise<ConfirmedLeaf | undefined>;
  /** Unix seconds of the newest final block. */
  finalSeconds(options: { readonly signal: AbortSignal }): Promise<number>;
  /** The epoch that held office in it. */
  finalEpoch(options: { readonly signal: AbortSignal }): Promise<number>;
  /** Unix seconds of a block; `undefined` while there is none with this number. */
  secondsOf(block: number, options: { readonly signal: AbortSignal }): Promise<number | undefined>;
}
