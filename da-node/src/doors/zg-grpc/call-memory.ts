import { type ContextKey, createContextKey } from '@connectrpc/connect';
import type { ByteBudget } from '../../byte-budget.ts';

/** Memory that one call takes, given back together when the call is over. */
export class CallMemory {
  readonly #budget: ByteBudget;
  readonly #releases: (() => void)[] = [];
  #isOver = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Waits until there is memory. @throws {QueueFullError} QUEUE_FULL; the signal's reason */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    this.hold(await this.#budget.take(bytes, signal));
  }

  /** Calls `release` when the call is over, at once if it is. */
  hold(release: () => void): void {
    if (this.#isOver) release();
    else this.#releases.push(release);
  }

  /** Gives everything back. */
  release(): void {
    this.#isOver = true;
    for (const release of this.#releases.splice(0)) release();
  }
}

/** Under which a call finds its memory. */
export const CALL_MEMORY: ContextKey<CallMemory | undefined> = createContextKey<
  CallMemory | undefined
>(undefined, { description: 'memory of the call' });
