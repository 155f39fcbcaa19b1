import {
  type Committee,
  checkQuorum,
  encodeBlobHeader,
  isQuorum,
  leafHash,
  promisedIndex,
  statementDigest,
} from '@cairn/attestation';
import { recoverAddress } from '@cairn/chain-access';
import { type Address, toHex } from '@cairn/primitives';
import { promiseDigest } from '@cairn/wire-protocol/da';
import { type BlobOrder, isPromised, type PromisedOrder } from '../../src/disperser/blob-order.ts';
import { statementOfBatch } from '../../src/disperser/collect-votes.ts';
import type {
  BatchOutcome,
  BlobSubmission,
  DispersalEpoch,
  Entrance,
  EpochSource,
  FinalConfirmation,
  OrderedBlob,
  OrderFate,
  SignedBatch,
  StalledOrder,
} from '../../src/disperser/ports.ts';
import type { SignerChain } from '../../src/signer/ports.ts';
import { backend, committeeOf, NETWORK, signerAddress } from './committee.ts';
import { MemoryOrders } from './memory-orders.ts';

const PRICES = { basePerBlobWei: 0n, pricePerByteEpochWei: 1n } as const;

/** What chain and epochs of a test are made of. */
export interface MemoryChainOptions {
  readonly seats: readonly number[];
  /** Where each signer is reached, by index; asked each time. */
  readonly socketOf: (index: number) => string | undefined;
  readonly startSeconds: number;
  /** Of each epoch. */
  readonly epochSeconds?: number;
}

/**
 * A chain in memory: epochs of one length after another, and an entrance that checks what the contract
 * checks (payers' signatures, the quorum's signature over the rebuilt root, one charge a slot). Orders
 * that are paid first are in `orders`.
 */
export class MemoryChain implements EpochSource, Entrance {
  readonly #options: Required<MemoryChainOptions>;
  readonly #committees = new Map<number, Committee>();
  readonly #waiting = new Set<() => void>();
  /** Leaf that each slot has paid for. */
  readonly charged = new Map<string, string>();
  /** Commitments of the blobs that were paid for, one for each charge. */
  readonly paidCommitments: string[] = [];
  readonly confirmed = new Map<string, number>();
  /** Leaves of confirmed batches that count for nothing in final blocks. */
  readonly #voids = new Map<string, readonly number[]>();
  readonly orders: MemoryOrders;
  /** What promises can be covered with. */
  depositWei = 10n ** 24n;
  /** Unix seconds, as blocks tell it. */
  nowSeconds: number;
  /** Whether deposits are empty: promises that come to be charged are void. */
  isDepositShort = false;
  /** Whether what is confirmed turns out void in the final block: a reorg had another order. */
  isVoidWhenFinal = false;
  /** Whether confirmations are taken; else they wait. */
  isUp = true;

  constructor(options: MemoryChainOptions) {
    this.#options = { epochSeconds: 60, ...options };
    this.nowSeconds = options.startSeconds;
    this.orders = new MemoryOrders({
      office: () => this.committeeAt(this.epoch).snapshot.office,
      until: (isSo, signal) => this.#until(isSo, signal),
    });
  }

  get epoch(): number {
    const { startSeconds, epochSeconds } = this.#options;
    return 1 + Math.floor((this.nowSeconds - startSeconds) / epochSeconds);
  }

  /** Turns the time forward. */
  pass(seconds: number): void {
    this.nowSeconds += seconds;
    this.wake();
  }

  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  committeeAt(epoch: number): Committee {
    const { startSeconds, epochSeconds, seats } = this.#options;
    const start = startSeconds + (epoch - 1) * epochSeconds;
    const times = { startSeconds: start, endSeconds: start + epochSeconds };
    const committee = this.#committees.get(epoch) ?? committeeOf(epoch, seats, times);
    this.#committees.set(epoch, committee);
    return committee;
  }

  async openEpoch({
    after = 0,
    signal,
  }: {
    readonly after?: number;
    readonly signal: AbortSignal;
  }): Promise<DispersalEpoch> {
    await this.#until(() => this.epoch > after, signal);
    const { office } = this.committeeAt(this.epoch).snapshot;
    const takesUntilSeconds = office.endSeconds - 5;
    return { office, takesUntilSeconds, ...PRICES };
  }

  async committee(epoch: number, quorumId: number): Promise<Committee | undefined> {
    return epoch >= 1 && epoch <= this.epoch && quorumId === 0
      ? this.committeeAt(epoch)
      : undefined;
  }

  async socketOf(signer: Address): Promise<string | undefined> {
    const index = this.#options.seats.findIndex((_, at) => signerAddress(at) === signer);
    return this.#options.socketOf(index);
  }

