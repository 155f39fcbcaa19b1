import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What a host measures. `direction` is "in" for what others began, "out" for what this host did. */
export interface P2pMetrics {
  /** By `direction`. */
  readonly connections: Gauge;
  /** By `direction`, `protocol` and `outcome`: ok, or a code of a fault. */
  readonly requests: Counter;
  /** By `direction` ("received", "sent") and `protocol`; payloads with their heads. */
  readonly bytes: Counter;
  /** Streams of the host's protocols that are open, by `direction`. */
  readonly streams: Gauge;
}

/** Registers a host's measures. */
export function createP2pMetrics(metrics: Metrics): P2pMetrics {
  return {
    connections: metrics.gauge({
      name: 'cairn_p2p_connections',
      help: 'libp2p connections that are open, by who opened them',
      labels: ['direction'],
    }),
    requests: metrics.counter({
      name: 'cairn_p2p_requests_total',
      help: 'libp2p requests that ended, by direction, protocol and outcome',
      labels: ['direction', 'protocol', 'outcome'],
    }),
    bytes: metrics.counter({
      name: 'cairn_p2p_bytes_total',
      help: 'bytes of libp2p requests and replies, by direction and protocol',
      labels: ['direction', 'protocol'],
    }),
    streams: metrics.gauge({
      name: 'cairn_p2p_streams',
      help: 'libp2p streams for requests that are open, by who opened them',
      labels: ['direction'],
    }),
  };
}
