import type { Counter, Gauge, Histogram, Metrics } from '@cairn/primitives';

/** What a storage node measures of a chain, besides its layers. */
export interface StorageNodeMetrics {
  readonly uploadBytes: Counter;
  readonly downloadBytes: Counter;
  /** By `result`: stored, already, cached, foreign, finalized, refused. */
  readonly uploads: Counter;
  readonly verifyFailures: Counter;
  readonly damagedSegments: Counter;
  readonly rpcDuration: Histogram;
  readonly buildInfo: Gauge;
  readonly shardInfo: Gauge;
  readonly headBlock: Gauge;
  readonly lagBlocks: Gauge;
  readonly nextSequence: Gauge;
  readonly cachedBytes: Gauge;
  readonly queuedUploads: Gauge;
}

/** Registers a storage node's measures of a chain. */
export function createStorageNodeMetrics(metrics: Metrics): StorageNodeMetrics {
  return {
    uploadBytes: metrics.counter({
      name: 'cairn_upload_bytes_total',
      help: 'bytes of segments stored',
    }),
    downloadBytes: metrics.counter({
      name: 'cairn_download_bytes_total',
      help: 'bytes of segments read and verified for clients',
    }),
    uploads: metrics.counter({
      name: 'cairn_upload_segments_total',
      help: 'segments offered, by what became of them',
      labels: ['result'],
    }),
    verifyFailures: metrics.counter({
      name: 'cairn_segment_verify_failures_total',
      help: 'offered segments whose proof did not hold',
    }),
    damagedSegments: metrics.counter({
      name: 'cairn_segment_damaged_total',
      help: 'stored segments found damaged when read; they are not served',
    }),
    rpcDuration: metrics.histogram({
      name: 'cairn_rpc_duration_seconds',
      help: 'time of json-rpc calls, by method and outcome',
      labels: ['method', 'code'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    }),
    buildInfo: metrics.gauge({
      name: 'cairn_build_info',
      help: 'always 1; the labels say what runs',
      labels: ['version', 'chain_id'],
    }),
    shardInfo: metrics.gauge({
      name: 'cairn_shard_info',
      help: 'always 1; the labels say which shard is kept',
      labels: ['id', 'count'],
    }),
    headBlock: metrics.gauge({
      name: 'cairn_chain_head_block',
      help: 'number of the newest block of the chain that is known',
    }),
    lagBlocks: metrics.gauge({
      name: 'cairn_chain_lag_blocks',
      help: 'blocks between the head and the newest one whose entries are stored',
    }),
    nextSequence: metrics.gauge({
      name: 'cairn_log_next_tx_seq',
      help: 'log entries known',
    }),
    cachedBytes: metrics.gauge({
      name: 'cairn_upload_cached_bytes',
      help: 'bytes of segments that wait for their log entry',
    }),
    queuedUploads: metrics.gauge({
      name: 'cairn_upload_queued',
      help: 'uploads that wait for their turn',
    }),
  };
}

/** What the chains of a storage node share. */
export interface SharedMetrics {
  readonly diskFreeBytes: Gauge;
  readonly diskReserveBytes: Gauge;
  readonly diskBudgetBytes: Gauge;
  readonly bodyBytes: Gauge;
}

/** Registers the measures of what all chains of a storage node share: they carry no chain. */
export function createSharedMetrics(metrics: Metrics): SharedMetrics {
  return {
    diskFreeBytes: metrics.gauge({
      name: 'cairn_disk_free_bytes',
      help: 'free bytes where the data lies, as of the last look',
    }),
    diskReserveBytes: metrics.gauge({
      name: 'cairn_disk_reserve_bytes',
      help: 'uploads are turned away below this much free space',
    }),
    diskBudgetBytes: metrics.gauge({
      name: 'cairn_disk_budget_bytes',
      help: 'what the node may take on its disk for all chains; 0 for no bound',
    }),
    bodyBytes: metrics.gauge({
      name: 'cairn_upload_body_bytes',
      help: 'memory reserved for request bodies',
    }),
  };
}
