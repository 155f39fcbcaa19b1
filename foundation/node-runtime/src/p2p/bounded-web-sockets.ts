import { createRequire } from 'node:module';
import type { Server as NetServer } from 'node:net';
import { isRecord, MIB } from '@cairn/primitives';
import type { Transport } from '@libp2p/interface';
import { webSockets } from '@libp2p/websockets';

/** Bytes of one message of a WebSocket: noise cuts what it sends into pieces of 64 KiB. */
const MAX_MESSAGE_BYTES: number = MIB;

/** What libp2p closes with when it gives up: the library takes it for a mistake, and closes nothing. */
const GIVEN_UP = 1006;

/** Bounds of WebSocket listeners. */
export interface WebSocketBounds {
  /** Bytes that wait to leave on one. */
  readonly maxBufferedBytes: number;
  /** Sockets of a listener, from before they have said anything. */
  readonly maxSockets: number;
  /** Time for a request to upgrade to arrive. */
  readonly connectMs: number;
}

/** A WebSocket of libp2p's own library. */
interface Socket {
  on(name: 'error', listener: () => void): unknown;
  close(code?: number, reason?: string): void;
  /** Destroys what is beneath. */
  terminate(): void;
}

type HandleUpgrade = (
  request: unknown,
  socket: unknown,
  head: unknown,
  done: (socket: Socket, request: unknown) => void,
) => void;

/** What libp2p's listener is made of, as far as it is bounded here. */
interface ListenerParts {
  readonly wsServer: {
    readonly options: { maxPayload?: number };
    handleUpgrade: HandleUpgrade;
  };
  readonly server: NetServer;
}

/**
 * libp2p's WebSocket transport, bounded where it is not by itself: messages of 100 MiB would be put
 * together before anything looks at them, sockets that say nothing would stay, and so would those
 * that are given up; a message against the rules of WebSockets would end the process, since nobody
 * listens for its error.
 */
export function boundedWebSockets({
  maxBufferedBytes,
  maxSockets,
  connectMs,
}: WebSocketBounds): ReturnType<typeof webSockets> {
  const http = { headersTimeout: connectMs, requestTimeout: connectMs };
  const make = webSockets({ maxBufferedAmount: maxBufferedBytes, http });
  return (components) => {
    const transport: Transport = make(components);
    const createListener = transport.createListener.bind(transport);
    transport.createListener = (options) => {
      const listener = createListener(options);
      requireParts(listener);
      const { wsServer, server } = listener;
      const handleUpgrade = wsServer.handleUpgrade.bind(wsServer);
      wsServer.options.maxPayload = MAX_MESSAGE_BYTES;
      wsServer.handleUpgrade = (request, socket, head, done) =>
        handleUpgrade(request, socket, head, (made, asked) => {
          made.on('error', () => made.terminate());
          const close = made.close.bind(made);
          made.close = (code, reason) => {
            if (code === GIVEN_UP) made.terminate();
            else close(code, reason);
          };
          done(made, asked);
        });
      server.maxConnections = maxSockets;
      server.on('connection', (socket) => {
        socket.setTimeout(connectMs, () => {
          if (socket.bytesRead === 0) socket.destroy();
        });
      });
      return listener;
    };
    return transport;
  };
}

/**
 * Gives the process the WebSocket to dial with, which Node.js has from version 22 on: the one that
 * libp2p listens with. Does nothing where it is there.
 */
export function provideWebSocket(): void {
  if (Reflect.has(globalThis, 'WebSocket')) return;
  const load = createRequire(import.meta.resolve('@libp2p/websockets'));
  const { WebSocket } = load('ws') as { WebSocket: new (...args: unknown[]) => Socket };
  class BoundedWebSocket extends WebSocket {
    constructor(url: unknown) {
      super(url, { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
      this.on('error', () => this.terminate()); // libp2p listens only until it is connected
    }

    override close(code?: number, reason?: string): void {
      if (code === GIVEN_UP) this.terminate();
      else super.close(code, reason);
    }
  }
  Reflect.defineProperty(globalThis, 'WebSocket', {
    configurable: true,
    writable: true,
    value: BoundedWebSocket,
  });
}

/** @throws {TypeError} for another libp2p than this was made for */
function requireParts(listener: unknown): asserts listener is ListenerParts {
  const parts = isRecord(listener) ? listener : {};
  const { wsServer, server } = parts;
  if (isRecord(wsServer) && isRecord(wsServer['options']) && isRecord(server)) {
    if (typeof wsServer['handleUpgrade'] === 'function') return;
  }
  throw new TypeError('the WebSocket listener of this libp2p cannot be bounded');
}
