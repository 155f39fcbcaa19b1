import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type Clock, describeError, type Logger } from '@cairn/primitives';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
} from '@connectrpc/connect';
import type { UniversalHandler, UniversalServerResponse } from '@connectrpc/connect/protocol';
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from '@connectrpc/connect-node';
import type { ByteBudget } from '../../byte-budget.ts';
import type { ListenSettings } from '../../config.ts';
import { CALL_MEMORY, CallMemory } from './call-memory.ts';
import { callStatusOf } from './call-status.ts';
import { type MessageIntake, readMessages } from './read-messages.ts';

/** What a method that takes large messages asks of a call. */
export interface MethodIntake extends Pick<MessageIntake, 'maxBytes' | 'check'> {
  /** Refuses a call by its headers, before anything is read. @throws {Error} */
  readonly admit: (headers: Headers) => void;
}

/** What a gRPC host is made of. */
export interface GrpcHostDeps {
  readonly routes: (router: ConnectRouter) => void;
  /** By path, such as `/package.Service/Method`; messages of others are small. */
  readonly intakes: Readonly<Record<string, MethodIntake>>;
  /** Memory for large messages that arrive. */
  readonly arriving: ByteBudget;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly logger: Logger;
  /** Ends calls. */
  readonly stopping: AbortSignal;
}

/** Where a gRPC host listens and how much it takes on. */
export interface GrpcHostOptions extends ListenSettings {
  readonly maxConnections: number;
  /** Time for calls to end when the host stops. */
  readonly drainMs: number;
}

/** A gRPC server. */
export interface GrpcHost {
  /** @throws what listening throws, EADDRINUSE among it */
  start(): Promise<void>;
  /** Takes no more calls, lets those under way end within the drain time, then cuts the rest. */
  stop(): Promise<void>;
  /** `host:port`. @throws {Error} before `start` */
  readonly address: string;
}

/** Calls under way at most; more are told to come again. */
const MAX_CALLS = 256;
/** Calls of one connection at once. */
const MAX_STREAMS = 64;
/** What a client may send ahead of what is read of a call. */
const WINDOW_BYTES: number = 256 * 1024;
/** Bytes of a message where no intake says otherwise. */
const SMALL_MESSAGE_BYTES: number = 16 * 1024;
/** Room for the lists that HTTP/2 keeps, and replies on their way, of one connection: mebibytes. */
const SESSION_MEMORY_MIB = 1024;
/** A call on which nothing moves, and a connection without calls, are closed after this. */
const STALLED_MS = 120_000;
const IDLE_MS = 600_000;
/** What a client still sends after its reply is thrown away for so long. */
const LINGER_MS = 1000;

/** A host for gRPC over HTTP/2 without TLS, which a proxy in front may add. */
export function createGrpcHost(deps: GrpcHostDeps, options: GrpcHostOptions): GrpcHost {
  return new Http2Host(deps, options);
}

class Http2Host implements GrpcHost {
  readonly #deps: GrpcHostDeps;
  readonly #options: GrpcHostOptions;
  readonly #server: Http2Server;
  readonly #handlers: ReadonlyMap<string, UniversalHandler>;
  readonly #sessions = new Set<ServerHttp2Session>();
  #calls = 0;
  #stopped: Promise<void> | undefined;

