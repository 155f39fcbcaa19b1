import { type Address, Semaphore } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import type { LogRecord } from '../client/parse-replies.ts';
import { FinalEvents } from './final-events.ts';
import type { Hub } from './open-hub.ts';

/** Accounts a book holds at most, those with the most votes: some 10 MB. */
const MAX_VOTERS = 65_536;
/** Readers that wait for a refresh at a time. */
const MAX_WAITING = 1024;

const EVENT = 'VotesChanged';

/** Votes of an account after its newest change. */
interface Votes {
  readonly votes: number;
  readonly fromEpoch: number;
}

/**
 * Accounts with votes, whether they registered a key or not, from the stake hub's events in final
 * blocks: stake alone makes an account owe tickets.
 *
 * The first refresh reads the hub's whole history, later ones what came since. Of more than 65,536
 * accounts those with the fewest votes are left out until these change.
 */
export class VoterBook {
  readonly #hub: Hub;
  readonly #events: FinalEvents;
  readonly #turn = new Semaphore({ limit: 1, maxWaiting: MAX_WAITING });
  readonly #voters = new Map<Address, Votes>();
  readonly #maxVoters: number;

  /** @param options - `maxVoters`: how many are kept; 65,536 unless told */
  constructor(hub: Hub, { maxVoters = MAX_VOTERS }: { readonly maxVoters?: number } = {}) {
    this.#hub = hub;
    this.#maxVoters = maxVoters;
    const source = { contract: hub.stakeHub, events: [EVENT] };
    const keeper = {
      take: (log: LogRecord) => this.#take(log),
      forget: () => this.#voters.clear(),
    };
    this.#events = new FinalEvents(hub, source, keeper);
  }

  /**
   * Who may have votes in an epoch or a later one, as of the newest final block.
   *
   * @param epoch - the current one or a later one; those who lost their votes before are let go
   * @throws {DaError} DA_BAD_EVENT; {QueueFullError}; what the client throws
   */
  async votersFrom(epoch: number, { signal }: CallOptions): Promise<readonly Address[]> {
    return this.#turn.run(async () => {
      await this.#events.refresh({ signal });
      for (const [voter, { votes, fromEpoch }] of this.#voters) {
        if (votes === 0 && fromEpoch <= epoch) this.#voters.delete(voter);
      }
      return [...this.#voters.keys()];
    }, signal);
  }

  #take(log: LogRecord): void {
    const values = this.#hub.stakeHub.decode(EVENT, log);
    const voter = values.address('owner');
    this.#voters.set(voter, {
      votes: values.number('votes'),
      fromEpoch: values.number('fromEpoch'),
    });
    if (this.#voters.size > this.#maxVoters) this.#leaveOutFewest();
  }

  #leaveOutFewest(): void {
    let fewest: Address | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const [voter, { votes }] of this.#voters) {
      if (votes < least) [fewest, least] = [voter, votes];
    }
    if (fewest !== undefined) this.#voters.delete(fewest);
  }
}
