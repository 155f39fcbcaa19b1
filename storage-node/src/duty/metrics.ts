import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What keeping duties measures. */
export interface DutyMetrics {
  /** 1 for the state that holds, by `state`. */
  readonly state: Gauge;
  readonly kept: Gauge;
  readonly due: Gauge;
  readonly windowLeft: Gauge;
  readonly missingSegments: Gauge;
  readonly deposit: Gauge;
  readonly balance: Gauge;
  /** By `result`: answered, missed. */
  readonly periods: Counter;
  /** Answers that could not be given yet. */
  readonly failures: Counter;
  readonly pay: Counter;
  readonly gas: Counter;
}

/** Registers the measures of duties. Call once for each registry. */
export function createDutyMetrics(metrics: Metrics): DutyMetrics {
  return {
    state: metrics.gauge({
      name: 'cairn_duty_state',
      help: '1 for the state of keeping duties that holds',
      labels: ['state'],
    }),
    kept: metrics.gauge({
      name: 'cairn_duty_kept_duties',
      help: 'duties of the account that have begun and not ended',
    }),
    due: metrics.gauge({
      name: 'cairn_duty_due_periods',
      help: 'paid periods whose window is open and that are not answered',
    }),
    windowLeft: metrics.gauge({
      name: 'cairn_duty_window_left_ratio',
      help: 'part of the window that is left to answer the most urgent of them; 1 where none is due',
    }),
    missingSegments: metrics.gauge({
      name: 'cairn_duty_missing_segments',
      help: 'segments of the files of kept duties that are not held here',
    }),
    deposit: metrics.gauge({
      name: 'cairn_duty_deposit_wei',
      help: 'stake that still answers for kept duties',
    }),
    balance: metrics.gauge({
      name: 'cairn_duty_account_wei',
      help: 'what the account has to pay gas with',
    }),
    periods: metrics.counter({
      name: 'cairn_duty_periods_total',
      help: 'paid periods that are over, by what the chain says of them',
      labels: ['result'],
    }),
    failures: metrics.counter({
      name: 'cairn_duty_answer_failures_total',
      help: 'tries to answer that failed; the next look tries again while the window is open',
    }),
    pay: metrics.counter({
      name: 'cairn_duty_pay_wei_total',
      help: 'wei put aside for the account by answers',
    }),
    gas: metrics.counter({
      name: 'cairn_duty_gas_wei_total',
      help: 'wei paid for the gas of answers',
    }),
  };
}
