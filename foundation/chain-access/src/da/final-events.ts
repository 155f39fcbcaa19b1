import type { BlockMark } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { EventReader } from '../log/event-reader.ts';
import type { Contract } from './contract.ts';
import type { Hub } from './open-hub.ts';

/** Who keeps what events tell. */
export interface EventKeeper {
  /** The next event, in the chain's order. */
  take(log: LogRecord): void;
  /** A final block left the chain all the same: everything comes again from the first event on. */
  forget(): void;
}

/** Where events are read, and which blocks stay. */
export type EventPlace = Pick<Hub, 'client' | 'firstBlock' | 'finalBlock'>;

/** Some events of one contract in final blocks, each handed over once, in order. */
export class FinalEvents {
  readonly #place: EventPlace;
  readonly #reader: EventReader;
  readonly #topics: readonly LogRecord['topics'][number][];
  readonly #keeper: EventKeeper;
  #through: BlockMark | undefined;

  constructor(
    place: EventPlace,
    { contract, events }: { readonly contract: Contract; readonly events: readonly string[] },
    keeper: EventKeeper,
  ) {
    this.#place = place;
    this.#reader = new EventReader({ client: place.client, address: contract.address });
    this.#topics = events.map((event) => contract.topic(event));
    this.#keeper = keeper;
  }

  /** The block up to which events were handed over; `undefined` before the first. */
  get through(): BlockMark | undefined {
    return this.#through;
  }

  /** Reads up to the newest final block, one call at a time. @throws what the keeper and the client throw */
  async refresh(options: CallOptions): Promise<void> {
    const { client, firstBlock } = this.#place;
    const toBlock = await this.#place.finalBlock(options);
    if (this.#through !== undefined && this.#through.number <= toBlock) {
      const block = await client.getBlock(this.#through.number, options);
      if (block?.hash !== this.#through.hash) {
        this.#through = undefined;
        this.#keeper.forget();
      }
    }
    const fromBlock = this.#through === undefined ? firstBlock : this.#through.number + 1;
    const query = { topics: this.#topics, fromBlock, toBlock };
    for await (const { through, logs } of this.#reader.forward(query, options)) {
      for (const log of logs) this.#keeper.take(log);
      this.#through = through;
    }
  }
}
