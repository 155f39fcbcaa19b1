import { describeError, formatCoin, isFault, type Json, toHex } from '@cairn/primitives';
import { formatShard } from '@cairn/wire-protocol';
import type { MiningHealth } from '../health.ts';
import type { AnswerDesk } from './answer-desk.ts';
import type { MiningConfig } from './config.ts';
import type { Miner } from './miner.ts';
import type { MiningChain, MiningFunds } from './ports.ts';
import type { SealedStore } from './sealed-store.ts';
import type { Sealer } from './sealer.ts';

/** How mining goes. */
export type MiningState =
  /** The contracts are not open yet. */
  | 'starting'
  /** It cannot, for the reason told; it tries again. */
  | 'degraded'
  /** An operator stopped it. */
  | 'stopped'
  /** There is nothing to mine now: outside its window, or nothing is sealed. */
  | 'waiting'
  | 'mining';

export const MINING_STATES: readonly MiningState[] = [
  'starting',
  'degraded',
  'stopped',
  'waiting',
  'mining',
];

/** What mining is at, beside its parts. */
export interface MiningFacts {
  readonly state: MiningState;
  /** What keeps it from going on. */
  readonly fault: unknown;
  /** As of the last look. */
  readonly funds: MiningFunds | undefined;
  readonly config: Pick<MiningConfig, 'threads' | 'duty'>;
}

/** Below as many answers the operator is told to send coins. */
const MIN_AFFORDABLE = 20;

/** How many answers funds pay for; no more than a million. */
export function affordableAnswers({ balanceWei, answerWei }: MiningFunds): number {
  const answers = answerWei === 0n ? MAX_AFFORDABLE : balanceWei / answerWei;
  return Number(answers < MAX_AFFORDABLE ? answers : MAX_AFFORDABLE);
}

const MAX_AFFORDABLE = 1_000_000n;

/** What runs while the contracts are open. */
export interface MiningParts {
  readonly chain: MiningChain;
  readonly minerId: Uint8Array;
  readonly store: SealedStore;
  readonly sealer: Sealer;
  readonly miner: Miner;
  readonly desk: AnswerDesk;
}

/**
 * What everybody may know of mining. Faults are told without their sentences, which may name files, or an
 * endpoint with its key.
 */
export function miningHealth(
  { state, fault, funds }: Pick<MiningFacts, 'state' | 'fault' | 'funds'>,
  parts: MiningParts | undefined,
): MiningHealth {
  const problems: string[] = [];
  if (fault !== undefined) {
    const code = isFault(fault) ? fault.code : 'an error';
    problems.push(`mining cannot go on (${code}): the admin status has the reason; it tries again`);
  }
  if (parts?.sealer.noRoom !== undefined) {
    problems.push('sealing waits for room on the disk: the admin status has the numbers');
  }
  const answers = funds === undefined ? MIN_AFFORDABLE : affordableAnswers(funds);
  if (parts !== undefined && answers < MIN_AFFORDABLE) {
    const { account } = parts.chain;
    problems.push(
      `the mining account ${account} can pay for ${answers} more answers: send it coins for gas`,
    );
  }
  return { fact: `${factOf(state, parts)}${earningsOf(funds, parts)}`, problems };
}

function earningsOf(funds: MiningFunds | undefined, parts: MiningParts | undefined): string {
  if (parts === undefined || funds === undefined) return '';
  const { accepted } = parts.desk.counts;
  const answers = accepted === 1 ? '1 answer' : `${accepted} answers`;
  return `; ${answers} accepted since the start, ${formatCoin(funds.waitingWei)} coins wait for ${parts.chain.account}`;
}

function factOf(state: MiningState, parts: MiningParts | undefined): string {
  if (state === 'degraded') return 'does not mine: it cannot go on';
  if (parts === undefined) return 'does not mine yet: its contracts are not open';
  const { miner, store, sealer } = parts;
  const sealing = sealer.isDone ? '' : ', sealing goes on';
  const sealed = `${store.table.segments} segments of shard ${formatShard(store.table.shard)} are sealed${sealing}`;
  const { idleReason, puzzle } = miner;
  if (idleReason !== undefined) return `does not mine now: ${idleReason}; ${sealed}`;
  const rate = Math.round(miner.attemptsPerSecond);
  return `mines epoch ${puzzle?.context.epoch ?? '?'} at ${rate} attempts a second; ${sealed}`;
}

/** What admins see of mining. */
export function miningStatusJson(
  { state, fault, funds, config }: MiningFacts,
  parts: MiningParts | undefined,
): Json {
  const context = parts?.miner.puzzle?.context;
  const counts = parts?.desk.counts;
  return {
    state,
    reason: fault === undefined ? (parts?.miner.idleReason ?? null) : describeError(fault),
    minerId: parts === undefined ? null : toHex(parts.minerId),
    account: parts?.chain.account ?? null,
    accountWei: funds === undefined ? null : String(funds.balanceWei),
    waitingWei: funds === undefined ? null : String(funds.waitingWei),
    affordableAnswers: funds === undefined ? null : affordableAnswers(funds),
    epoch: context?.epoch ?? null,
    sealedSegments: parts?.store.table.segments ?? 0,
    isSealed: parts?.sealer.isDone ?? false,
    sealingWaitsFor: parts?.sealer.noRoom ?? null,
    threads: config.threads,
    cpuPercent: Math.round(config.duty * 100),
    attemptsPerSecond: Math.round(parts?.miner.attemptsPerSecond ?? 0),
    answers: {
      accepted: counts?.accepted ?? 0,
      refused: counts?.refused ?? 0,
      failed: counts?.failed ?? 0,
      wrong: counts?.wrong ?? 0,
    },
    rewardWei: String(counts?.rewardWei ?? 0n),
    gasWei: String(counts?.gasWei ?? 0n),
  };
}
