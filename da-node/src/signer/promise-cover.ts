import { type EpochHeader, type PromiseSlot, promiseSlotOf, quorumsOf } from '@cairn/attestation';
import type { Address } from '@cairn/primitives';
import { SignerError } from '../errors.ts';
import type { ChainOptions, SignerChain } from './ports.ts';
import type { HeldSlice } from './slice-index.ts';
import type { SliceStore } from './slice-store.ts';

/** Five deposits for one fee: two epochs of promises, times 7/3 for what other signers may have seen. */
const COVER_FACTOR = 5n;

/** What covers promises. */
export interface PromiseCoverDeps {
  readonly chain: Pick<SignerChain, 'account'>;
  readonly store: Pick<SliceStore, 'ofPayer'>;
  /** Whose deposits these are: slices of other shards are paid for elsewhere. */
  readonly shardId: number;
}

/** A promise that is about to be held. */
export interface NewPromise {
  readonly slot: PromiseSlot;
  readonly feeWei: bigint;
  readonly fileBytes: number;
}

/** Whose promises in which quorum. */
export interface PayerPlace {
  readonly payer: Address;
  readonly office: EpochHeader;
  readonly quorumId: number;
}

/** A promise that is being delivered. */
interface Reservation extends NewPromise {
  readonly quorumId: number;
}

/**
 * Keeps a payer from promising more than its deposit holds: what is free of it at a final block has to
 * be five times the fees of its open promises in this quorum, for each quorum. Open is what is held
 * here, or was admitted and is being delivered, and has not been charged.
 */
export class PromiseCover {
  readonly #deps: PromiseCoverDeps;
  readonly #maxPayerBytes: number;
  /** By payer; at most as many as there are deliveries under way. */
  readonly #reserved = new Map<Address, Set<Reservation>>();

  /** @param maxPayerBytes - bytes of one payer's open slices of one quorum at most */
  constructor(deps: PromiseCoverDeps, { maxPayerBytes }: { readonly maxPayerBytes: number }) {
    this.#deps = deps;
    this.#maxPayerBytes = maxPayerBytes;
  }

  /**
   * Admits a promise beside those that are held or were admitted before, and counts it until it is
   * given back: once it is held, or will not be.
   *
   * @returns gives it back
   * @throws {SignerError} PROMISE_UNCOVERED, PAYER_FULL; what the chain throws
   */
  async reserve(place: PayerPlace, added: NewPromise, options: ChainOptions): Promise<() => void> {
    const { payer, quorumId } = place;
    const before = [...(this.#reserved.get(payer) ?? [])].filter(
      (other) => other.quorumId === quorumId && other.slot.epoch === place.office.epoch,
    );
    const reservation = { ...added, quorumId };
    const ofPayer = this.#reserved.get(payer) ?? new Set();
    this.#reserved.set(payer, ofPayer.add(reservation));
    const release = (): void => {
      ofPayer.delete(reservation);
      if (ofPayer.size === 0 && this.#reserved.get(payer) === ofPayer) this.#reserved.delete(payer);
    };
    try {
      await this.#assertRoom(place, [...before, added], options);
      return release;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Whether all that is held is covered. @throws {SignerError} PROMISE_UNCOVERED; what the chain throws */
  async assertCovered(place: PayerPlace, options: ChainOptions): Promise<void> {
    await this.#assertRoom(place, [], options);
  }

  /** @param coming - promises that are not held yet; bytes count where there are any */
  async #assertRoom(
    { payer, office, quorumId }: PayerPlace,
    coming: readonly NewPromise[],
    options: ChainOptions,
  ): Promise<void> {
    const held = this.#promisesOf(payer, { epoch: office.epoch, quorumId });
    const promises = onePerSlot([...held, ...coming]);
    const factor = COVER_FACTOR * BigInt(quorumsOf(office));
    const isEnough = (free: bigint): boolean => free >= factor * feesOf(promises);
    const hasShare = bytesOf(promises) <= this.#maxPayerBytes;
    // Where all of them are covered, charged or not, no slot needs to be looked up.
    const { chain } = this.#deps;
    if (hasShare && isEnough((await chain.account(payer, [], options)).freeWei)) return;
    const slots = promises.map(({ slot }) => slot);
    const { freeWei, charged } = await chain.account(payer, slots, options);
    const open = promises.filter((_, at) => charged[at] !== true);
    const neededWei = factor * feesOf(open);
    if (neededWei > freeWei) {
      throw new SignerError(
        { code: 'PROMISE_UNCOVERED', payer, freeWei, neededWei },
        `${open.length} open promises of ${payer} need a deposit of ${neededWei} wei, ` +
          `${freeWei} are free`,
      );
    }
    const heldBytes = bytesOf(open);
    if (coming.length === 0 || heldBytes <= this.#maxPayerBytes) return;
    throw new SignerError(
      { code: 'PAYER_FULL', payer, heldBytes, maxBytes: this.#maxPayerBytes },
      `${heldBytes} bytes of ${payer} would wait for payment, of at most ${this.#maxPayerBytes}`,
    );
  }

  #promisesOf(
    payer: Address,
    { epoch, quorumId }: { readonly epoch: number; readonly quorumId: number },
  ): NewPromise[] {
    const { store, shardId } = this.#deps;
    const ofQuorum = (slice: HeldSlice): boolean =>
      slice.header.shardId === shardId && slice.epoch === epoch && slice.quorumId === quorumId;
    return store
      .ofPayer(payer)
      .filter(ofQuorum)
      .flatMap(({ header, promise, fileBytes }) => {
        const slot = promiseSlotOf(header.submissionIndex);
        if (slot === undefined || promise === undefined) return [];
        return [{ slot, feeWei: promise.feeWei, fileBytes }];
      });
  }
}

/** One blob only is held and charged for a slot: that which takes most, while several are under way. */
function onePerSlot(promises: readonly NewPromise[]): NewPromise[] {
  const bySlot = new Map<number, NewPromise>();
  for (const promise of promises) {
    const { slot, feeWei, fileBytes } = promise;
    const other = bySlot.get(slot.slot) ?? promise;
    const { feeWei: dearest } = feeWei > other.feeWei ? promise : other;
    const mostBytes = Math.max(fileBytes, other.fileBytes);
    bySlot.set(slot.slot, { slot, feeWei: dearest, fileBytes: mostBytes });
  }
  return [...bySlot.values()];
}

function feesOf(promises: readonly NewPromise[]): bigint {
  return promises.reduce((sum, { feeWei }) => sum + feeWei, 0n);
}

function bytesOf(promises: readonly NewPromise[]): number {
  return promises.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
}
