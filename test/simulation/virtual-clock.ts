import type { Clock } from '@cairn/primitives';

/** Where simulated time begins, in milliseconds since the Unix epoch: some day of 2026. */
const EPOCH_MS = 1_780_000_000_000;
/** What is due within the same tick happens at one time: fewer turns of the machine's own queue. */
const TICK_MS = 5;

/** What is due at one time, in order of asking. */
type Due = Timer[];

/** Something that is run later, unless nobody wants it any more. */
export interface Timer {
  /** `undefined`: given up. Whoever asked for it may do that. */
  run: (() => void) | undefined;
}

/** A clock that stands still until it is turned. What is due at one time happens in order of asking. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  /** Who wakes when a signal aborts: one listener does for all of them, and for those that come later. */
  readonly #sleepers = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>();
  /** Times at which something is due, a binary heap: none is before its parent. */
  readonly #heap: number[] = [];
  readonly #due = new Map<number, Due>();

  now(): number {
    return EPOCH_MS + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const sleepers = this.#sleepersOf(signal);
      const timer = this.after(durationMs, () => {
        sleepers.delete(wake);
        resolve();
      });
      const wake = (reason: unknown): void => {
        timer.run = undefined;
        reject(reason);
      };
      sleepers.add(wake);
    });
  }

  /** Resolves later: a sleep that nobody ends early. */
  wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.after(durationMs, resolve));
  }

  /** Runs something later; at the end of this tick at the earliest. */
  after(durationMs: number, run: () => void): Timer {
    const timer = { run };
    this.#dueAt(durationMs).push(timer);
    return timer;
  }

  /** Goes on to the next time at which something is due and does all that is. @returns false: nothing ever is */
  async turn(): Promise<boolean> {
    for (;;) {
      const [atMs] = this.#heap;
      if (atMs === undefined) return false;
      const due = this.#due.get(atMs) ?? [];
      if (due.some(({ run }) => run !== undefined)) {
        this.#nowMs = atMs;
        // What asks for this very time meanwhile is run too.
        for (const timer of due) timer.run?.();
        this.#next(atMs);
        await settled();
        return true;
      }
      this.#next(atMs);
    }
  }

  /** Leaves a time behind. */
  #next(atMs: number): void {
    this.#due.delete(atMs);
    this.#pop();
  }

  #dueAt(durationMs: number): Due {
    const atMs = Math.ceil((this.#nowMs + Math.max(0, durationMs)) / TICK_MS) * TICK_MS;
    const known = this.#due.get(atMs);
    if (known !== undefined) return known;
    const due: Due = [];
    this.#due.set(atMs, due);
    this.#push(atMs);
    return due;
  }

  #sleepersOf(signal: AbortSignal): Set<(reason: unknown) => void> {
    const known = this.#sleepers.get(signal);
    if (known !== undefined) return known;
    const sleepers = new Set<(reason: unknown) => void>();
    const wakeAll = (): void => {
      for (const wake of sleepers) wake(signal.reason);
      sleepers.clear();
    };
    this.#sleepers.set(signal, sleepers);
    signal.addEventListener('abort', wakeAll, { once: true });
    return sleepers;
  }

  #push(atMs: number): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(atMs);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above < atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = atMs;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && right < left) child += 1;
      const below = heap[child];
      if (below === undefined || last < below) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

/** Resolves once no promise is left that could go on by itself. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
