import { quorumsOf } from '@cairn/attestation';
import type { Root } from '@cairn/primitives';
import { isPromised } from './blob-order.ts';
import type { BlobRecord } from './blob-record.ts';
import type { DispersalEpoch, Entrance } from './ports.ts';

/**
 * Times a payer's deposit covers what it has open in a quorum, for each quorum: less, and signers do
 * not sign. Two epochs can be open, and different signers see a deposit at different times.
 */
const COVER_TIMES = 5n;

/** A promise that may still be charged. */
interface OpenPromise {
  /** `undefined` until its slot is drawn: it counts for each quorum then. */
  readonly quorumId: number | undefined;
  readonly feeWei: bigint;
}

/** Whether a deposit covers one more promise. */
export type Cover =
  | { readonly isCovered: true }
  | { readonly isCovered: false; readonly freeWei: bigint; readonly neededWei: bigint };

/**
 * What the payer has promised and a final block has not charged yet: as signers count it, or a
 * little more. Whatever is written of a record is to be noted here.
 */
export class OpenPromises {
  readonly #open = new Map<Root, OpenPromise>();
  /** Wei of those in each quorum; under `undefined` of those whose quorum is not known yet. */
  readonly #sums = new Map<number | undefined, bigint>();

  /** Takes up what a record says of its promise. */
  note({ id, stage, order }: Pick<BlobRecord, 'id' | 'stage' | 'order'>): void {
    if (order === undefined) return; // one that is about to be promised for stays counted
    if (!isPromised(order) || stage === 'final') {
      this.drop(id);
      return;
    }
    const { quorumId, promise } = order;
    this.#set(id, { quorumId, feeWei: promise.maxFeeWei });
  }

  /** Forgets a promise that was not made, or can never be charged. */
  drop(id: Root): void {
    const known = this.#open.get(id);
    if (known === undefined) return;
    this.#open.delete(id);
    this.#add(known.quorumId, -known.feeWei);
  }

  /**
   * Counts a promise if the deposit covers it with all others, so that signers will sign for it.
   *
   * @throws what reading the deposit throws
   */
  async reserve(
    id: Root,
    feeWei: bigint,
    { office }: Pick<DispersalEpoch, 'office'>,
    entrance: Pick<Entrance, 'freeDepositWei'>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Cover> {
    const freeWei = await entrance.freeDepositWei({ signal });
    const quorums = BigInt(quorumsOf(office));
    const neededWei = COVER_TIMES * quorums * (this.#mostInOneQuorum() + feeWei);
    if (neededWei > freeWei) return { isCovered: false, freeWei, neededWei };
    this.#set(id, { quorumId: undefined, feeWei });
    return { isCovered: true };
  }

  #set(id: Root, promise: OpenPromise): void {
    this.drop(id);
    this.#open.set(id, promise);
    this.#add(promise.quorumId, promise.feeWei);
  }

  #add(quorumId: number | undefined, wei: bigint): void {
    this.#sums.set(quorumId, (this.#sums.get(quorumId) ?? 0n) + wei);
  }

  #mostInOneQuorum(): bigint {
    let mostWei = 0n;
    for (const [quorumId, wei] of this.#sums) {
      if (quorumId !== undefined && wei > mostWei) mostWei = wei;
    }
    return mostWei + (this.#sums.get(undefined) ?? 0n);
  }
}
