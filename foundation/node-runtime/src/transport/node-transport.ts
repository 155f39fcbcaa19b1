import { setMaxListeners } from 'node:events';
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request } from 'node:http';
import { Agent as HttpsAgent, request as secureRequest } from 'node:https';
import {
  assertPositiveInteger,
  bodyParts,
  type HttpRequest,
  type HttpTransport,
  TransportError,
} from '@cairn/primitives';
import { NodeReply } from './node-reply.ts';

/** Bounds on what a transport keeps open and how long it waits. */
export interface NodeTransportOptions {
  /** Connections to one host, in use or kept for the next request; 32 unless told. */
  readonly maxSocketsPerHost?: number;
  /** Connections to all hosts together; 512 unless told. */
  readonly maxSockets?: number;
  /** The longest silence within a reply's body; 30,000 ms unless told. */
  readonly idleTimeoutMs?: number;
  /** A unix socket that every request goes to, whatever host its address names. */
  readonly socketPath?: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Sends requests over kept connections.
 *
 * Requests beyond a host's connections wait in line, so callers bound how many they start.
 * Redirects are not followed. A GET, HEAD, PUT or DELETE that met a connection the other side had
 * just closed is sent once more; a POST is not.
 *
 * `send` throws {TransportError} TRANSPORT_UNREACHABLE, TRANSPORT_TIMEOUT, or the signal's reason;
 * a body also TRANSPORT_BROKEN_REPLY, TRANSPORT_TIMEOUT after a silence, TRANSPORT_REPLY_TOO_LARGE.
 */
export function createNodeTransport(options: NodeTransportOptions = {}): HttpTransport {
  const { maxSocketsPerHost = 32, maxSockets = 512, idleTimeoutMs = 30_000, socketPath } = options;
  assertPositiveInteger(maxSocketsPerHost, 'maxSocketsPerHost');
  assertPositiveInteger(maxSockets, 'maxSockets');
  const agentOptions = {
    keepAlive: true,
    maxSockets: maxSocketsPerHost,
    maxFreeSockets: maxSocketsPerHost,
    maxTotalSockets: Math.max(maxSockets, maxSocketsPerHost),
  };
  const plain = new HttpAgent(agentOptions);
  const secure = new HttpsAgent(agentOptions);

  const sendOnce = (sent: HttpRequest): Promise<Attempt> =>
    attempt(sent, (url, headers) => {
      const requestOptions = {
        method: sent.method,
        headers,
        ...(socketPath === undefined ? {} : { socketPath }),
      };
      return url.protocol === 'https:'
        ? secureRequest(url, { ...requestOptions, agent: secure })
        : request(url, { ...requestOptions, agent: plain });
    });

  return {
    async send(sent) {
      sent.signal.throwIfAborted();
      setMaxListeners(0, sent.signal); // one signal serves many requests, each listens while it runs
      let result = await sendOnce(sent);
      if (result.kind === 'stale' && sent.method !== 'POST') result = await sendOnce(sent);
      if (result.kind !== 'reply') throw result.error;
      return new NodeReply(result.message, {
        url: shownUrl(sent.url),
        isHead: sent.method === 'HEAD',
        signal: sent.signal,
        idleTimeoutMs,
      });
    },
    close: async () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

type Attempt =
  | { readonly kind: 'reply'; readonly message: IncomingMessage }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** A kept connection turned out to be closed before a byte of the reply came. */
  | { readonly kind: 'stale'; readonly error: unknown };

function attempt(
  { url, headers, body, signal, timeoutMs = DEFAULT_TIMEOUT_MS }: HttpRequest,
  open: (url: URL, headers: Record<string, string | number>) => ClientRequest,
): Promise<Attempt> {
  const parts = bodyParts(body);
  return new Promise((resolve) => {
    let outgoing: ClientRequest;
    try {
      outgoing = open(
        new URL(url),
        body === undefined ? { ...headers } : { ...headers, 'content-length': lengthOf(parts) },
      );
    } catch (error) {
      resolve({ kind: 'failed', error: unreachableFault(url, error) });
      return;
    }
    const settle = (result: Attempt): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    const giveUp = (error: unknown): void => {
      settle({ kind: 'failed', error });
      outgoing.destroy();
    };
    const onAbort = (): void => giveUp(signal.reason);
    const timer = setTimeout(() => giveUp(timeoutFault(url, timeoutMs)), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    outgoing.once('response', (message) => settle({ kind: 'reply', message }));
    outgoing.on('error', (error) => {
      // Later errors belong to a reply in progress, which hears of them itself.
      const kind = outgoing.reusedSocket && isReset(error) ? 'stale' : 'failed';
      settle({ kind, error: unreachableFault(url, error) });
    });
    for (const part of parts) outgoing.write(part);
    outgoing.end();
  });
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}

function isReset(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function unreachableFault(url: string, cause: unknown): TransportError {
  return new TransportError(
    { code: 'TRANSPORT_UNREACHABLE', url: shownUrl(url) },
    `${shownUrl(url)} cannot be reached`,
    { cause },
  );
}

function timeoutFault(url: string, timeoutMs: number): TransportError {
  return new TransportError(
    { code: 'TRANSPORT_TIMEOUT', url: shownUrl(url), timeoutMs },
    `${shownUrl(url)} did not answer within ${timeoutMs} ms`,
  );
}

/** An address as it may be logged: without a user's name and password, and without its query. */
function shownUrl(url: string): string {
  if (!URL.canParse(url)) return 'an address that is none';
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
