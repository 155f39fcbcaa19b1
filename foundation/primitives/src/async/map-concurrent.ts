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
  requireParallel(parallel);
  // Made for the first item: loops that look for work every second mostly find none. One controller
  // that hears of the caller's signal is a third of the cost of signals that are joined.
  let stop: AbortController | undefined;
  const relay = (): void => stop?.abort(signal.reason);
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
        if (stop === undefined) {
          stop = new AbortController();
          signal.addEventListener('abort', relay, { once: true });
          if (signal.aborted) relay(); // while the first item was waited for
        }
        const result = map(next.value, stop.signal);
        result.catch(() => undefined); // awaited in order below; this only marks it as seen
        running.push(result);
      }
      const first = running.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    signal.removeEventListener('abort', relay);
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
  { parallel, signal }: MapConcurrentOptions,
): Promise<void> {
  requireParallel(parallel);
  let stop: AbortController | undefined;
  const relay = (): void => stop?.abort(signal.reason);
  const iterator = iteratorOf(items);
  const failures: unknown[] = [];
  let running = 0;
  let onEnd: () => void = () => undefined;
  const untilSomeEnds = (): Promise<void> =>
    new Promise((resolve) => {
      onEnd = resolve;
    });
  const end = (): void => {
    running -= 1;
    onEnd();
  };
  const fail = (error: unknown): void => {
    failures.push(error);
    stop?.abort(new Error('a sibling failed'));
    end();
  };
  try {
    signal.throwIfAborted();
    while (failures.length === 0) {
      const taken = iterator.next();
      const next = 'then' in taken ? await taken : taken;
      signal.throwIfAborted();
      if (next.done === true || failures.length > 0) break;
      if (stop === undefined) {
        stop = new AbortController();
        signal.addEventListener('abort', relay, { once: true });
      }
      const visiting = visit(next.value, stop.signal);
      running += 1;
      visiting.then(end, fail);
      while (running >= parallel) await untilSomeEnds();
    }
    // What is under way goes on to its end, unless the caller stops it.
    while (running > 0) await untilSomeEnds();
  } finally {
    signal.removeEventListener('abort', relay);
    // Also when all is done: a signal joined to this one that is still listened to lives until it aborts.
    stop?.abort(signal.aborted ? signal.reason : DONE);
    while (running > 0) await untilSomeEnds();
    await iterator.return?.();
  }
  if (failures.length > 0) throw failures[0];
}

/** @throws {RangeError} */
function requireParallel(parallel: number): void {
  if (Number.isSafeInteger(parallel) && parallel >= 1) return;
  throw new RangeError(`parallel must be a positive integer, not ${parallel}`);
}

function iteratorOf<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncIterator<Item> | Iterator<Item> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
