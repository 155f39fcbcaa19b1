import { type Clock, concatBytes, DeadlineError, withDeadline } from '@cairn/primitives';
import { StorageNodeError } from './errors.ts';

/** How much of request bodies may be in memory. */
export interface BodyGateOptions {
  /** Bytes of large bodies being read and worked on together. */
  readonly budgetBytes: number;
  /** Large bodies that may wait for their turn, unread. */
  readonly maxWaiting: number;
}

/** A request body that has not been read. */
export interface UnreadBody {
  /** The body as it arrives; nothing is read before the first pull. */
  readonly stream: AsyncIterable<Uint8Array>;
  /** What `content-length` announced; `undefined` for a body sent in pieces. */
  readonly declaredBytes: number | undefined;
  readonly maxBytes: number;
}

/** Bodies up to here are read at once: a socket's buffer holds as much anyway. */
const SMALL_BODY_BYTES = 65_536;
/** What a body of unannounced length reserves, and the most it may have. */
const PIECEWISE_BODY_BYTES: number = 8 * 1024 ** 2;
/** Time any body may take, and the rate from which a longer one gets more. */
const BODY_TIMEOUT_MS = 30_000;
const MIN_BYTES_PER_SECOND = 65_536;

interface Waiter {
  readonly weight: number;
  readonly admit: () => void;
}

/**
 * Keeps the memory of request bodies within a budget, however many clients send at once.
 *
 * A large body is not read before the budget has room for it, so its sender is held back by the
 * socket; first come, first served. The room is given back when the request is answered. A body
 * larger than the whole budget is let in alone.
 */
export class BodyGate {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #options: BodyGateOptions;
  readonly #waiters = new Set<Waiter>();
  #usedBytes = 0;

  constructor(deps: { readonly clock: Pick<Clock, 'sleep'> }, options: BodyGateOptions) {
    this.#clock = deps.clock;
    this.#options = options;
  }

  /** Bytes reserved now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bodies waiting now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Reads a body when there is room for it and hands it to `use`.
   *
   * @throws {StorageNodeError} WIRE_TOO_LONG, before reading if the length was announced;
   * WIRE_TOO_SLOW; QUEUE_FULL
   * @throws what `use` throws; the signal's reason
   */
  async read<Result>(
    body: UnreadBody,
    use: (bytes: Uint8Array) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    const { declaredBytes, maxBytes } = body;
    if (declaredBytes !== undefined && declaredBytes > maxBytes) throw tooLarge(maxBytes);
    if (declaredBytes !== undefined && declaredBytes <= SMALL_BODY_BYTES) {
      return use(await this.#collect(body, declaredBytes, signal));
    }
    const limit = declaredBytes ?? Math.min(maxBytes, PIECEWISE_BODY_BYTES);
    const weight = Math.min(limit, this.#options.budgetBytes);
    await this.#enter(weight, signal);
    try {
      return await use(await this.#collect(body, limit, signal));
    } finally {
      this.#leave(weight);
    }
  }

  async #collect(body: UnreadBody, limit: number, signal: AbortSignal): Promise<Uint8Array> {
    let receivedBytes = 0;
    const timeoutMs = BODY_TIMEOUT_MS + (limit / MIN_BYTES_PER_SECOND) * 1000;
    const work = async (inner: AbortSignal): Promise<Uint8Array> => {
      const parts: Uint8Array[] = [];
      for await (const part of abortableParts(body.stream, inner)) {
        receivedBytes += part.length;
        if (receivedBytes > limit) throw tooLarge(body.maxBytes);
        parts.push(part);
      }
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(...parts);
    };
    try {
      return await withDeadline('a request body', timeoutMs, work, { clock: this.#clock, signal });
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      throw new StorageNodeError(
        { code: 'WIRE_TOO_SLOW', receivedBytes },
        `only ${receivedBytes} bytes of the request arrived in ${Math.round(timeoutMs)} ms`,
      );
    }
  }

  async #enter(weight: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiters.size === 0 && this.#hasRoom(weight)) {
      this.#usedBytes += weight;
      return;
    }
    const { maxWaiting } = this.#options;
    if (this.#waiters.size >= maxWaiting) {
      throw new StorageNodeError(
        { code: 'QUEUE_FULL', waiting: this.#waiters.size, limit: maxWaiting },
        `${this.#waiters.size} uploads already wait for their turn`,
      );
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
        this.#admitNext();
      };
      const waiter: Waiter = {
        weight,
        admit: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #leave(weight: number): void {
    this.#usedBytes -= weight;
    this.#admitNext();
  }

  #admitNext(): void {
    for (const waiter of this.#waiters) {
      if (!this.#hasRoom(waiter.weight)) return;
      this.#waiters.delete(waiter);
      this.#usedBytes += waiter.weight;
      waiter.admit();
    }
  }

  #hasRoom(weight: number): boolean {
    return this.#usedBytes + weight <= this.#options.budgetBytes;
  }
}

/** The parts of a stream, given up as soon as `signal` aborts even if nothing arrives. */
async function* abortableParts(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = stream[Symbol.asyncIterator]();
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  aborted.catch(() => undefined); // raced below
  try {
    for (;;) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function tooLarge(maxBytes: number): StorageNodeError {
  return new StorageNodeError(
    { code: 'WIRE_TOO_LONG', what: 'request body', max: maxBytes },
    `the request is larger than ${maxBytes} bytes`,
  );
}
