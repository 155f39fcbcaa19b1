import { assertPositiveInteger, type BlockMark, LruCache, Semaphore } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { EventReader, indexedNumber } from '../log/event-reader.ts';
import { type BlobOrder, decodeBlobOrder } from './blob-events.ts';
import type { Entrance } from './open-entrance.ts';

/** Orders kept: half a kilobyte each. */
const MAX_ORDERS = 16_384;
/** Readers that wait for an answer at a time. */
const MAX_WAITING = 4096;

/**
 * Paid blobs by their number, from events in final blocks.
 *
 * Follows the chain from when it was made: what is submitted from then on costs one look however
 * often it is asked for. Older orders, and those that no longer fit, are looked for backwards.
 */
export class OrderBook {
  readonly #entrance: Entrance;
  readonly #reader: EventReader;
  readonly #lookBackBlocks: number;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  readonly #orders = new LruCache<bigint, BlobOrder>({ maxWeight: MAX_ORDERS });
  #through: BlockMark | undefined;

  /** @param lookBackBlocks - how far back an order is looked for: two epochs of the chain's blocks do */
  constructor(entrance: Entrance, { lookBackBlocks }: { readonly lookBackBlocks: number }) {
    assertPositiveInteger(lookBackBlocks, 'lookBackBlocks');
    this.#entrance = entrance;
    this.#lookBackBlocks = lookBackBlocks;
    this.#reader = new EventReader({
      client: entrance.client,
      address: entrance.domain.address,
    });
  }

  /**
   * The order with this number; `undefined` while no final block holds one, and for orders further
   * back than this book looks.
   *
   * @throws {DaError} DA_BAD_EVENT; {QueueFullError}; what the client throws
   */
  async find(submissionIndex: bigint, { signal }: CallOptions): Promise<BlobOrder | undefined> {
    const known = this.#orders.get(submissionIndex);
    if (known !== undefined) return known;
    return this.#turn.run(() => this.#find(submissionIndex, { signal }), signal);
  }

  async #find(index: bigint, options: CallOptions): Promise<BlobOrder | undefined> {
    const { contract } = this.#entrance;
    const final = await this.#entrance.finalBlock(options);
    await this.#follow(final, options);
    const known = this.#orders.get(index);
    if (known !== undefined) return known;
    const count = (await contract.read('submissionCount', [], { ...options, block: final })).wide(
      0,
    );
    if (index >= count) return undefined;
    const query = {
      topics: [contract.topic('BlobSubmitted')],
      indexed: indexedNumber(index),
      fromBlock: Math.max(this.#entrance.firstBlock, final - this.#lookBackBlocks),
      toBlock: final,
    };
    for await (const { logs } of this.#reader.backward(query, options)) {
      const log = logs.at(-1);
      if (log === undefined) continue;
      const order = decodeBlobOrder(this.#entrance, log);
      this.#orders.set(index, order);
      return order;
    }
    return undefined;
  }

  /** Takes up what became final since the last look; at the first look there is nothing to take up. */
  async #follow(toBlock: number, options: CallOptions): Promise<void> {
    const { client, contract } = this.#entrance;
    const through = this.#through;
    if (through !== undefined && through.number < toBlock) {
      const block = await client.getBlock(through.number, options);
      if (block?.hash !== through.hash) this.#forget();
    }
    const fromBlock = (this.#through?.number ?? toBlock - 1) + 1;
    const query = { topics: [contract.topic('BlobSubmitted')], fromBlock, toBlock };
    for await (const page of this.#reader.forward(query, options)) {
      for (const log of page.logs) {
        const order = decodeBlobOrder(this.#entrance, log);
        this.#orders.set(order.header.submissionIndex, order);
      }
      this.#through = page.through;
    }
  }

  #forget(): void {
    this.#orders.clear();
    this.#through = undefined;
  }
}
