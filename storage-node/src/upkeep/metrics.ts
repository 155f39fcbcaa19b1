import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What upkeep of the disk measures. */
export interface UpkeepMetrics {
  readonly scrubbedBytes: Counter;
  readonly scrubDamaged: Counter;
  readonly scrubPasses: Counter;
  /** Share of the pass under way that is done, 0 … 1; 1 between passes. */
  readonly scrubProgress: Gauge;
  readonly scrubLastPass: Gauge;
  /** 1 while the shard changes or expired files are given up. */
  readonly spaceWork: Gauge;
  readonly reclaimedBytes: Counter;
  readonly expiredFiles: Counter;
  readonly expiryLook: Gauge;
  readonly usedBytes: Gauge;
}

/** Registers the measures of upkeep. Call once for each registry. */
export function createUpkeepMetrics(metrics: Metrics): UpkeepMetrics {
  return {
    scrubbedBytes: metrics.counter({
      name: 'cairn_scrub_bytes_total',
      help: 'bytes of stored segments hashed anew by scrubbing',
    }),
    scrubDamaged: metrics.counter({
      name: 'cairn_scrub_damaged_total',
      help: 'segments that scrubbing found damaged',
    }),
    scrubPasses: metrics.counter({
      name: 'cairn_scrub_passes_total',
      help: 'passes over everything stored since the process began',
    }),
    scrubProgress: metrics.gauge({
      name: 'cairn_scrub_progress_ratio',
      help: 'how far the pass under way is in the flow; 1 between passes',
    }),
    scrubLastPass: metrics.gauge({
      name: 'cairn_scrub_last_pass_timestamp_seconds',
      help: 'when the last whole pass ended; 0 if none did',
    }),
    spaceWork: metrics.gauge({
      name: 'cairn_space_work_active',
      help: '1 while the shard changes or expired files are given up',
    }),
    reclaimedBytes: metrics.counter({
      name: 'cairn_reclaimed_bytes_total',
      help: 'bytes of given up segments returned to the file system',
    }),
    expiredFiles: metrics.counter({
      name: 'cairn_expired_files_total',
      help: 'files given up because nobody pays for them any more',
    }),
    expiryLook: metrics.gauge({
      name: 'cairn_expiry_last_look_timestamp_seconds',
      help: 'when it was last looked which files are paid for; 0 if that is off',
    }),
    usedBytes: metrics.gauge({
      name: 'cairn_disk_used_bytes',
      help: 'bytes that segment files, sealed copies and the index take on the disk',
    }),
  };
}