  constructor(deps: GrpcHostDeps, options: GrpcHostOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#handlers = handlersOf(deps);
    this.#server = createServer({
      maxSessionMemory: SESSION_MEMORY_MIB,
      settings: { maxConcurrentStreams: MAX_STREAMS, initialWindowSize: WINDOW_BYTES },
    });
    this.#server.maxConnections = options.maxConnections;
    this.#server.on('session', (session) => this.#keep(session));
    this.#server.on('request', (request, response) => this.#begin(request, response));
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') {
      throw new Error('the gRPC host does not listen yet');
    }
    return addressText(address);
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#drain();
    return this.#stopped;
  }

  async #drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const session of this.#sessions) session.close();
    const timer = new AbortController();
    const late = this.#deps.clock.sleep(this.#options.drainMs, timer.signal).then(
      () => {
        for (const session of this.#sessions) session.destroy();
      },
      () => undefined, // all ended in time
    );
    await closed;
    timer.abort();
    await late;
  }

  #keep(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.setTimeout(IDLE_MS, () => session.close());
    if (this.#stopped !== undefined) session.close();
  }

  #begin(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const { stream } = request;
    stream.setTimeout(STALLED_MS, () => cut(stream, constants.NGHTTP2_CANCEL));
    const over = new Promise<void>((resolve) => stream.once('close', resolve));
    stream.once('finish', () => this.#linger(request));
    this.#calls += 1;
    const memory = new CallMemory(this.#deps.arriving);
    const answering = this.#answer(request, response, memory).catch((error: unknown) => {
      // Whoever asked has gone, or asked for what is no request.
      this.#deps.logger.debug({ reason: describeError(error) }, 'a call was not answered');
      cut(stream, constants.NGHTTP2_INTERNAL_ERROR);
    });
    void Promise.all([answering, over]).then(() => {
      this.#calls -= 1;
      memory.release();
    });
  }

  /** Resolves once the call's handler is through; its reply may still be on its way. */
  async #answer(
    request: Http2ServerRequest,
    response: Http2ServerResponse,
    memory: CallMemory,
  ): Promise<void> {
    const path = request.url.split('?', 1)[0] ?? '';
    const handler = this.#handlers.get(path);
    if (handler === undefined) {
      refuse(response, new ConnectError('there is no such method here', Code.Unimplemented));
      return;
    }
    if (this.#calls > MAX_CALLS) {
      const sentence = `${MAX_CALLS} calls are under way, which is the most allowed`;
      refuse(response, new ConnectError(sentence, Code.ResourceExhausted));
      return;
    }
    const contextValues = createContextValues().set(CALL_MEMORY, memory);
    const universal = universalRequestFromNodeRequest(request, response, undefined, contextValues);
    const { header, signal } = universal;
    const parts = request.iterator({ destroyOnReturn: false });
    const body = messagesFor(parts, this.#intakeOf(path, header, memory), signal);
    const reply = await handler({ ...universal, body });
    void universalResponseToNodeResponse(plainly(reply), response).catch(() => {
      cut(request.stream, constants.NGHTTP2_CANCEL);
    });
  }

  #intakeOf(path: string, header: Headers, memory: CallMemory): MessageIntake {
    const { intakes, clock } = this.#deps;
    const intake = intakes[path];
    if (intake === undefined) return { maxBytes: SMALL_MESSAGE_BYTES, clock };
    return { ...intake, admit: () => intake.admit(header), memory, clock };
  }

  /** Lets the reply through before a client that still sends is cut off. */
  #linger(request: Http2ServerRequest): void {
    const { stream } = request;
    if (stream.closed) return;
    request.resume();
    const timer = new AbortController();
    stream.once('close', () => timer.abort());
    void this.#deps.clock.sleep(LINGER_MS, timer.signal).then(
      () => cut(stream, constants.NGHTTP2_NO_ERROR),
      () => undefined, // the client was through
    );
  }
}

/** Ends a call whose reply nobody reads or that still sends; what it sent ahead is let go. */
function cut(stream: ServerHttp2Stream, code: number): void {
  if (!stream.closed) stream.close(code);
  stream.destroy();
}

function handlersOf({ routes, stopping, intakes }: GrpcHostDeps): Map<string, UniversalHandler> {
  const maxBytes = Object.values(intakes).map((intake) => intake.maxBytes);
  const router = createConnectRouter({
    grpc: true,
    grpcWeb: false,
    connect: false,
    acceptCompression: [], // what is small on the wire could be any size in memory
    readMaxBytes: Math.max(SMALL_MESSAGE_BYTES, ...maxBytes),
    binaryOptions: { readUnknownFields: false },
    shutdownSignal: stopping,
  });
  routes(router);
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** @throws {ConnectError} where anything fails, so that the client is told */
async function* messagesFor(
  parts: AsyncIterator<Uint8Array>,
  intake: MessageIntake,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* readMessages(parts, intake, signal);
  } catch (error) {
    throw callStatusOf(error);
  }
}

/** The reply with its sentence as gRPC encodes one: commas as they are, not as in a URL. */
function plainly(reply: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = reply;
  if (body === undefined || trailer === undefined) return reply;
  const rewritten = async function* (): AsyncGenerator<Uint8Array, void, void> {
    yield* body; // the trailer is written once this is over
    const message = trailer.get(MESSAGE_TRAILER);
    if (message !== null) trailer.set(MESSAGE_TRAILER, percentEncoded(decodeURIComponent(message)));
  };
  return { ...reply, body: rewritten() };
}

const MESSAGE_TRAILER = 'grpc-message';

/** Printable ASCII as it is, the percent sign and all else as UTF-8 in percent form. */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x7e]|%/gu, encodeURIComponent);
}

/** Answers with a status alone. */
function refuse(response: Http2ServerResponse, { code, rawMessage }: ConnectError): void {
  response.writeHead(200, {
    'content-type': 'application/grpc',
    'grpc-status': String(code),
    [MESSAGE_TRAILER]: percentEncoded(rawMessage),
  });
  response.end();
}

function addressText({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}
