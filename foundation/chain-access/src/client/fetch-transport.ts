import {
  bodyParts,
  concatBytes,
  type HttpReply,
  type HttpRequest,
  type HttpTransport,
  TransportError,
} from '@cairn/primitives';

/** Time for a reply's head to arrive unless the request says otherwise. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** Requests over the platform's `fetch`: browsers, and Node where no pooled transport is wired. */
export function fetchTransport(): HttpTransport {
  return { send, close: async () => undefined };
}

async function send(request: HttpRequest): Promise<HttpReply> {
  const { method, url, headers, body, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  signal.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      signal: AbortSignal.any([signal, deadline.signal]),
      ...(headers === undefined ? {} : { headers }),
      // A copy: fetch's types want a view whose buffer cannot be shared.
      ...(body === undefined ? {} : { body: concatBytes(...bodyParts(body)) }),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const place = originOf(url);
    throw deadline.signal.aborted
      ? new TransportError(
          { code: 'TRANSPORT_TIMEOUT', url: place, timeoutMs },
          `${place} did not answer within ${timeoutMs} ms`,
        )
      : new TransportError(
          { code: 'TRANSPORT_UNREACHABLE', url: place },
          `${place} cannot be reached`,
          { cause: error },
        );
  } finally {
    clearTimeout(timer);
  }
  return replyOf(response, originOf(url), signal);
}

function replyOf(response: Response, url: string, signal: AbortSignal): HttpReply {
  const stream = async function* (): AsyncGenerator<Uint8Array, void, void> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    let finished = false;
    try {
      for (;;) {
        const part = await reader.read();
        if (part.done) break;
        yield part.value;
      }
      finished = true;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new TransportError(
        { code: 'TRANSPORT_BROKEN_REPLY', url, reason: 'the connection ended early' },
        `the reply of ${url} ended early`,
        { cause: error },
      );
    } finally {
      if (!finished) await reader.cancel().catch(() => undefined); // already broken: nothing to free
    }
  };
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    stream,
    bytes: async (maxBytes) => {
      const parts: Uint8Array[] = [];
      let sizeBytes = 0;
      for await (const part of stream()) {
        sizeBytes += part.length;
        if (sizeBytes > maxBytes) {
          throw new TransportError(
            { code: 'TRANSPORT_REPLY_TOO_LARGE', url, maxBytes },
            `the reply of ${url} exceeds ${maxBytes} bytes`,
          );
        }
        parts.push(part);
      }
      return concatBytes(...parts);
    },
    discard: async () => {
      await response.body?.cancel().catch(() => undefined); // a broken body is given up all the same
    },
  };
}

/** Scheme, host and port of a URL: what may be logged, since paths and queries can hold access keys. */
export function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return 'an invalid URL';
  }
}
