import { type Clock, DeadlineError, withDeadline } from '@cairn/primitives';
import { SignerError } from '../errors.ts';

/** A request body that has not been read. */
export interface UnreadBody {
  /** As it arrives; nothing is read before the first pull. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** What `content-length` announced; `undefined` for a body sent in pieces. */
  readonly declaredBytes: number | undefined;
}

/** How slow a body may be. */
export interface BodyPace {
  /** Time for any part of it. */
  readonly graceMs: number;
  /** The rate from which a long one gets more. */
  readonly minBytesPerSecond: number;
}

/** Reads a body part by part, each into memory of just its size and within its time. */
export class IncomingBody {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #pace: BodyPace;
  #rest: Uint8Array = new Uint8Array(0);
  #receivedBytes = 0;

  constructor(
    stream: AsyncIterable<Uint8Array>,
    deps: { readonly clock: Pick<Clock, 'sleep'> },
    pace: BodyPace,
  ) {
    this.#iterator = stream[Symbol.asyncIterator]();
    this.#clock = deps.clock;
    this.#pace = pace;
  }

  /**
   * `length` bytes, the first of which were taken before.
   *
   * @param before - what was taken last
   * @throws as `fill`
   */
  async take(length: number, signal: AbortSignal, before?: Uint8Array): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    await this.fill(bytes, signal, before);
    return bytes;
  }

  /**
   * Fills `bytes`, the first of which were taken before.
   *
   * @param before - what was taken last
   * @throws {SignerError} WIRE_LENGTH if the body ends before, WIRE_TOO_SLOW; the signal's reason
   */
  async fill(
    bytes: Uint8Array,
    signal: AbortSignal,
    before: Uint8Array = new Uint8Array(0),
  ): Promise<void> {
    const { length } = bytes;
    bytes.set(before);
    const { graceMs, minBytesPerSecond } = this.#pace;
    const timeoutMs = Math.ceil(graceMs + (length / minBytesPerSecond) * 1000);
    try {
      await withDeadline(
        'a request body',
        timeoutMs,
        (inner) => this.#fill(bytes.subarray(before.length), inner),
        {
          clock: this.#clock,
          signal,
        },
      );
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      const receivedBytes = this.#receivedBytes;
      throw new SignerError(
        { code: 'WIRE_TOO_SLOW', receivedBytes },
        `only ${receivedBytes} bytes of the request arrived, ${length} more were due in ${timeoutMs} ms`,
        { cause: error },
      );
    }
  }

  /** Makes sure that nothing follows. @throws {SignerError} WIRE_LENGTH; as `take` */
  async end(signal: AbortSignal): Promise<void> {
    const extra = await withDeadline(
      'the end of a request body',
      this.#pace.graceMs,
      () => this.#pull(),
      { clock: this.#clock, signal },
    );
    if (!extra) return;
    const expectedBytes = this.#receivedBytes - this.#rest.length;
    throw lengthFault(expectedBytes, this.#receivedBytes);
  }

  async #fill(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let filled = 0; filled < bytes.length; ) {
      signal.throwIfAborted();
      if (!(await this.#pull())) {
        const expectedBytes = this.#receivedBytes + bytes.length - filled;
        throw lengthFault(expectedBytes, this.#receivedBytes);
      }
      const part = this.#rest.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
  }

  /** Whether there is more. */
  async #pull(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#iterator.next();
      if (next.done === true) return false;
      this.#rest = next.value;
      this.#receivedBytes += next.value.length;
    }
    return true;
  }
}

function lengthFault(expectedBytes: number, actualBytes: number): SignerError {
  return new SignerError(
    { code: 'WIRE_LENGTH', what: 'request body', expectedBytes, actualBytes },
    `a body of ${expectedBytes} bytes was due, ${actualBytes} or more came`,
  );
}
