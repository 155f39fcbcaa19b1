import { setMaxListeners } from 'node:events';
import { describeError, type Root } from '@cairn/primitives';
import type { ArchiveBook } from './archive-book.ts';
import type { DispersalQueue } from './dispersal-queue.ts';
import { disperseBlob, type JourneyDeps } from './disperse-blob.ts';
import type { JourneySignals } from './order-blob.ts';

/** What journeys are run with. */
export interface JourneysDeps {
  readonly journey: JourneyDeps;
  readonly archives: Pick<ArchiveBook, 'isWanted'>;
  readonly queue: Pick<DispersalQueue, 'leave'>;
}

/** The journeys of blobs under way: one for each, again for as long as there is something to do. */
export class Journeys {
  readonly #deps: JourneysDeps;
  readonly #underWay = new Map<Root, Promise<void>>();
  /** Blobs for which there may be more to do when their journey ends. */
  readonly #again = new Set<Root>();
  /** Of the run under way: ends journeys. */
  #running: AbortSignal | undefined;

  constructor(deps: JourneysDeps) {
    this.#deps = deps;
  }

  /** Lets journeys begin, until `signal` aborts. */
  open(signal: AbortSignal): void {
    setMaxListeners(0, signal); // some for each blob under way
    this.#running = signal;
  }

  /** Resolves when all have ended, and no other begins. */
  async close(): Promise<void> {
    this.#running = undefined;
    await Promise.allSettled(this.#underWay.values());
    const { orders, certifier } = this.#deps.journey;
    await Promise.all([orders.settled(), certifier.settled()]);
  }

  /** Starts a blob's journey; one that is under way looks again before it ends. */
  begin(id: Root): void {
    const shared = this.#running;
    if (shared === undefined || shared.aborted) return;
    if (this.#underWay.has(id)) {
      this.#again.add(id);
      return;
    }
    const own = new AbortController(); // what it derives goes with it, and not with the run
    setMaxListeners(0, own.signal); // some for each member of the quorum
    const stop = (): void => own.abort(shared.reason);
    shared.addEventListener('abort', stop, { once: true });
    const journey = this.#run(id, { own: own.signal, shared })
      .then(() => true)
      .catch(() => false) // the run ends
      .then((isOver) => {
        shared.removeEventListener('abort', stop);
        this.#underWay.delete(id);
        if (this.#again.delete(id) || (isOver && this.#isArchivable(id))) this.begin(id);
        else if (isOver) this.#deps.queue.leave(id);
      });
    this.#underWay.set(id, journey);
  }

  #isArchivable(id: Root): boolean {
    const { journey, archives } = this.#deps;
    return journey.archiver !== undefined && archives.isWanted(id);
  }

  /** Journey after journey until nothing is left to do for the blob. @throws the signal's reason */
  async #run(id: Root, signals: JourneySignals): Promise<void> {
    const { journey } = this.#deps;
    const { store, clock, logger, backoff } = journey;
    for (;;) {
      this.#again.delete(id);
      try {
        const record = await store.get(id); // now that no other journey writes it
        if (record === undefined) return;
        if (record.stage === 'final' && !this.#isArchivable(id)) return;
        await disperseBlob(record, journey, signals);
      } catch (error) {
        signals.own.throwIfAborted();
        const againMs = backoff.maxMs;
        logger.error({ id, reason: describeError(error), againMs }, 'the journey of a blob failed');
        await clock.sleep(againMs, signals.own);
      }
    }
  }
}
