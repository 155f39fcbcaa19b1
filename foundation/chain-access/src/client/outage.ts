import { type Clock, describeError, type Logger } from '@cairn/primitives';

/** The longest wait between looks at a chain that does not answer; catching up begins within it. */
const MAX_WAIT_MS = 10_000;

/**
 * The time in which a chain gives nothing usable: waits that grow, one log line when it begins and
 * one when it ends, however long it lasts.
 */
export class Outage {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #firstWaitMs: number;
  #since: number | undefined;
  #waitMs: number;

  constructor(
    deps: { readonly clock: Clock; readonly logger: Logger },
    options: { readonly firstWaitMs: number },
  ) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#firstWaitMs = Math.min(options.firstWaitMs, MAX_WAIT_MS);
    this.#waitMs = this.#firstWaitMs;
  }

  /** Whether the chain gave nothing usable when last asked. */
  get active(): boolean {
    return this.#since !== undefined;
  }

  /** Logs the first failure of an outage, then waits: twice as long each time, 10 s at most. */
  async wait(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#since === undefined) {
      this.#since = this.#clock.monotonic();
      this.#logger.warn(
        { reason: describeError(error), retryInMs: this.#waitMs },
        'the chain gives nothing usable, waiting for it',
      );
    } else {
      this.#logger.debug(
        { reason: describeError(error), retryInMs: this.#waitMs },
        'the chain still gives nothing usable',
      );
    }
    await this.#clock.sleep(this.#waitMs, signal);
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_WAIT_MS);
  }

  /** The chain answered. */
  over(): void {
    if (this.#since === undefined) return;
    this.#logger.info(
      { lastedMs: Math.round(this.#clock.monotonic() - this.#since) },
      'the chain answers again',
    );
    this.#since = undefined;
    this.#waitMs = this.#firstWaitMs;
  }
}
