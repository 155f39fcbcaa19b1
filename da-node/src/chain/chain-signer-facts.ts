import type { Committee, EpochHeader, PromiseSlot } from '@cairn/attestation';
import { OrderBook, readIsSlotCharged, readPayer, readTerms } from '@cairn/chain-access/da';
import { type Address, forEachConcurrent, LruCache } from '@cairn/primitives';
import type {
  ChainOptions,
  EpochPrices,
  PayerAccount,
  SignerChain,
  SignerNetwork,
  SubmittedBlob,
} from '../signer/ports.ts';
import { committeeOf } from './chain-epochs.ts';
import type { DaChain } from './connect-chain.ts';

/** Prices kept: those of epochs that blobs are still taken in. */
const MAX_PRICES = 16;
/** Slots known to be charged, of all payers: some 100 bytes each. */
const MAX_CHARGED = 100_000;
/** Slots asked about at once. */
const PARALLEL_SLOTS = 8;
/** Epochs of blocks in which an order is looked for. */
const LOOK_BACK_EPOCHS = 2;
/** Blocks come no faster than this on any network: it bounds how far back is looked. */
const MIN_BLOCK_SECONDS = 1;

/** What never changes about the network, as a signer needs it. */
export function signerNetworkOf({ entrance }: Pick<DaChain, 'entrance'>): SignerNetwork {
  const { network, domain, settings } = entrance;
  const { shardId, cosets, minLog2K, epochSeconds, graceSeconds, maxRetentionEpochs } = settings;
  const layout = { cosets, minLog2K };
  return {
    network,
    entrance: domain,
    shardId,
    layout,
    epochSeconds,
    graceSeconds,
    maxRetentionEpochs,
  };
}

/** A signer's facts, all from final blocks. What can no longer change is asked for once. */
export class ChainSignerFacts implements SignerChain {
  readonly #chain: DaChain;
  readonly #orders: OrderBook;
  readonly #prices = new LruCache<number, EpochPrices>({ maxWeight: MAX_PRICES });
  readonly #charged = new LruCache<string, true>({ maxWeight: MAX_CHARGED });

  constructor(chain: DaChain) {
    this.#chain = chain;
    const epochBlocks = Math.ceil(chain.entrance.settings.epochSeconds / MIN_BLOCK_SECONDS);
    this.#orders = new OrderBook(chain.entrance, {
      lookBackBlocks: LOOK_BACK_EPOCHS * epochBlocks,
    });
  }

  async epochHeader(epoch: number, { signal }: ChainOptions): Promise<EpochHeader | undefined> {
    return (await this.#chain.epochs.sealed(epoch, { signal }))?.header;
  }

  committee(
    epoch: number,
    quorumId: number,
    { signal }: ChainOptions,
  ): Promise<Committee | undefined> {
    return committeeOf(this.#chain.epochs, { epoch, quorumId }, signal);
  }

  async prices(epoch: number, { signal }: ChainOptions): Promise<EpochPrices | undefined> {
    const known = this.#prices.get(epoch);
    if (known !== undefined) return known;
    const { entrance } = this.#chain;
    const block = await entrance.finalBlock({ signal });
    const terms = await readTerms(entrance, epoch, { block, signal });
    if (terms === undefined) return undefined;
    const { basePerBlobWei, pricePerByteEpochWei } = terms;
    const prices = { basePerBlobWei, pricePerByteEpochWei };
    this.#prices.set(epoch, prices);
    return prices;
  }

  async submission(index: bigint, { signal }: ChainOptions): Promise<SubmittedBlob | undefined> {
    const order = await this.#orders.find(index, { signal });
    if (order === undefined) return undefined;
    const { header, epoch, quorumId } = order;
    return { header, epoch, quorumId, isFinal: true };
  }

  async finalSeconds({ signal }: ChainOptions): Promise<number> {
    const { entrance, client } = this.#chain;
    const block = await entrance.finalBlock({ signal });
    const found = await client.getBlock(block, { signal });
    return found?.timestamp ?? 0; // an endpoint that is behind: nothing is known to be over
  }

  async account(
    payer: Address,
    slots: readonly PromiseSlot[],
    { signal }: ChainOptions,
  ): Promise<PayerAccount> {
    const { entrance } = this.#chain;
    const block = await entrance.finalBlock({ signal });
    const { balanceWei, leavingWei } = await readPayer(entrance, payer, { block, signal });
    const charged = new Array<boolean>(slots.length).fill(false);
    await forEachConcurrent(
      slots.entries(),
      async ([at, { epoch, slot }], inner) => {
        const name = `${payer}:${epoch}:${slot}`;
        const isCharged =
          this.#charged.get(name) === true ||
          (await readIsSlotCharged(entrance, { payer, epoch, slot }, { block, signal: inner }));
        if (isCharged) this.#charged.set(name, true);
        charged[at] = isCharged;
      },
      { parallel: PARALLEL_SLOTS, signal },
    );
    return { freeWei: balanceWei > leavingWei ? balanceWei - leavingWei : 0n, charged };
  }
}
