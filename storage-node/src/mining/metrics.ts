import type { Counter, Gauge, Metrics } from '@cairn/primitives';

/** What mining measures. */
export interface MiningMetrics {
  readonly sealedPieces: Counter;
  readonly sealedSegments: Gauge;
  /** 1 while sealing waits for room on the disk. */
  readonly noRoom: Gauge;
  /** By `found`: scrub, answer. */
  readonly sealedDamaged: Counter;
  readonly pads: Counter;
  readonly attempts: Counter;
  readonly hits: Counter;
  /** By `result`: accepted, refused, underfunded, failed, stale, wrong, dropped. */
  readonly answers: Counter;
  readonly reward: Counter;
  readonly gas: Counter;
  readonly accountWei: Gauge;
  /** What the reward contract has put aside for the account. */
  readonly waitingWei: Gauge;
  /** Answers that the account can pay for at the price of gas now. */
  readonly affordable: Gauge;
  /** 1 for the state that holds, by `state`. */
  readonly state: Gauge;
  readonly expectedSeconds: Gauge;
}

/** Registers the measures of mining. Call once for each registry. */
export function createMiningMetrics(metrics: Metrics): MiningMetrics {
  return {
    sealedPieces: metrics.counter({
      name: 'cairn_mining_sealed_pieces_total',
      help: 'pieces of 4 KiB sealed since the process began',
    }),
    sealedSegments: metrics.gauge({
      name: 'cairn_mining_sealed_segments',
      help: 'segments of the flow with sealed pieces',
    }),
    noRoom: metrics.gauge({
      name: 'cairn_mining_seal_no_room',
      help: '1 while sealing waits for room on the disk',
    }),
    sealedDamaged: metrics.counter({
      name: 'cairn_mining_sealed_damaged_total',
      help: 'sealed copies that were found damaged, and are made anew, by what found them',
      labels: ['found'],
    }),
    pads: metrics.counter({
      name: 'cairn_mining_pads_total',
      help: 'nonces whose scratchpad was made',
    }),
    attempts: metrics.counter({
      name: 'cairn_mining_attempts_total',
      help: 'nonces whose segment was read and hashed',
    }),
    hits: metrics.counter({ name: 'cairn_mining_hits_total', help: 'hashes below the target' }),
    answers: metrics.counter({
      name: 'cairn_mining_answers_total',
      help: 'answers, by what became of them',
      labels: ['result'],
    }),
    reward: metrics.counter({
      name: 'cairn_mining_reward_wei_total',
      help: 'wei put aside for the beneficiary by accepted answers',
    }),
    gas: metrics.counter({
      name: 'cairn_mining_gas_wei_total',
      help: 'wei paid for the gas of accepted answers',
    }),
    accountWei: metrics.gauge({
      name: 'cairn_mining_account_wei',
      help: 'what the account that pays for answers holds, in wei',
    }),
    waitingWei: metrics.gauge({
      name: 'cairn_mining_waiting_wei',
      help: 'wei that the reward contract has put aside for the account',
    }),
    affordable: metrics.gauge({
      name: 'cairn_mining_affordable_answers',
      help: 'answers that the account can pay for at the present price of gas',
    }),
    state: metrics.gauge({
      name: 'cairn_mining_state',
      help: '1 for the state of mining that holds',
      labels: ['state'],
    }),
    expectedSeconds: metrics.gauge({
      name: 'cairn_mining_expected_seconds',
      help: 'mean time to the next hit at the rate of the last slices; 0 if nothing is mined',
    }),
  };
}
