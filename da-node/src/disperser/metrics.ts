import type { Counter, Gauge, Histogram, Metrics } from '@cairn/primitives';

/** What a disperser measures. */
export interface DispersalMetrics {
  /** Blobs by `stage` that they reached. */
  readonly stages: Counter;
  /** Orders by `path`: promise, chain. */
  readonly orders: Counter;
  /** Blobs meant for a promise that are paid for on chain, by `reason`: deposit, slots. */
  readonly fallbacks: Counter;
  /** Files for the log by `result`: stored, failed. */
  readonly archives: Counter;
  /** By `result`: held, failed. */
  readonly deliveries: Counter;
  /** By `result`: signed, refused, wrong. */
  readonly votes: Counter;
  readonly sentBytes: Counter;
  readonly acceptedBytes: Counter;
  readonly queuedBlobs: Gauge;
  readonly queuedBytes: Gauge;
  readonly dispersalSeconds: Histogram;
}

/** Registers a disperser's measures. */
export function createDispersalMetrics(metrics: Metrics): DispersalMetrics {
  return {
    stages: metrics.counter({
      name: 'cairn_dispersal_stages_total',
      help: 'stages that blobs reached; stalled ones go back',
      labels: ['stage'],
    }),
    orders: metrics.counter({
      name: 'cairn_dispersal_orders_total',
      help: 'orders of blobs, under promises or paid on chain',
      labels: ['path'],
    }),
    fallbacks: metrics.counter({
      name: 'cairn_dispersal_fallbacks_total',
      help: 'blobs paid for on chain because no promise could be made, by what was lacking',
      labels: ['reason'],
    }),
    archives: metrics.counter({
      name: 'cairn_dispersal_archives_total',
      help: 'writes of blobs to the log, by what came of them; failed ones are tried again',
      labels: ['result'],
    }),
    deliveries: metrics.counter({
      name: 'cairn_dispersal_deliveries_total',
      help: 'slices offered to signers, by what became of them',
      labels: ['result'],
    }),
    votes: metrics.counter({
      name: 'cairn_dispersal_votes_total',
      help: 'votes asked of signers, by what came of it',
      labels: ['result'],
    }),
    sentBytes: metrics.counter({
      name: 'cairn_dispersal_sent_bytes_total',
      help: 'bytes of deliveries that signers took',
    }),
    acceptedBytes: metrics.counter({
      name: 'cairn_dispersal_accepted_bytes_total',
      help: 'bytes of payloads accepted',
    }),
    queuedBlobs: metrics.gauge({
      name: 'cairn_dispersal_queued_blobs',
      help: 'blobs that are not final',
    }),
    queuedBytes: metrics.gauge({
      name: 'cairn_dispersal_queued_bytes',
      help: 'payload bytes of blobs that are not final',
    }),
    dispersalSeconds: metrics.histogram({
      name: 'cairn_dispersal_duration_seconds',
      help: 'time from acceptance to a quorum’s signature',
      buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300],
    }),
  };
}
