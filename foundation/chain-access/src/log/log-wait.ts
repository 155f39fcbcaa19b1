import type { Clock } from '@cairn/primitives';

/** What keeps a log from going on. */
export interface ChainLogWait {
  /** The block that is read next. */
  readonly block: number;
  /** What the last look came to. */
  readonly reason: string;
  /** When it began, on the clock that only grows, in ms. */
  readonly sinceMs: number;
  /** Looks since then. */
  readonly tries: number;
}

/** Tells a listener when a wait begins, goes on and ends. */
export class LogWaits {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #listener: ((wait: ChainLogWait | undefined) => void) | undefined;
  #wait: ChainLogWait | undefined;

  constructor(
    clock: Pick<Clock, 'monotonic'>,
    listener: ((wait: ChainLogWait | undefined) => void) | undefined,
  ) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** A look got nowhere. */
  note(block: number, reason: string): void {
    const { sinceMs = this.#clock.monotonic(), tries = 0 } = this.#wait ?? {};
    this.#wait = { block, reason, sinceMs, tries: tries + 1 };
    this.#listener?.(this.#wait);
  }

  /** A look got on. */
  over(): void {
    if (this.#wait === undefined) return;
    this.#wait = undefined;
    this.#listener?.(undefined);
  }
}
