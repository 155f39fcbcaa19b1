import type { LogStore, SegmentStore } from '@cairn/log-layer';
import type { Runner } from '@cairn/node-runtime/lifecycle';
import type { Clock, Json, KeyValueStore, Logger, Metrics } from '@cairn/primitives';
import type { StorageNodeConfig } from '../config.ts';
import { createUpkeepMetrics } from './metrics.ts';
import { Scrubber, scrubReportJson } from './scrub.ts';

/** What upkeep works on. */
export interface UpkeepDeps {
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly kv: KeyValueStore;
  /** Whether clients are reading now. */
  readonly isReading: () => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What keeps a node's disk sound, wired. */
export interface Upkeep {
  readonly scrubber: Scrubber;
  /** Starts what goes on in the background. A failing disk only delays it. */
  startLoops(runner: Pick<Runner, 'run'>): void;
  /** What admins see of it. */
  statusJson(): Json;
}

/** Wires upkeep and reads where an earlier process was; nothing runs before `startLoops`. */
export async function createUpkeep(
  { log, segments, kv, isReading, clock, logger, metrics }: UpkeepDeps,
  config: Pick<StorageNodeConfig, 'scrub'>,
): Promise<Upkeep> {
  const upkeepMetrics = createUpkeepMetrics(metrics);
  const scrubber = await Scrubber.open(
    { segments, log, kv, isReading, clock, logger, metrics: upkeepMetrics },
    config.scrub,
  );
  return {
    scrubber,
    startLoops: (runner) =>
      runner.run('scrub', (signal) => scrubber.run(signal), { onFailure: 'restart' }),
    statusJson: () => ({ scrub: scrubReportJson(scrubber.report) }),
  };
}
