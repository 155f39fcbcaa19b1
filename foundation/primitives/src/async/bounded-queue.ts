import { QueueFullError } from './semaphore.ts';

/**
 * A queue between a producer and a consumer that never holds more than `capacity` items.
 *
 * `push` refuses when full, `put` waits; the consumer iterates until `close` and the last item.
 */
export class BoundedQueue<Item> {
  readonly #capacity: number;
  readonly #items: Item[] = [];
  #closed = false;
  /** Made by whoever waits: mostly nobody does. */
  #wake: Deferred | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Items waiting now. */
  get length(): number {
    return this.#items.length;
  }

  /** @throws {QueueFullError} QUEUE_FULL; {Error} once closed */
  push(item: Item): void {
    if (this.#closed) throw new Error('the queue is closed');
    if (this.#items.length >= this.#capacity) {
      throw new QueueFullError(
        { code: 'QUEUE_FULL', running: 0, waiting: this.#items.length },
        `${this.#items.length} items wait, which is the most allowed`,
      );
    }
    this.#items.push(item);
    this.#signal();
  }

  /** Waits for room. @throws the signal's reason; {Error} once closed */
  async put(item: Item, signal: AbortSignal): Promise<void> {
    while (this.#items.length >= this.#capacity && !this.#closed) await this.#changed(signal);
    this.push(item);
  }

  /** No more items will come; the consumer gets what is left. */
  close(): void {
    this.#closed = true;
    this.#signal();
  }

  /** Items in order until the queue is closed and empty. @throws the signal's reason */
  take(signal: AbortSignal): AsyncIterableIterator<Item, void, void> {
    // No generator: each item would take three turns of the queue of promises instead of one.
    const next = async (): Promise<IteratorResult<Item, void>> => {
      for (;;) {
        signal.throwIfAborted();
        const item = this.#items.shift();
        if (item !== undefined) {
          this.#signal();
          return { done: false, value: item };
        }
        if (this.#closed) return { done: true, value: undefined };
        await this.#changed(signal);
      }
    };
    return {
      next,
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #signal(): void {
    const waiting = this.#wake;
    this.#wake = undefined;
    waiting?.resolve();
  }

  #changed(signal: AbortSignal): Promise<void> {
    this.#wake ??= deferred();
    const { promise } = this.#wake;
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      void promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
