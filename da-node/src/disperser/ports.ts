import type { Committee, Domain, EpochHeader, Network, Signature } from '@cairn/attestation';
import type { BlobLayout, LayoutNetwork } from '@cairn/erasure-codec';
import type { Address, ChainId, Hex, Root, Sequence } from '@cairn/primitives';
import type { BlobOrder, OrderedPlace, SubmittedOrder } from './blob-order.ts';
import type { BlobRecord, Confirmation } from './blob-record.ts';

/** What never changes about the network that a disperser works for. */
export interface DispersalNetwork {
  readonly network: Network;
  /** The DA entrance, with its chain. */
  readonly entrance: Domain;
  readonly shardId: number;
  readonly layout: Required<LayoutNetwork>;
  /** Nominal length of an epoch: retention is counted in it. */
  readonly epochSeconds: number;
  /** Confirmations close that long after an epoch's end. */
  readonly graceSeconds: number;
}

/** An epoch in which blobs can be ordered. */
export interface DispersalEpoch {
  /** Its number, times, seed and snapshots. */
  readonly office: EpochHeader;
  /** Promises of this epoch, and orders on chain, are made until here, in unix seconds: some time before its end. */
  readonly takesUntilSeconds: number;
  /** Frozen for the epoch. */
  readonly basePerBlobWei: bigint;
  readonly pricePerByteEpochWei: bigint;
}

/** An order, and the blob's place in the batch that was signed under it, if one was. */
export interface StalledOrder {
  readonly order: BlobOrder;
  readonly batch: BlobRecord['batch'];
}

/** A confirmation as a final block has it. */
export interface FinalConfirmation extends Confirmation {
  /** Leaves that count for nothing there: their promises were not charged. None of those paid before. */
  readonly voidLeaves: readonly number[];
}

/** What became of an order, as of a final block. */
export type OrderFate =
  /** Its batch is confirmed, and this very leaf counts in it. */
  | ({ readonly kind: 'counted' } & Confirmation)
  /** Its epoch and grace are over, and its batch does not count for it: it never will. */
  | { readonly kind: 'void' };

