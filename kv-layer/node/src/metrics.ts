import type { Counter, Gauge, Histogram, Metrics } from '@cairn/primitives';

/** What a key-value node measures besides its layers. */
export interface KvNodeMetrics {
  readonly appliedEntries: Counter;
  /** By `result`: commit, conflict, refused, malformed, missing. */
  readonly results: Counter;
  readonly fetchedBytes: Counter;
  readonly failedFetches: Counter;
  readonly rpcDuration: Histogram;
  readonly quickReads: Counter;
  readonly buildInfo: Gauge;
  readonly headBlock: Gauge;
  readonly lagBlocks: Gauge;
  readonly logNext: Gauge;
  readonly replayNext: Gauge;
  readonly pendingNext: Gauge;
  readonly waitSeconds: Gauge;
  readonly waitSequence: Gauge;
  readonly holes: Gauge;
  readonly streams: Gauge;
  readonly diskFreeBytes: Gauge;
}

/** Registers a key-value node's measures. */
export function createKvNodeMetrics(metrics: Metrics): KvNodeMetrics {
  return {
    appliedEntries: metrics.counter({
      name: 'cairn_kv_applied_entries_total',
      help: 'entries of watched streams that were replayed',
    }),
    results: metrics.counter({
      name: 'cairn_kv_results_total',
      help: 'entries of watched streams, by what became of them',
      labels: ['result'],
    }),
    fetchedBytes: metrics.counter({
      name: 'cairn_kv_fetched_bytes_total',
      help: 'bytes of files fetched and proven',
    }),
    failedFetches: metrics.counter({
      name: 'cairn_kv_failed_fetches_total',
      help: 'tries to fetch a file that brought none',
    }),
    rpcDuration: metrics.histogram({
      name: 'cairn_rpc_duration_seconds',
      help: 'time of json-rpc calls, by method and outcome',
      labels: ['method', 'code'],
      buckets: [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
    }),
    quickReads: metrics.counter({
      name: 'cairn_kv_quick_reads_total',
      help: 'values that were answered at once, which cairn_rpc_duration_seconds does not time',
    }),
    buildInfo: metrics.gauge({
      name: 'cairn_build_info',
      help: 'always 1; the labels say what runs',
      labels: ['version', 'chain_id'],
    }),
    headBlock: metrics.gauge({
      name: 'cairn_chain_head_block',
      help: 'number of the newest block of the chain that is known',
    }),
    lagBlocks: metrics.gauge({
      name: 'cairn_chain_lag_blocks',
      help: 'blocks between the head and the newest one whose entries are stored',
    }),
    logNext: metrics.gauge({ name: 'cairn_log_next_tx_seq', help: 'log entries known' }),
    replayNext: metrics.gauge({
      name: 'cairn_kv_next_tx_seq',
      help: 'the entry that is replayed next',
    }),
    pendingNext: metrics.gauge({
      name: 'cairn_kv_pending_next_tx_seq',
      help: 'the entry that another set of streams is at; -1 if there is none',
    }),
    waitSeconds: metrics.gauge({
      name: 'cairn_kv_wait_seconds',
      help: 'time since replay waits for the same entry; 0 if it does not wait',
    }),
    waitSequence: metrics.gauge({
      name: 'cairn_kv_wait_tx_seq',
      help: 'the entry that replay waits for; -1 if it does not wait',
    }),
    holes: metrics.gauge({ name: 'cairn_kv_holes', help: 'entries whose files were given up' }),
    streams: metrics.gauge({ name: 'cairn_kv_streams', help: 'streams that are answered' }),
    diskFreeBytes: metrics.gauge({
      name: 'cairn_disk_free_bytes',
      help: 'free bytes where the data lies, as of the last look',
    }),
  };
}
