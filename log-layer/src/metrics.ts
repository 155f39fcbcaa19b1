import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What the log layer measures. */
export interface LogMetrics {
  readonly entries: Gauge;
  readonly rollbacks: Counter;
  readonly removedEntries: Counter;
  readonly finalised: Counter;
  readonly finaliseFailures: Counter;
  readonly storedSegments: Counter;
  readonly storedBytes: Counter;
  readonly copiedSegments: Counter;
  readonly damagedSegments: Counter;
  readonly stashedBytes: Gauge;
  readonly droppedStash: Counter;
  readonly cachedBytes: Gauge;
}

/** Registers the measures. Call once for each registry. */
export function createLogMetrics(metrics: Metrics): LogMetrics {
  const counter = (name: string, help: string): Counter =>
    metrics.counter({ name: `cairn_log_${name}_total`, help });
  const gauge = (name: string, help: string): Gauge =>
    metrics.gauge({ name: `cairn_log_${name}`, help });
  return {
    entries: gauge('entries', 'Log entries stored'),
    rollbacks: counter('rollbacks', 'Times the chain took blocks back'),
    removedEntries: counter('removed_entries', 'Log entries that a rollback removed'),
    finalised: counter('finalised', 'Log entries whose own segments are all held'),
    finaliseFailures: counter('finalise_failures', 'Tries to finalise an entry that failed'),
    storedSegments: counter('stored_segments', 'Segments written and acknowledged'),
    storedBytes: counter('stored_bytes', 'Bytes of segments written and acknowledged'),
    copiedSegments: counter(
      'copied_segments',
      'Segments taken from another place of the same root',
    ),
    damagedSegments: counter('damaged_segments', 'Segments found damaged on disk'),
    stashedBytes: gauge('stashed_bytes', 'Bytes of pieces moved out of the way of others'),
    droppedStash: counter('dropped_stash', 'Stashed pieces given up for want of room'),
    cachedBytes: gauge('cached_bytes', 'Bytes of segments waiting for their log entry'),
  };
}
