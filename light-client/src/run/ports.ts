import type { BlobHeader } from '@cairn/attestation';
import type { Address } from '@cairn/primitives';
import type { ChainOffer } from '../epochs/follow-chain.ts';
import type { CertificateOffer } from '../verify-blob-certificate.ts';

interface Waiting {
  readonly signal: AbortSignal;
}

/** A block whose state the run goes by: final, and agreed on by whoever was asked. */
export interface RunBlock {
  readonly number: number;
}

/** Where a blob stands among all that the entrance confirmed. */
export interface BlobPlace {
  /** Number of its batch among all confirmed batches of the shard. */
  readonly daIndex: number;
  readonly leafIndex: number;
  /** The block that confirmed the batch. */
  readonly block: number;
}

/** A confirmed blob as the chain tells it; its certificate is not verified. */
export interface ConfirmedBlob extends BlobPlace {
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  /** `undefined` where the chain does not tell what the batch holds. */
  readonly content:
    | {
        readonly certificate: Uint8Array;
        readonly header: BlobHeader;
        /** Whether it was not paid for, and counts for nothing. */
        readonly isVoid: boolean;
      }
    | undefined;
}

/** What a run needs of a chain; `@cairn/light-client/chain` has one behind a JSON-RPC endpoint. */
export interface RunChain<Block extends RunBlock = RunBlock> {
  /** The newest final block. */
  finalBlock(options: Waiting): Promise<Block>;
  /** The epochs sealed after one, oldest first, proven by the state of a block. */
  epochsAfter(epoch: number, block: Block, options: Waiting): Promise<readonly ChainOffer[]>;
  /** Blobs confirmed from a batch on, up to a block, in order. */
  blobsFrom(
    cursor: Pick<BlobPlace, 'daIndex' | 'block'>,
    block: Block,
    options: Waiting,
  ): AsyncIterable<ConfirmedBlob>;
  /** A quorum of an epoch with its members, which whoever uses it verifies. */
  quorum(
    office: { readonly epoch: number; readonly quorumId: number },
    options: Waiting,
  ): Promise<Required<Omit<CertificateOffer, 'certificate'>>>;
  /** Whether a leaf of a batch is confirmed and counts, proven by the state of a block. */
  isCounted(
    leaf: { readonly root: Uint8Array; readonly leafIndex: number },
    block: Block,
    options: Waiting,
  ): Promise<boolean>;
  /** Where signers say they are reached. */
  sockets(options: Waiting): Promise<ReadonlyMap<Address, string>>;
}
