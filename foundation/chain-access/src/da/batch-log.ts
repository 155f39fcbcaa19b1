import { Semaphore } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { decodeBatchConfirmation } from './blob-events.ts';
import { FinalEvents } from './final-events.ts';
import type { Entrance } from './open-entrance.ts';

/** Batches kept at most: some 30 MB. */
const MAX_BATCHES = 131_072;
/** Void leaves of one transaction that are kept until its batch comes. */
const MAX_VOIDS = 1024;
/** Readers that wait for a refresh at a time. */
const MAX_WAITING = 1024;

/** A batch in a final block. */
export interface LoggedConfirmation {
  /** 32 bytes. */
  readonly root: Uint8Array;
  readonly epoch: number;
  readonly quorumId: number;
  /** Number of the block that confirmed it. */
  readonly block: number;
  /** Leaves that were not paid for and count for nothing. */
  readonly voids: ReadonlySet<number>;
}

/**
 * Confirmed batches from the entrance's events in final blocks, in the chain's order.
 *
 * The first refresh reads the entrance's whole history, later ones what came since. The newest 131,072 are
 * kept.
 */
export class BatchLog {
  readonly #entrance: Entrance;
  readonly #events: FinalEvents;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  #batches: LoggedConfirmation[] = [];
  #voids: { readonly transaction: string; readonly leaves: Set<number> } | undefined;

  constructor(entrance: Entrance) {
    this.#entrance = entrance;
    this.#events = new FinalEvents(
      entrance,
      { contract: entrance.contract, events: ['BatchConfirmed', 'PromiseVoid'] },
      { take: (log) => this.#take(log), forget: () => this.#forget() },
    );
  }

  /**
   * Batches of an epoch and later ones, up to the newest final block.
   *
   * @param fromEpoch - those before are let go, and do not come again
   * @throws {DaError} DA_BAD_EVENT; {QueueFullError}; what the client throws
   */
  async since(fromEpoch: number, { signal }: CallOptions): Promise<readonly LoggedConfirmation[]> {
    return this.#turn.run(async () => {
      await this.#events.refresh({ signal });
      this.#batches = this.#batches.filter(({ epoch }) => epoch >= fromEpoch);
      return [...this.#batches];
    }, signal);
  }

  #take(log: LogRecord): void {
    const { contract } = this.#entrance;
    if (log.topics[0] === contract.topic('PromiseVoid')) {
      if (this.#voids?.transaction !== log.transactionHash) {
        this.#voids = { transaction: log.transactionHash, leaves: new Set() };
      }
      const { leaves } = this.#voids;
      if (leaves.size < MAX_VOIDS)
        leaves.add(contract.decode('PromiseVoid', log).number('leafIndex'));
      return;
    }
    const isOfThis = this.#voids?.transaction === log.transactionHash;
    const voids = isOfThis ? (this.#voids?.leaves ?? new Set<number>()) : new Set<number>();
    this.#voids = undefined;
    const { root, epoch, quorumId, block } = decodeBatchConfirmation(contract, log);
    this.#batches.push({ root, epoch, quorumId, block: block.number, voids });
    if (this.#batches.length > MAX_BATCHES) this.#batches.shift();
  }

  #forget(): void {
    this.#batches = [];
    this.#voids = undefined;
  }
}
