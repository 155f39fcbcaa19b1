import type { Committee, EpochHeader, PromiseSlot } from '@cairn/attestation';
import { OrderBook, readIsSlotCharged, readPayer, readTerms } from '@cairn/chain-access/da';
import { type Address, forEachConcurrent, LruCache } from '@cairn/primitives';
import type {
  ChainOptions,
  EpochOptions,
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
/** Slots remembered, of all payers, and payers: some 100 bytes each. */
const MAX_SLOTS = 100_000;
const MAX_PAYERS = 10_000;
/** Time for which a final block is recent enough to tell a deposit; leaving with one takes far longer. */
const RECENT_MS = 500;
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
  /** `charged`, or the newest final block as of which it was not. */
  readonly #slots = new LruCache<string, 'charged' | number>({ maxWeight: MAX_SLOTS });
  readonly #free = new LruCache<Address, { readonly block: number; readonly freeWei: bigint }>({
    maxWeight: MAX_PAYERS,
  });

  #seen = { block: 0, atMs: Number.NEGATIVE_INFINITY };
  #newest: { readonly block: number; readonly seconds: number } | undefined;

  constructor(chain: DaChain) {
    this.#chain = chain;
    const epochBlocks = Math.ceil(chain.entrance.settings.epochSeconds / MIN_BLOCK_SECONDS);
    this.#orders = new OrderBook(chain.entrance, {
      lookBackBlocks: LOOK_BACK_EPOCHS * epochBlocks,
    });
  }

  async epochHeader(epoch: number, options: EpochOptions): Promise<EpochHeader | undefined> {
    return (await this.#chain.epochs.sealed(epoch, options))?.header;
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
    const block = await this.#chain.entrance.finalBlock({ signal });
    return this.#secondsOf(block, signal);
  }

  async account(
    payer: Address,
    slots: readonly PromiseSlot[],
    { signal }: ChainOptions,
  ): Promise<PayerAccount> {
    const isFresh = slots.length > 0; // what is charged changes with each batch, deposits hardly ever
    const block = isFresh ? await this.#finalBlock(signal) : await this.#recentBlock(signal);
    const atSeconds = await this.#secondsOf(block, signal);
    const freeWei = await this.#freeWei(payer, block, signal);
    const charged = new Array<boolean>(slots.length).fill(false);
    await forEachConcurrent(
      slots.entries(),
      async ([at, slot], inner) => {
        charged[at] = await this.#isCharged({ payer, ...slot }, block, inner);
      },
      { parallel: PARALLEL_SLOTS, signal },
    );
    return { atSeconds, freeWei, charged };
  }

  async #finalBlock(signal: AbortSignal): Promise<number> {
    const block = await this.#chain.entrance.finalBlock({ signal });
    this.#seen = { block, atMs: this.#chain.client.clock.monotonic() };
    return block;
  }

  /** A final block seen a moment ago, so that blobs that come one after another share the question. */
  #recentBlock(signal: AbortSignal): Promise<number> {
    const { block, atMs } = this.#seen;
    const isRecent = this.#chain.client.clock.monotonic() - atMs < RECENT_MS;
    return isRecent ? Promise.resolve(block) : this.#finalBlock(signal);
  }

  async #secondsOf(block: number, signal: AbortSignal): Promise<number> {
    if (this.#newest?.block === block) return this.#newest.seconds;
    const found = await this.#chain.client.getBlock(block, { signal });
    if (found === undefined) return 0; // an endpoint that is behind: nothing is known to be over
    this.#newest = { block, seconds: found.timestamp };
    return found.timestamp;
  }

  async #freeWei(payer: Address, block: number, signal: AbortSignal): Promise<bigint> {
    const known = this.#free.get(payer);
    if (known?.block === block) return known.freeWei;
    const { entrance } = this.#chain;
    const { balanceWei, leavingWei } = await readPayer(entrance, payer, { block, signal });
    const freeWei = balanceWei > leavingWei ? balanceWei - leavingWei : 0n;
    this.#free.set(payer, { block, freeWei });
    return freeWei;
  }

  /** What is charged stays so; what is not is asked again with each final block. */
  async #isCharged(
    place: PromiseSlot & { readonly payer: Address },
    block: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const name = `${place.payer}:${place.epoch}:${place.slot}`;
    const known = this.#slots.get(name);
    if (known === 'charged') return true;
    if (known === block) return false;
    const isCharged = await readIsSlotCharged(this.#chain.entrance, place, { block, signal });
    this.#slots.set(name, isCharged ? 'charged' : block);
    return isCharged;
  }
}
