/** An HTTP request. The reply's body is pulled by the caller and bounded by it. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whole, or in parts that are sent one after another. None of it changes until the reply has come. */
  readonly body?: Uint8Array | readonly Uint8Array[];
  readonly signal: AbortSignal;
  /** Time for the reply's head to arrive; 30,000 unless told. */
  readonly timeoutMs?: number;
}

/** The parts of a request's body; none if it has no body. */
export function bodyParts(body: HttpRequest['body'] | undefined): readonly Uint8Array[] {
  return body instanceof Uint8Array ? [body] : (body ?? []);
}

/** An HTTP reply whose body has not been read yet. Read it or `discard` it, once. */
export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it arrives. */
  stream(): AsyncIterable<Uint8Array>;
  /**
   * The whole body.
   *
   * @param allocate - gives the array for a body whose length is announced, if the caller has one to
   *   use again; it is asked once, with at most `maxBytes`
   * @throws {TransportError} TRANSPORT_REPLY_TOO_LARGE beyond `maxBytes`
   */
  bytes(maxBytes: number, allocate?: (length: number) => Uint8Array): Promise<Uint8Array>;
  /** Gives the body up, so that its connection is free again or closed. */
  discard(): Promise<void>;
}

/** Sends requests to other machines: the only way out of a client. */
export interface HttpTransport {
  /** @throws {TransportError} TRANSPORT_UNREACHABLE, TRANSPORT_TIMEOUT; the signal's reason */
  send(request: HttpRequest): Promise<HttpReply>;
  /** Closes idle connections. */
  close(): Promise<void>;
}
