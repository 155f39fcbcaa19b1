import type { Counter, Gauge, Histogram, Metrics } from '@cairn/primitives';

/** What a signer measures. */
export interface SignerMetrics {
  /** By `result`: stored, held, refused. */
  readonly deliveries: Counter;
  readonly storedBytes: Counter;
  /** By `result`: given, refused. */
  readonly votes: Counter;
  readonly signedBlobs: Counter;
  readonly servedRows: Counter;
  readonly voteDuration: Histogram;
  readonly heldBytes: Gauge;
  readonly heldSlices: Gauge;
  readonly protectedSlots: Gauge;
  readonly bodyBytes: Gauge;
}

/** Registers a signer's measures. */
export function createSignerMetrics(metrics: Metrics): SignerMetrics {
  return {
    deliveries: metrics.counter({
      name: 'cairn_signer_deliveries_total',
      help: 'slices offered, by what became of them',
      labels: ['result'],
    }),
    storedBytes: metrics.counter({
      name: 'cairn_signer_stored_bytes_total',
      help: 'bytes of slices verified and written',
    }),
    votes: metrics.counter({
      name: 'cairn_signer_votes_total',
      help: 'requests for a vote, by what became of them',
      labels: ['result'],
    }),
    signedBlobs: metrics.counter({
      name: 'cairn_signer_signed_blobs_total',
      help: 'blobs in the batches that were signed',
    }),
    servedRows: metrics.counter({
      name: 'cairn_signer_served_rows_total',
      help: 'rows sent to readers',
    }),
    voteDuration: metrics.histogram({
      name: 'cairn_signer_vote_duration_seconds',
      help: 'time from a request for a vote to the vote',
      buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    }),
    heldBytes: metrics.gauge({
      name: 'cairn_signer_held_bytes',
      help: 'bytes of slices on disk, as of the last round of tidying up',
    }),
    heldSlices: metrics.gauge({
      name: 'cairn_signer_held_slices',
      help: 'slices on disk, as of the last round of tidying up',
    }),
    protectedSlots: metrics.gauge({
      name: 'cairn_signer_protected_slots',
      help: 'signed slots that are remembered, as of the last round of tidying up',
    }),
    bodyBytes: metrics.gauge({
      name: 'cairn_signer_body_bytes',
      help: 'memory reserved for deliveries under way',
    }),
  };
}
