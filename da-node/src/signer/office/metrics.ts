import type { Counter, Metrics } from '@cairn/primitives';

/** What a signer's office measures. */
export interface OfficeMetrics {
  /** Drawn rows of others that were asked for, by `result`: served, missing. */
  readonly audits: Counter;
  /** By `result`: given, refused. */
  readonly reportVotes: Counter;
  /** Served reports that this signer brought to the chain. */
  readonly reports: Counter;
  /** Wei, by `kind`: served, held. */
  readonly rewardsWei: Counter;
  /** Handovers signed by enough of the committee. */
  readonly handovers: Counter;
}

/** Registers the measures of a signer's office. */
export function createOfficeMetrics(metrics: Metrics): OfficeMetrics {
  return {
    audits: metrics.counter({
      name: 'cairn_signer_audited_rows_total',
      help: 'drawn rows of other members that were asked for, by what became of them',
      labels: ['result'],
    }),
    reportVotes: metrics.counter({
      name: 'cairn_signer_report_votes_total',
      help: 'requests to sign a served report, by what became of them',
      labels: ['result'],
    }),
    reports: metrics.counter({
      name: 'cairn_signer_reports_total',
      help: 'served reports that this signer brought to the chain',
    }),
    rewardsWei: metrics.counter({
      name: 'cairn_signer_rewards_wei_total',
      help: 'wei that were claimed, by what for',
      labels: ['kind'],
    }),
    handovers: metrics.counter({
      name: 'cairn_signer_handovers_total',
      help: 'handovers that enough of a committee signed',
    }),
  };
}
