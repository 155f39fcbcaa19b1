/** How a concurrent map runs. */
export interface MapConcurrentOptions {
  /** Items in work or finished but not yet taken, at most. */
  readonly parallel: number;
  readonly signal: AbortSignal;
}

/** Why a signal ends whose work is done. */
const DONE = new Error('the work is done');

/**
 * Maps items several at a time and yields the results in order.
 *
 * The consumer pulls: no more than `parallel` items are ever ahead of it. When one fails, or the
 * consumer stops, the signal given to the others aborts and all are awaited before this returns.
 *
 * @throws what `map` throws, for the first item in order that failed; the signal's reason
 */
export async function* mapConcurrent<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  map: (item: Item, signal: AbortSignal) => Promise<Result>,
  { parallel, signal }: MapConcurrentOptions,
): AsyncGenerator<Result, void, void> {
  if (!Number.isSafeInteger(parallel) || parallel < 1) {
    throw new RangeError(`parallel must be a positive integer, not ${parallel}`);
  }
  // Made for the first item: loops that look for work every second mostly find none.
  let inner: AbortSignal | undefined;
  let stop: AbortController | undefined;
  const iterator = iteratorOf(items);
  const running: Promise<Result>[] = [];
  let exhausted = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      while (!exhausted && running.length < parallel) {
        const next = await iterator.next();
        if (next.done === true) {
          exhausted = true;
          break;
        }
        stop ??= new AbortController();
        inner ??= AbortSignal.any([signal, stop.signal]);
        const result = map(next.value, inner);
        result.catch(() => undefined); // awaited in order below; this only marks it as seen
        running.push(result);
      }
      const first = running.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    // Also when all is done: a joined signal that is still listened to lives until it aborts.
    stop?.abort(running.length > 0 ? new Error('a sibling failed or the consumer stopped') : DONE);
    await Promise.allSettled(running);
    await iterator.return?.();
  }
}

/**
 * Runs `visit` over items several at a time, for its effects.
 *
 * @throws the first failure; the others are aborted and awaited first
 */
export async function forEachConcurrent<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  visit: (item: Item, signal: AbortSignal) => Promise<void>,
  options: MapConcurrentOptions,
): Promise<void> {
  for await (const _ of mapConcurrent(items, visit, options)) {
    // the results are undefined; pulling them drives the work
  }
}

function iteratorOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncIterator<Item> | Iterator<Item> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
