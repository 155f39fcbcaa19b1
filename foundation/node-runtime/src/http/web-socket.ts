import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** What servers append to a client's key, by RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Bytes of a frame from a client, at most: those of this side say everything in the address. */
const MAX_CLIENT_FRAME_BYTES = 4096;
/** Time for a client to answer a close before the socket is cut. */
const CLOSE_WITHIN_MS = 1000;

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** Why a connection is closed, by RFC 6455, section 7.4.1. */
export const WEB_SOCKET_CLOSE = {
  normal: 1000,
  goingAway: 1001,
  tooBig: 1009,
  failed: 1011,
} as const;

/** A connection that this side tells something over: what the client says is read and dropped. */
export interface WebSocketOut {
  /** Aborts when the connection is over, whoever ended it. */
  readonly over: AbortSignal;
  /** Resolves when the socket takes more: who sends waits for slow readers. @throws once it is over */
  send(text: string): Promise<void>;
  /** Says goodbye and ends the connection. */
  close(code: number, reason: string): void;
}

/**
 * Accepts a WebSocket that a client asked for with an upgrade request.
 *
 * @returns `undefined` if the request is not one of version 13; it was answered with 400
 */
export function acceptWebSocket(
  request: IncomingMessage,
  socket: Duplex,
): WebSocketOut | undefined {
  const { headers } = request;
  const key = headers['sec-websocket-key'];
  const isAsked = headers.upgrade?.toLowerCase() === 'websocket';
  if (!isAsked || key === undefined || headers['sec-websocket-version'] !== '13') {
    refuseUpgrade(socket, 400, 'Bad Request');
    return undefined;
  }
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  socket.write(
    [
      'HTTP/1.1 101 Switching Protocols',
      'upgrade: websocket',
      'connection: Upgrade',
      `sec-websocket-accept: ${accept}`,
      '\r\n',
    ].join('\r\n'),
  );
  return new AcceptedWebSocket(socket);
}

/** Ends an upgrade request with a status. */
export function refuseUpgrade(socket: Duplex, status: number, title: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${title}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

class AcceptedWebSocket implements WebSocketOut {
  readonly #socket: Duplex;
  readonly #over = new AbortController();
  #received: Buffer = Buffer.alloc(0);
  #isClosing = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (part: Buffer) => this.#take(part));
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#over.abort(new Error('the client closed the connection')));
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  send(text: string): Promise<void> {
    this.over.throwIfAborted();
    const payload = Buffer.from(text);
    if (this.#socket.write(frame(OPCODE.text, payload))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.over.removeEventListener('abort', done);
        if (this.over.aborted) reject(this.over.reason);
        else resolve();
      };
      this.#socket.once('drain', done);
      this.over.addEventListener('abort', done, { once: true });
    });
  }

  close(code: number, reason: string): void {
    if (this.#isClosing || this.#socket.destroyed) return;
    this.#isClosing = true;
    const text = Buffer.from(reason).subarray(0, 123); // control frames have at most 125 bytes
    const payload = Buffer.alloc(2 + text.length);
    payload.writeUInt16BE(code);
    text.copy(payload, 2);
    this.#socket.write(frame(OPCODE.close, payload));
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), CLOSE_WITHIN_MS).unref();
  }

  /** Reads whole frames of a client; every one of them is masked. */
  #take(part: Buffer): void {
    this.#received = Buffer.concat([this.#received, part]);
    for (;;) {
      const read = readFrame(this.#received);
      if (read === 'more') return;
      if (read === 'bad') {
        this.#received = Buffer.alloc(0);
        this.close(WEB_SOCKET_CLOSE.tooBig, 'frames are short and masked here');
        return;
      }
      this.#received = this.#received.subarray(read.bytes);
      if (read.opcode === OPCODE.close) this.close(WEB_SOCKET_CLOSE.normal, '');
      else if (read.opcode === OPCODE.ping && !this.#isClosing) {
        this.#socket.write(frame(OPCODE.pong, read.payload));
      }
    }
  }
}

/** A whole frame of this side: not masked, not cut. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

function readFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly payload: Buffer; readonly bytes: number } | 'more' | 'bad' {
  if (bytes.length < 2) return 'more';
  const [first = 0, second = 0] = bytes;
  const short = second & 0x7f;
  if ((second & 0x80) === 0 || short === 127) return 'bad';
  const headBytes = short === 126 ? 4 : 2;
  if (bytes.length < headBytes + 4) return 'more';
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  if (length > MAX_CLIENT_FRAME_BYTES) return 'bad';
  const end = headBytes + 4 + length;
  if (bytes.length < end) return 'more';
  const mask = bytes.subarray(headBytes, headBytes + 4);
  const payload = Buffer.from(bytes.subarray(headBytes + 4, end));
  for (let at = 0; at < length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
  return { opcode: first & 0x0f, payload, bytes: end };
}
