import { abortable } from '@cairn/primitives';

/**
 * Tells any number of waiters that something changed. Take `next` before looking at what may have
 * changed, and wait for it after: no change is lost then.
 */
export class Notice {
  #next: Promise<void>;
  #ring: () => void = () => undefined;

  constructor() {
    this.#next = this.#renew();
  }

  /** Resolves at the next ring. */
  get next(): Promise<void> {
    return this.#next;
  }

  ring(): void {
    const ring = this.#ring;
    this.#next = this.#renew();
    ring();
  }

  /** Resolves at the next ring. @throws the signal's reason */
  wait(signal: AbortSignal): Promise<void> {
    return abortable(this.#next, signal);
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      this.#ring = resolve;
    });
  }
}
