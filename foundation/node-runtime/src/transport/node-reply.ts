import type { IncomingMessage } from 'node:http';
import { type HttpReply, TransportError } from '@cairn/primitives';

/** A rest of this size is read to keep the connection; beyond it a new connection is cheaper. */
const MAX_DRAINED_BYTES = 65_536;

interface NodeReplyContext {
  readonly url: string;
  /** A reply to HEAD announces the length of a body that never comes. */
  readonly isHead: boolean;
  readonly signal: AbortSignal;
  readonly idleTimeoutMs: number;
}

/** A reply of `node:http` as the port describes one. */
export class NodeReply implements HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #message: IncomingMessage;
  readonly #context: NodeReplyContext;
  #fault: unknown;
  #stopWatching: () => void;

  constructor(message: IncomingMessage, context: NodeReplyContext) {
    this.#message = message;
    this.#context = context;
    this.status = message.statusCode ?? 0;
    this.headers = plainHeaders(message);
    const { signal, idleTimeoutMs, url } = context;
    const fail = (error: unknown): void => {
      this.#fault ??= error;
      message.destroy();
    };
    const onAbort = (): void => fail(signal.reason);
    const onIdle = (): void =>
      fail(
        new TransportError(
          { code: 'TRANSPORT_TIMEOUT', url, timeoutMs: idleTimeoutMs },
          `${url} was silent for ${idleTimeoutMs} ms in the middle of its reply`,
        ),
      );
    signal.addEventListener('abort', onAbort, { once: true });
    message.setTimeout(idleTimeoutMs, onIdle);
    const { socket } = message;
    this.#stopWatching = () => {
      signal.removeEventListener('abort', onAbort);
      socket.setTimeout(0);
      socket.removeListener('timeout', onIdle); // kept connections would gather one a reply
      this.#stopWatching = () => undefined;
    };
    message.once('close', () => this.#stopWatching());
    message.once('end', () => this.#stopWatching());
    // Marks failures as seen: whoever reads the body is told by `#failure`.
    message.on('error', () => undefined);
    if (signal.aborted) onAbort();
  }

  async *stream(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for await (const piece of this.#message) yield plainBytes(piece as Buffer);
    } catch (error) {
      throw this.#failure(error);
    }
    this.#requireWhole();
  }

  bytes(
    maxBytes: number,
    allocate: (length: number) => Uint8Array = uncleared,
  ): Promise<Uint8Array> {
    const message = this.#message;
    const announced = this.#announcedBytes();
    return new Promise((resolve, reject) => {
      const refuse = (): void => {
        reject(this.#tooLarge(maxBytes));
        message.destroy();
      };
      if (announced > maxBytes) {
        refuse();
        return;
      }
      if (message.destroyed && !message.readableEnded) {
        reject(this.#failure(undefined));
        return;
      }
      // An announced length is allocated once, as it is at most what the caller allows.
      const whole = Number.isSafeInteger(announced) ? allocate(announced) : undefined;
      const pieces: Buffer[] = [];
      let length = 0;
      message.on('data', (piece: Buffer) => {
        if (whole === undefined) pieces.push(piece);
        else if (length + piece.length <= whole.length) whole.set(piece, length);
        length += piece.length;
        if (length > maxBytes) refuse();
      });
      message.once('end', () => {
        if (!message.complete) reject(this.#failure(undefined));
        else if (whole !== undefined)
          resolve(length === whole.length ? whole : whole.subarray(0, length));
        else resolve(joined(pieces, length));
      });
      message.once('close', () => {
        if (!message.readableEnded) reject(this.#failure(undefined));
      });
    });
  }

  discard(): Promise<void> {
    const message = this.#message;
    if (message.destroyed || message.readableEnded) return Promise.resolve();
    const announced = this.#announcedBytes();
    if (announced <= MAX_DRAINED_BYTES) {
      const drained = new Promise<void>((resolve) => {
        message.once('close', resolve);
      });
      message.resume();
      return drained;
    }
    message.destroy();
    return Promise.resolve();
  }

  /** NaN for a body of unknown length. */
  #announcedBytes(): number {
    const isBodiless = this.#context.isHead || this.status === 204 || this.status === 304;
    return isBodiless ? 0 : Number(this.headers['content-length'] ?? Number.NaN);
  }

  #requireWhole(): void {
    if (this.#fault !== undefined || !this.#message.complete) throw this.#failure(undefined);
  }

  #failure(cause: unknown): unknown {
    const { url } = this.#context;
    return (
      this.#fault ??
      new TransportError(
        { code: 'TRANSPORT_BROKEN_REPLY', url, reason: 'the connection ended early' },
        `${url} ended its reply early`,
        cause === undefined ? undefined : { cause },
      )
    );
  }

  #tooLarge(maxBytes: number): TransportError {
    const { url } = this.#context;
    return new TransportError(
      { code: 'TRANSPORT_REPLY_TOO_LARGE', url, maxBytes },
      `${url} answers with more than the ${maxBytes} bytes allowed`,
    );
  }
}

function plainHeaders({ headers }: IncomingMessage): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}

/** Without the Buffer class, whose `slice` shares memory where a Uint8Array's copies. */
function plainBytes(piece: Buffer): Uint8Array {
  return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** An array that is written whole before anyone sees it, so clearing it first is work for nothing. */
function uncleared(length: number): Uint8Array {
  const memory = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(memory.buffer, memory.byteOffset, length);
}

function joined(pieces: readonly Buffer[], length: number): Uint8Array {
  const whole = uncleared(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}
