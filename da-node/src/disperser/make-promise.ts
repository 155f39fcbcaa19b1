import { type BlobHeader, promisedIndex, quorumOfBlob, quorumsOf } from '@cairn/attestation';
import type { BlobLayout } from '@cairn/erasure-codec';
import { type PromiseTerms, promiseDigest } from '@cairn/wire-protocol/da';
import { lastSigningSeconds, type PromisedOrder } from './blob-order.ts';
import type { BlobStore } from './blob-store.ts';
import { DispersalError } from './errors.ts';
import type { DispersalEpoch, DispersalNetwork, PaidBlob, PayerKey } from './ports.ts';

/** Slots of one payer in one epoch. */
const SLOTS = 2 ** 16;

/** What promises are made with. */
export interface PromiseMakerDeps {
  readonly store: Pick<BlobStore, 'nextSlot' | 'useSlotsBelow'>;
  readonly network: DispersalNetwork;
  readonly payer: PayerKey;
}

/**
 * Makes promises to pay, each under a slot of its own. A slot is used up on the disk before anything
 * is signed under it, so no crash leads to two promises with one slot.
 */
export class PromiseMaker {
  readonly #deps: PromiseMakerDeps;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: PromiseMakerDeps) {
    this.#deps = deps;
  }

  /** @throws {DispersalError} PROMISE_SLOTS; what the store throws */
  async make(blob: PaidBlob, terms: DispersalEpoch): Promise<PromisedOrder> {
    const { network, payer } = this.#deps;
    const { office } = terms;
    const { epoch } = office;
    const slot = await this.#takeSlot(epoch);
    const { commitment, suite, layout, retentionEpochs } = blob;
    const header: BlobHeader = {
      suite,
      log2K: layout.log2K,
      cosets: layout.cosets,
      rowSizeBytes: layout.rowBytes,
      sizeBytes: layout.payloadBytes,
      commitment,
      submitter: payer.address,
      shardId: network.shardId,
      submissionIndex: promisedIndex({ epoch, slot }),
      expirySeconds: office.endSeconds + retentionEpochs * network.epochSeconds,
    };
    const unsigned: Omit<PromiseTerms, 'payerSignature'> = {
      retentionEpochs,
      signBySeconds: lastSigningSeconds(office.endSeconds, network.graceSeconds),
      maxFeeWei: feeOf(layout, retentionEpochs, terms),
    };
    const digest = promiseDigest({ header, terms: unsigned }, network.entrance);
    const place = { payer: payer.address, slot };
    return {
      header,
      epoch,
      quorumId: quorumOfBlob(office.seed, place, quorumsOf(office)),
      promise: { ...unsigned, payerSignature: payer.signDigest(digest) },
    };
  }

  async #takeSlot(epoch: number): Promise<number> {
    const taken = this.#turn.then(async () => {
      const { store } = this.#deps;
      const slot = await store.nextSlot(epoch);
      if (slot >= SLOTS) {
        throw new DispersalError(
          { code: 'PROMISE_SLOTS', epoch, slots: SLOTS },
          `all ${SLOTS} slots of epoch ${epoch} are used`,
        );
      }
      await store.useSlotsBelow(epoch, slot + 1);
      return slot;
    });
    this.#turn = taken.catch(() => undefined);
    return taken;
  }
}

/** The fee in wei, as the contract charges it: prices are frozen for the epoch. */
export function feeOf(
  { rows, rowBytes }: Pick<BlobLayout, 'rows' | 'rowBytes'>,
  retentionEpochs: number,
  {
    basePerBlobWei,
    pricePerByteEpochWei,
  }: Pick<DispersalEpoch, 'basePerBlobWei' | 'pricePerByteEpochWei'>,
): bigint {
  return basePerBlobWei + BigInt(rows * rowBytes) * BigInt(retentionEpochs) * pricePerByteEpochWei;
}
