import type { Clock } from '@cairn/primitives';

/** Where simulated time begins, in milliseconds since the Unix epoch: some day of 2026. */
const EPOCH_MS = 1_780_000_000_000;
/** What is due within the same tick happens at one time: fewer turns of the machine's own queue. */
const TICK_MS = 5;

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Who sleeps until a signal aborts at the latest. */
interface Sleepers {
  readonly rejects: Set<(reason: unknown) => void>;
  readonly wakeAll: () => void;
}

/** A clock that stands still until it is turned. What is due at one time happens in order of asking. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #asked = 0;
  /** Who is to be woken when a signal aborts: one listener does for all of them. */
  readonly #sleepers = new Map<AbortSignal, Sleepers>();
  /** A binary heap: nothing is due before what its parent is due. */
  readonly #heap: Due[] = [];

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
      sleepers.rejects.add(reject);
      this.after(durationMs, () => {
        sleepers.rejects.delete(reject);
        if (sleepers.rejects.size === 0 && this.#sleepers.delete(signal))
          signal.removeEventListener('abort', sleepers.wakeAll);
        resolve();
      });
    });
  }

  /** Resolves later: a sleep that nobody ends early. */
  wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.after(durationMs, resolve));
  }

  /** Runs something later; at the end of this tick at the earliest. */
  after(durationMs: number, run: () => void): void {
    const atMs = Math.ceil((this.#nowMs + Math.max(0, durationMs)) / TICK_MS) * TICK_MS;
    this.#asked += 1;
    this.#push({ atMs, order: this.#asked, run });
  }

  /** Goes on to the next thing due and does all that is due then. @returns false: nothing ever is */
  async turn(): Promise<boolean> {
    const [first] = this.#heap;
    if (first === undefined) return false;
    this.#nowMs = first.atMs;
    for (let next = first; next?.atMs === first.atMs; next = this.#heap[0] as Due) {
      this.#pop();
      next.run();
    }
    await settled();
    return true;
  }

  #sleepersOf(signal: AbortSignal): Sleepers {
    const known = this.#sleepers.get(signal);
    if (known !== undefined) return known;
    const rejects = new Set<(reason: unknown) => void>();
    const wakeAll = (): void => {
      this.#sleepers.delete(signal);
      for (const reject of rejects) reject(signal.reason);
      rejects.clear();
    };
    const sleepers = { rejects, wakeAll };
    this.#sleepers.set(signal, sleepers);
    signal.addEventListener('abort', wakeAll, { once: true });
    return sleepers;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, due)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
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
      if (right !== undefined && isBefore(right, left)) child += 1;
      const below = heap[child];
      if (below === undefined || isBefore(last, below)) break;
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

function isBefore(left: Due, right: Due): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
