import { QueueFullError } from '@cairn/primitives';

interface Waiter {
  readonly weight: number;
  readonly admit: () => void;
}

/** How much may be in use at once, and how many may wait for some of it. */
export interface ByteBudgetOptions {
  readonly maxBytes: number;
  readonly maxWaiting: number;
}

/**
 * Memory that work takes and gives back, first come, first served. Work that needs more than all of
 * it runs alone.
 */
export class ByteBudget {
  readonly #options: ByteBudgetOptions;
  readonly #waiters = new Set<Waiter>();
  #usedBytes = 0;

  constructor(options: ByteBudgetOptions) {
    this.#options = options;
  }

  /** Bytes taken now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Takes `bytes` once there is room.
   *
   * @returns gives them back; does nothing the second time
   * @throws {QueueFullError} QUEUE_FULL; the signal's reason
   */
  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    const weight = Math.min(bytes, this.#options.maxBytes);
    await this.#enter(weight, signal);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#usedBytes -= weight;
      this.#admitNext();
    };
  }

  #enter(weight: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiters.size === 0 && this.#hasRoom(weight)) {
      this.#usedBytes += weight;
      return Promise.resolve();
    }
    const waiting = this.#waiters.size;
    if (waiting >= this.#options.maxWaiting) {
      throw new QueueFullError(
        { code: 'QUEUE_FULL', running: 0, waiting },
        `${waiting} already wait for memory, which is the most allowed`,
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
        this.#admitNext();
      };
      const waiter: Waiter = {
        weight,
        admit: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #admitNext(): void {
    for (const waiter of this.#waiters) {
      if (!this.#hasRoom(waiter.weight)) return;
      this.#waiters.delete(waiter);
      this.#usedBytes += waiter.weight;
      waiter.admit();
    }
  }

  #hasRoom(weight: number): boolean {
    return this.#usedBytes + weight <= this.#options.maxBytes;
  }
}
