import type { Clock } from '@cairn/primitives';
import { type BlobStage, hasReached } from './blob-record.ts';

/** Waits between tries, the first and the longest. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Exponent from which waits could not be told from the longest. */
const MAX_FAILURES = 32;

/** How long a journey waits after a failure: longer each time, until it gets further than ever before. */
export class JourneyPace {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #backoff: Backoff;
  #failures = 0;
  #furthest: BlobStage = 'accepted';

  constructor(clock: Pick<Clock, 'sleep'>, backoff: Backoff) {
    this.#clock = clock;
    this.#backoff = backoff;
  }

  /** Going to and fro between two stages is no progress: waits get longer all the same. */
  note(stage: BlobStage): void {
    const isBack = stage === 'committed';
    if (!isBack && hasReached(this.#furthest, stage)) return;
    this.#furthest = stage;
    this.#failures = 0;
  }

  /** @throws the signal's reason */
  async backOff(signal: AbortSignal): Promise<void> {
    const { firstMs, maxMs } = this.#backoff;
    const waitMs = Math.min(firstMs * 2 ** this.#failures, maxMs);
    this.#failures = Math.min(this.#failures + 1, MAX_FAILURES);
    await this.#clock.sleep(waitMs, signal);
  }
}
