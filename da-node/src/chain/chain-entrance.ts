import type { BlsBackend } from '@cairn/attestation';
import {
  type BatchConfirmation,
  confirmBatch,
  confirmPromised,
  type EntranceCaller,
  findConfirmation,
  type PromisedConfirmation,
  readBatch,
  readIsVoid,
  refusalOf,
} from '@cairn/chain-access/da';
import type { Clock, Logger } from '@cairn/primitives';
import { isPromised, type SubmittedOrder } from '../disperser/blob-order.ts';
import type {
  BatchOutcome,
  BlobSubmission,
  Entrance,
  FinalConfirmation,
  OrderedBlob,
  OrderFate,
  SignedBatch,
  StalledOrder,
} from '../disperser/ports.ts';
import { ChainOrders } from './chain-orders.ts';
import type { DaChain } from './connect-chain.ts';
import { outlastOutages } from './outlast-outages.ts';

/** What confirming works with. */
export interface ChainEntranceDeps {
  readonly chain: Pick<DaChain, 'client' | 'entrance' | 'epochs'>;
  readonly sender: EntranceCaller['sender'];
  readonly backend: Pick<BlsBackend, 'expandSignature'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks in a row that must miss a batch before it counts as taken back: endpoints may lag. */
const LOOKS_TO_MISS = 3;

type LeafPlace = NonNullable<StalledOrder['batch']>;

/** Orders blobs, confirms batches of them, and tells what became of orders in final blocks. */
export class ChainEntrance implements Entrance {
  readonly #deps: ChainEntranceDeps;
  readonly #orders: ChainOrders;
  readonly #pollMs: number;

  constructor(deps: ChainEntranceDeps, { pollMs }: { readonly pollMs: number }) {
    this.#deps = deps;
    this.#orders = new ChainOrders(deps, { pollMs });
    this.#pollMs = pollMs;
  }

  submit(
    submission: BlobSubmission,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly OrderedBlob[]> {
    return this.#orders.submit(submission, options);
  }

  holds(order: SubmittedOrder, options: { readonly signal: AbortSignal }): Promise<boolean> {
    return this.#orders.holds(order, options);
  }

  freeDepositWei(options: { readonly signal: AbortSignal }): Promise<bigint> {
    return this.#orders.freeDepositWei(options);
  }

  async confirm(
    batch: SignedBatch,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<BatchOutcome> {
    const { root } = batch;
    try {
      const confirmation = await this.#outlast(() => this.#confirm(batch, signal), signal);
      return { kind: 'confirmed', ...whatCounts(confirmation) };
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === 'EpochClosed') return { kind: 'closed' };
      if (refusal !== 'AlreadyConfirmed') throw error;
      return { kind: 'confirmed', ...whatCounts(await this.#confirmationOf(root, signal)) };
    }
  }

  async finalConfirmation(
    root: Uint8Array,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<FinalConfirmation | undefined> {
    const { entrance } = this.#deps.chain;
    for (let misses = 0; misses < LOOKS_TO_MISS; ) {
      const found = await this.#findFinal(root, signal);
      if (found !== undefined) return whatCounts(found);
      const latest = await this.#outlast(() => readBatch(entrance, root, { signal }), signal);
      misses = latest === undefined ? misses + 1 : 0;
      await this.#wait(signal);
    }
    return undefined;
  }

  async fateOf(
    { order, batch }: StalledOrder,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<OrderFate> {
    const { client, entrance, epochs } = this.#deps.chain;
    const { epoch } = order;
    // That a slot was charged says nothing of this blob: another leaf may have used it.
    const counts = async (place: LeafPlace, block: number): Promise<boolean> =>
      (await readBatch(entrance, place.root, { block, signal })) !== undefined &&
      !(await readIsVoid(entrance, place, { block, signal })) &&
      (isPromised(order) || (await this.#orders.holds(order, { signal })));
    for (;;) {
      const fate = await this.#outlast(async (): Promise<OrderFate | undefined> => {
        const block = await entrance.finalBlock({ signal });
        if (batch !== undefined && (await counts(batch, block))) return { kind: 'counted', block };
        const sealed = await epochs.sealed(epoch, { signal });
        const final = await client.getBlock(block, { signal });
        if (sealed === undefined || final === undefined) return undefined;
        const closesSeconds = sealed.header.endSeconds + entrance.settings.graceSeconds;
        return final.timestamp > closesSeconds ? { kind: 'void' } : undefined;
      }, signal);
      if (fate !== undefined) return fate;
      await this.#wait(signal);
    }
  }

  #confirm(
    { root, epoch, orders, committee, absent, signature }: SignedBatch,
    signal: AbortSignal,
  ): Promise<Confirmed> {
    const { chain, sender, backend } = this.#deps;
    const caller = { entrance: chain.entrance, sender };
    const statement = { root, epoch, count: orders.length };
    const batch = { statement, committee, absent, signature };
    const leaves = orders.filter(isPromised);
    return leaves.length === 0
      ? confirmBatch(caller, batch, backend, { signal })
      : confirmPromised(caller, { leaves, batch }, backend, { signal });
  }

  /** Somebody else's confirmation, once it is final: its void leaves are those that count then. */
  async #confirmationOf(root: Uint8Array, signal: AbortSignal): Promise<PromisedConfirmation> {
    for (;;) {
      const found = await this.#findFinal(root, signal);
      if (found !== undefined) return found;
      await this.#wait(signal);
    }
  }

  #findFinal(root: Uint8Array, signal: AbortSignal): Promise<PromisedConfirmation | undefined> {
    const { entrance } = this.#deps.chain;
    return this.#outlast(() => findConfirmation(entrance, root, { signal }), signal);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return this.#deps.clock.sleep(this.#pollMs, signal);
  }

  #outlast<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    return outlastOutages(work, this.#deps, signal);
  }
}

/** Paid blobs are never void. */
type Confirmed = BatchConfirmation & Partial<Pick<PromisedConfirmation, 'voids'>>;

function whatCounts({ block, transactionHash, voids = [] }: Confirmed): FinalConfirmation {
  const voidLeaves = voids.map(({ leafIndex }) => leafIndex);
  return { voidLeaves, block: block.number, transaction: transactionHash };
}
