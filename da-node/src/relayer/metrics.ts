import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What a relayer measures. */
export interface RelayerMetrics {
  /** Bundles that were sent, by `result`: done, refused. */
  readonly bundles: Counter;
  /** Checkpoints in bundles that went through. */
  readonly checkpoints: Counter;
  /** Epochs and roots that mirrors were told, by `kind` (epoch, order) and `result`. */
  readonly mirrored: Counter;
  /** Unix seconds until when a mirror believes the committee it knows, by `mirror`. */
  readonly trustUntil: Gauge;
}

/** Registers the measures of a relayer. */
export function createRelayerMetrics(metrics: Metrics): RelayerMetrics {
  return {
    bundles: metrics.counter({
      name: 'cairn_relayer_bundles_total',
      help: 'bundles of checkpoints that were sent to the hub, by what became of them',
      labels: ['result'],
    }),
    checkpoints: metrics.counter({
      name: 'cairn_relayer_checkpoints_total',
      help: 'checkpoints in bundles that went through',
    }),
    mirrored: metrics.counter({
      name: 'cairn_relayer_mirrored_total',
      help: 'epochs and roots of the order that mirrors were told, by what became of them',
      labels: ['kind', 'result'],
    }),
    trustUntil: metrics.gauge({
      name: 'cairn_relayer_mirror_trust_until_seconds',
      help: 'unix seconds until when a mirror believes the committee that it knows',
      labels: ['mirror'],
    }),
  };
}
