import { abortable, type Clock } from '@cairn/primitives';

/** Wakes one loop that waits for something to do. A ring that comes early is not lost. */
export class Bell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort(new Error('there is something to do'));
  }

  /** Resolves when the bell rings or the time is over. @throws the signal's reason */
  async wait(clock: Pick<Clock, 'sleep'>, durationMs: number, signal: AbortSignal): Promise<void> {
    const rung = this.#rung.signal;
    const either = AbortSignal.any([signal, rung]);
    try {
      either.throwIfAborted();
      await abortable(clock.sleep(durationMs, either), either);
    } catch (error) {
      signal.throwIfAborted();
      if (!rung.aborted) throw error;
    } finally {
      if (rung.aborted) this.#rung = new AbortController();
    }
  }
}
