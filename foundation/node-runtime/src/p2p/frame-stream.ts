import { setMaxListeners } from 'node:events';
import type { Stream } from '@libp2p/interface';
import { P2pError } from './errors.ts';
import { encodeFrame, FRAME_HEAD_BYTES, FrameReader } from './frames.ts';

/** What a stream takes from the other side. */
export interface FrameStreamOptions {
  readonly what: 'request' | 'reply';
  /** Bytes of one message at most. */
  readonly maxBytes: number;
  /** Told of bytes as they come. */
  readonly onReceived: (bytes: number) => void;
}

/** Time that the other side has to close its half of a stream. */
const CLOSE_MS = 1000;

/**
 * A stream that carries one message at a time in each direction. libp2p hands over what comes whether
 * it is wanted or not, so what is more than one message of the bound ends the stream.
 */
export class FrameStream {
  readonly #stream: Stream;
  readonly #reader: FrameReader;
  #failure: Error | undefined;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  constructor(stream: Stream, { what, maxBytes, onReceived }: FrameStreamOptions) {
    this.#stream = stream;
    this.#reader = new FrameReader(what, maxBytes);
    stream.addEventListener('message', ({ data }) => {
      onReceived(data.byteLength);
      this.#take(data.subarray());
    });
    stream.addEventListener('end', () => this.#end());
    stream.addEventListener('close', ({ error }) => {
      this.#failure ??= error;
      this.#end();
    });
    if (stream.readableEnded || stream.status !== 'open') this.#end();
  }

  /** Whether it can carry another request. */
  get isOpen(): boolean {
    return this.#stream.status === 'open' && !this.#hasEnded && this.#failure === undefined;
  }

  /** Whether part of a message has come since the last one. */
  get hasBegun(): boolean {
    return this.#reader.hasBegun;
  }

  /**
   * The next message; `undefined` if the other side closed its half in between two.
   *
   * @throws {P2pError} P2P_TOO_LONG, P2P_FRAME; what ended the stream; the signal's reason
   */
  async receive(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure !== undefined) throw this.#failure;
      const message = this.#reader.take();
      if (message !== undefined) return message;
      if (this.#hasEnded) {
        if (!this.#reader.hasBegun) return undefined;
        throw new P2pError({ code: 'P2P_FRAME', reason: 'cut' }, 'a message was cut short');
      }
      await this.#changed(signal);
    }
  }

  /**
   * Sends a message; resolves once all of it is with the connection.
   *
   * @returns bytes that were sent
   * @throws what ended the stream; the signal's reason
   */
  async send(message: Uint8Array, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    this.#stream.send(encodeFrame(message));
    while (this.#stream.writeBufferLength > 0) {
      if (this.#stream.status !== 'open') throw this.#failure ?? new Error('the stream was closed');
      await emptied(this.#stream, signal);
    }
    return FRAME_HEAD_BYTES + message.length;
  }

  /** Says that no more comes, and waits a moment for the other side to say so as well. */
  async close(): Promise<void> {
    const stream = this.#stream;
    const signal = AbortSignal.timeout(CLOSE_MS);
    try {
      const closed = isClosed(stream) ? Promise.resolve() : closeOf(stream, signal);
      await Promise.all([stream.close({ signal }), closed]);
    } catch (error) {
      stream.abort(asError(error));
    }
  }

  /** Ends it at once, both ways. */
  abort(reason: unknown): void {
    this.#stream.abort(asError(reason));
  }

  #take(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#failure = asError(error);
      this.#stream.abort(this.#failure);
    }
    this.#wake();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      this.#wake = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function isClosed(stream: Stream): boolean {
  return stream.status !== 'open' && stream.status !== 'closing';
}

/** Resolves once what was to be sent has left, or the stream has closed. */
function emptied(stream: Stream, signal: AbortSignal): Promise<void> {
  return firstOf(stream, ['idle', 'close'], signal);
}

function closeOf(stream: Stream, signal: AbortSignal): Promise<void> {
  return firstOf(stream, ['close'], signal);
}

function firstOf(
  stream: Stream,
  names: readonly ('idle' | 'close')[],
  signal: AbortSignal,
): Promise<void> {
  setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      for (const name of names) stream.removeEventListener(name, onEvent);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onEvent = (): void => settle(resolve);
    const onAbort = (): void => settle(() => reject(signal.reason));
    for (const name of names) stream.addEventListener(name, onEvent);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
