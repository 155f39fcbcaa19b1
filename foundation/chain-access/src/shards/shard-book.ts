import { Semaphore } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { FinalEvents } from '../da/final-events.ts';
import type { Ordering } from './open-ordering.ts';
import { type Shard, shardIn } from './ordering-facts.ts';

/** Shards that a book holds at most; the first count. */
const MAX_SHARDS = 4096;
/** Readers that wait for a refresh at a time. */
const MAX_WAITING = 256;

/** The consensus shards of a network, from the registry's events in final blocks. */
export class ShardBook {
  readonly #ordering: Ordering;
  readonly #events: FinalEvents;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  readonly #shards = new Map<number, Shard>();

  constructor(ordering: Ordering) {
    this.#ordering = ordering;
    const source = { contract: ordering.contract, events: ['ShardAdded', 'ShardChanged'] };
    this.#events = new FinalEvents(ordering.hub, source, {
      take: (log) => this.#take(log),
      forget: () => this.#shards.clear(),
    });
  }

  /**
   * All shards as of the newest final block, by rising number.
   *
   * @throws {DaError} DA_BAD_EVENT; {QueueFullError}; what the client throws
   */
  async shards({ signal }: CallOptions): Promise<readonly Shard[]> {
    return this.#turn.run(async () => {
      await this.#events.refresh({ signal });
      return [...this.#shards.values()].sort((left, right) => left.shardId - right.shardId);
    }, signal);
  }

  #take(log: LogRecord): void {
    const { contract } = this.#ordering;
    const isNew = log.topics[0] === contract.topic('ShardAdded');
    const values = contract.decode(isNew ? 'ShardAdded' : 'ShardChanged', log);
    const shardId = values.number('shardId');
    if (this.#shards.size >= MAX_SHARDS && !this.#shards.has(shardId)) return;
    this.#shards.set(shardId, shardIn(shardId, values.inner('shard')));
  }
}
