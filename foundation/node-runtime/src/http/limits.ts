/** Bounds of a listener. Each has a default that suits a public one. */
export interface HttpLimits {
  /** Bytes of a body where the route or group says nothing; 2 MiB. */
  readonly bodyBytes: number;
  /** Bytes of a request's headers; 16 KiB. */
  readonly headerBytes: number;
  /** Time for a request's headers to arrive; 10 s. */
  readonly headersTimeoutMs: number;
  /** Time for a whole request to arrive; 300 s. */
  readonly requestTimeoutMs: number;
  /** Silence on a connection in use; 120 s. */
  readonly idleTimeoutMs: number;
  /** How long a connection is kept for the next request; 30 s. */
  readonly keepAliveTimeoutMs: number;
  /** How often the timeouts are looked after; 1 s. */
  readonly checkIntervalMs: number;
  /** Connections at once; 1,024. */
  readonly maxConnections: number;
  /** Characters of one path parameter; 1,024. */
  readonly maxParameterLength: number;
  /** Time for running requests to end when the host stops; 30 s. */
  readonly drainMs: number;
}

/** The limits of a listener that is told nothing else. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  bodyBytes: 2 * 1024 ** 2,
  headerBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 300_000,
  idleTimeoutMs: 120_000,
  keepAliveTimeoutMs: 30_000,
  checkIntervalMs: 1000,
  maxConnections: 1024,
  maxParameterLength: 1024,
  drainMs: 30_000,
};
