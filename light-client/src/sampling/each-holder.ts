import { assertPositiveInteger } from '@cairn/primitives';

/**
 * Visits items several at a time, the next one as soon as any is done: a silent holder at the front
 * keeps nobody waiting behind it.
 *
 * @throws the first failure, once the others are aborted and over; the signal's reason
 */
export async function eachHolder<Item>(
  items: readonly Item[],
  visit: (item: Item, signal: AbortSignal) => Promise<void>,
  { parallel, signal }: { readonly parallel: number; readonly signal: AbortSignal },
): Promise<void> {
  assertPositiveInteger(parallel, 'parallel');
  const stop = new AbortController();
  const queue = items.values();
  const runner = async (): Promise<void> => {
    const inner = AbortSignal.any([signal, stop.signal]); // each its own: listeners stay few
    for (const item of queue) {
      inner.throwIfAborted();
      await visit(item, inner);
    }
  };
  const running = Array.from({ length: Math.min(parallel, items.length) }, runner);
  try {
    await Promise.all(running);
    signal.throwIfAborted();
  } finally {
    stop.abort(new Error('a sibling failed'));
    await Promise.allSettled(running);
  }
}
