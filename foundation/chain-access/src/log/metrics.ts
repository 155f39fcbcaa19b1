import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What following the log measures. */
export interface ChainLogMetrics {
  readonly head: Gauge;
  readonly followed: Gauge;
  readonly entries: Counter;
  readonly rollbacks: Counter;
  readonly failures: Counter;
}

/** Registers the measures of one followed log. */
export function createChainLogMetrics(metrics: Metrics): ChainLogMetrics {
  return {
    head: metrics.gauge({
      name: 'cairn_chain_head_blocks',
      help: 'Height of the newest block that the chain endpoint reported',
    }),
    followed: metrics.gauge({
      name: 'cairn_chain_followed_blocks',
      help: 'Height of the newest block whose log entries were handed on',
    }),
    entries: metrics.counter({
      name: 'cairn_chain_entries_total',
      help: 'Log entries read from the chain, those read again after a rollback included',
    }),
    rollbacks: metrics.counter({
      name: 'cairn_chain_rollbacks_total',
      help: 'Times that blocks already handed on left the chain',
    }),
    failures: metrics.counter({
      name: 'cairn_chain_failures_total',
      help: 'Looks at the chain that gave nothing usable',
    }),
  };
}