/** Epochs, committees and the signers' addresses. Calls wait out a chain that does not answer. */
export interface EpochSource {
  /**
   * The epoch in which blobs are taken, its prices fixed. Waits for one that is later than `after`.
   *
   * @throws the signal's reason
   */
  openEpoch(options: {
    readonly after?: number;
    readonly signal: AbortSignal;
  }): Promise<DispersalEpoch>;
  /**
   * The members of a quorum in an epoch, verified.
   *
   * @returns `undefined` for an epoch or quorum that does not exist
   */
  committee(
    epoch: number,
    quorumId: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Committee | undefined>;
  /** Where a signer is reached: an http or https address. `undefined` if it told none. */
  socketOf(signer: Address, options: { readonly signal: AbortSignal }): Promise<string | undefined>;
}

/** A batch that its quorum signed, as the chain takes it. */
export interface SignedBatch {
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  /** In the order of the leaves. */
  readonly orders: readonly BlobOrder[];
  readonly committee: Committee;
  /** Members that did not sign, rising. */
  readonly absent: readonly number[];
  /** The others' aggregate. */
  readonly signature: Signature;
}

/** What came of confirming a batch. */
export type BatchOutcome =
  | ({ readonly kind: 'confirmed'; readonly voidLeaves: readonly number[] } & Confirmation)
  /** The chain takes no more batches of the epoch. */
  | { readonly kind: 'closed' };

/** Blobs that are to be ordered on chain in one call. */
export interface BlobSubmission {
  /** Names the call: the same again, after a crash too, is the same call, and is paid once. */
  readonly intent: string;
  /** The epoch in office, at whose prices is paid. */
  readonly epoch: number;
  readonly blobs: readonly PaidBlob[];
}

/** A blob as the chain orders it. */
export interface PaidBlob {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly suite: number;
  readonly layout: BlobLayout;
  readonly retentionEpochs: number;
}

/** A blob as the chain ordered it, in a final block. */
export interface OrderedBlob extends OrderedPlace {
  /** Hash of the transaction. */
  readonly transaction: Hex;
  readonly block: number;
}

/** The DA entrance of the chain. Calls wait out a chain that does not answer. */
export interface Entrance {
  /**
   * Orders blobs and pays for them (`submitBlobs`), once for each intent. Resolves once the orders are
   * in a final block; those of a block that was taken back are waited for again, where they come next.
   *
   * @returns the orders, in the order of the blobs
   * @throws the signal's reason; a fault where the chain refuses, or the account cannot pay
   */
  submit(
    submission: BlobSubmission,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly OrderedBlob[]>;
  /** Whether final blocks hold an order as it is; one that they held can be gone after all. */
  holds(order: SubmittedOrder, options: { readonly signal: AbortSignal }): Promise<boolean>;
  /** What promises can be covered with: the payer's deposit in a final block, less what leaves it. */
  freeDepositWei(options: { readonly signal: AbortSignal }): Promise<bigint>;
  /**
   * Confirms a batch, promised (`confirmPromised`) or paid before (`confirmBatch`), unless it was
   * confirmed already. Resolves once it is in a block.
   *
   * @throws the signal's reason; a fault where the chain refuses for another reason than time
   */
  confirm(batch: SignedBatch, options: { readonly signal: AbortSignal }): Promise<BatchOutcome>;
  /**
   * Resolves once a confirmation is in a final block, with what is void there; other leaves may be
   * than where it was first seen. `undefined` if the chain took it back.
   */
  finalConfirmation(
    root: Uint8Array,
    options: { readonly signal: AbortSignal },
  ): Promise<FinalConfirmation | undefined>;
  /** Resolves once it is decided what became of an order, in a final block. */
  fateOf(order: StalledOrder, options: { readonly signal: AbortSignal }): Promise<OrderFate>;
}

/** What a member gets: a header, the promise for it if there is one, and its rows. */
export interface Delivery {
  readonly order: BlobOrder;
  /** The packed slice message of its rows, in parts. */
  readonly slice: readonly Uint8Array[];
}

/** What a member is asked to sign. */
export interface VoteRequest {
  readonly epoch: number;
  readonly quorumId: number;
  /** In the order of the leaves. */
  readonly orders: readonly BlobOrder[];
}

/** The signers' doors. */
export interface SignerPeers {
  /**
   * Hands a member its slice; resolves once the member has it on its disk.
   *
   * @param options - `timeoutMs`: for all of it, until the reply's head is there
   * @returns bytes of the message
   * @throws what the member or the way to it answers
   */
  deliver(
    socket: string,
    delivery: Delivery,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<number>;
  /** A member's signature over the batch, 96 bytes; not verified. @throws as `deliver` */
  vote(
    socket: string,
    request: VoteRequest,
    options: { readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
}

/** The account that pays. */
export interface PayerKey {
  readonly address: Address;
  /** r ‖ s ‖ v, 65 bytes. */
  signDigest(digest: Uint8Array): Uint8Array;
}

/** Payloads of blobs that are not final. */
export interface PayloadStore {
  /** Whole and on the disk once it resolves. @throws {StorageError} */
  put(id: Root, payload: Uint8Array): Promise<void>;
  get(id: Root): Promise<Uint8Array | undefined>;
  delete(id: Root): Promise<void>;
  /** Removes every payload that is not wanted. */
  retainOnly(isWanted: (id: Root) => Promise<boolean>): Promise<void>;
}

/** Where in the log a blob's payload is, as a file of just its bytes. */
export interface ArchivedFile {
  /** Chain and contract of the log. */
  readonly chainId: ChainId;
  readonly flow: Address;
  readonly root: Root;
  readonly sequence: Sequence;
}

/** The log layer. Calls do not wait for storage nodes that are away: try again. */
export interface LogArchive {
  /**
   * Stores a payload; resolves once storage nodes have all of it. What is there already is paid for
   * and sent no more, so this may be run again after a crash.
   *
   * @throws what the chain or the storage nodes answer; the signal's reason
   */
  store(payload: Uint8Array, options: { readonly signal: AbortSignal }): Promise<ArchivedFile>;
  /**
   * The bytes of a file, proven against its root.
   *
   * @throws what the storage nodes answer; the signal's reason
   */
  read(
    file: ArchivedFile,
    options: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
}
