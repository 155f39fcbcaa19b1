import { abortable, type Clock, describeError, type Logger } from '@cairn/primitives';

/** What becomes of a loop that fails. */
export type LoopFailure =
  /** The runner aborts everything else and `failed` tells why. */
  | 'fatal'
  /** It is logged and begun again, after a wait that doubles from 1 s to 60 s. */
  | 'restart';

/** What a runner works with. */
export interface RunnerDeps {
  readonly clock: Pick<Clock, 'sleep' | 'monotonic'>;
  readonly logger: Logger;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Owns background loops: nothing it runs outlives `stop`, and no failure goes unseen.
 *
 * A loop is given a signal and runs until that aborts; one that returns early is done.
 */
export class Runner {
  readonly #deps: RunnerDeps;
  readonly #abort = new AbortController();
  readonly #loops = new Set<Promise<void>>();
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
    this.#failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined); // a runner whose owner does not look has logged it
  }

  /** Aborts when the runner stops or a fatal loop fails. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Rejects with the failure of the first fatal loop that fails; never resolves. */
  get failed(): Promise<never> {
    return this.#failed;
  }

  /** Loops running or waiting to begin again. */
  get running(): number {
    return this.#loops.size;
  }

  /** Starts a loop. After `stop` it does nothing. */
  run(
    name: string,
    loop: (signal: AbortSignal) => Promise<void>,
    { onFailure = 'fatal' }: { readonly onFailure?: LoopFailure } = {},
  ): void {
    if (this.#abort.signal.aborted) return;
    const running = this.#drive(name, loop, onFailure).finally(() => this.#loops.delete(running));
    this.#loops.add(running);
  }

  /** Aborts every loop and waits for all of them. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('the runner was stopped'));
    while (this.#loops.size > 0) await Promise.allSettled(this.#loops);
  }

  async #drive(
    name: string,
    loop: (signal: AbortSignal) => Promise<void>,
    onFailure: LoopFailure,
  ): Promise<void> {
    const { clock, logger } = this.#deps;
    const { signal } = this.#abort;
    let waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const began = clock.monotonic();
      try {
        await loop(signal);
        return;
      } catch (error) {
        if (signal.aborted) return; // the way a loop ends
        if (onFailure === 'fatal') {
          logger.error({ loop: name, error }, 'a background loop failed');
          this.#fail(error);
          this.#abort.abort(error);
          return;
        }
        if (clock.monotonic() - began > LONGEST_WAIT_MS) waitMs = FIRST_WAIT_MS; // it did well
        const reason = describeError(error);
        logger.warn({ loop: name, reason, waitMs }, 'a background loop failed and begins again');
        await abortable(clock.sleep(waitMs, signal), signal).catch(() => undefined);
        waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
      }
    }
  }
}