  submit(
    submission: BlobSubmission,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly OrderedBlob[]> {
    return this.orders.submit(submission, signal);
  }

  async holds(order: BlobOrder): Promise<boolean> {
    return this.orders.find(order.header) !== undefined;
  }

  async freeDepositWei(): Promise<bigint> {
    return this.depositWei;
  }

  /** The facts that signers ask for. */
  forSigners(): SignerChain {
    const isKnown = (epoch: number): boolean => epoch >= 1 && epoch <= this.epoch;
    return {
      epochHeader: async (epoch) =>
        isKnown(epoch) ? this.committeeAt(epoch).snapshot.office : undefined,
      committee: (epoch, quorumId) => this.committee(epoch, quorumId),
      prices: async (epoch) => (isKnown(epoch) ? PRICES : undefined),
      submission: async (index) => this.orders.at(index),
      finalSeconds: async () => this.nowSeconds,
      account: async (payer, slots) => ({
        atSeconds: this.nowSeconds,
        freeWei: this.depositWei,
        charged: slots.map((slot) => this.charged.has(slotKey(payer, promisedIndex(slot)))),
      }),
    };
  }

  async confirm(
    batch: SignedBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<BatchOutcome> {
    await this.#until(() => this.isUp, signal);
    const { epoch, orders, committee, absent, signature } = batch;
    const { endSeconds } = committee.snapshot.office;
    if (this.nowSeconds > endSeconds + NETWORK.graceSeconds) return { kind: 'closed' };
    const statement = statementOfBatch(batch, NETWORK);
    const digest = statementDigest(NETWORK.network, statement);
    const weight = checkQuorum(
      { digest, signature },
      committee.snapshot,
      { committee, absent },
      backend,
    );
    if (!isQuorum(weight, committee.snapshot.totalWeight)) throw new Error('WeightTooLow');
    const root = toHex(statement.root);
    const voidLeaves: number[] = [];
    for (const [at, order] of orders.entries())
      if (isPromised(order) && !this.#charge(order, epoch)) voidLeaves.push(at);
    const block = this.confirmed.get(root) ?? this.confirmed.size + 1;
    this.confirmed.set(root, block);
    this.#voids.set(root, this.isVoidWhenFinal ? [...orders.keys()] : voidLeaves);
    return { kind: 'confirmed', voidLeaves, transaction: root, block };
  }

  async finalConfirmation(root: Uint8Array): Promise<FinalConfirmation | undefined> {
    const transaction = toHex(root);
    const block = this.confirmed.get(transaction);
    if (block === undefined) return undefined;
    return { block, transaction, voidLeaves: this.#voids.get(transaction) ?? [] };
  }

  async fateOf(
    { order: { epoch }, batch }: StalledOrder,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<OrderFate> {
    const { endSeconds } = this.committeeAt(epoch).snapshot.office;
    const isOver = (): boolean => this.nowSeconds > endSeconds + NETWORK.graceSeconds;
    const counts = (): boolean => {
      const voids = batch && this.#voids.get(toHex(batch.root));
      return voids !== undefined && !voids.includes(batch?.leafIndex ?? 0);
    };
    await this.#until(() => counts() || isOver(), signal);
    return counts() ? { kind: 'counted', block: 1 } : { kind: 'void' };
  }

  /** Whether the promise was charged, now or before. */
  #charge({ header, promise }: PromisedOrder, epoch: number): boolean {
    const digest = promiseDigest({ header, terms: promise }, NETWORK.entrance);
    if (recoverAddress(digest, promise.payerSignature) !== header.submitter) {
      throw new Error('BadPayerSignature');
    }
    const slot = slotKey(header.submitter, header.submissionIndex);
    const leaf = toHex(leafHash(encodeBlobHeader(header)));
    if (this.isDepositShort && !this.charged.has(slot)) return false;
    const found = this.charged.get(slot) ?? leaf;
    if (!this.charged.has(slot)) this.paidCommitments.push(toHex(header.commitment));
    this.charged.set(slot, found);
    return found === leaf && Number((header.submissionIndex >> 16n) & 0x7fffffffffffn) === epoch;
  }

  async #until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve, reject) => {
        const end = (): void => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', onAbort);
        };
        const wake = (): void => {
          end();
          resolve();
        };
        const onAbort = (): void => {
          end();
          reject(signal.reason);
        };
        if (signal.aborted) reject(signal.reason);
        else signal.addEventListener('abort', onAbort, { once: true });
        this.#waiting.add(wake);
      });
    }
  }
}

function slotKey(payer: Address, submissionIndex: bigint): string {
  return `${payer}/${submissionIndex}`;
}
