import { isFault, type Json, toHex } from '@cairn/primitives';
import { formatShard } from '@cairn/wire-protocol';
import type { MiningHealth } from '../health.ts';
import type { AnswerDesk } from './answer-desk.ts';
import type { MiningConfig } from './config.ts';
import type { Miner } from './miner.ts';
import type { MiningChain } from './ports.ts';
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
  state: MiningState,
  fault: unknown,
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
  return { fact: factOf(state, parts), problems };
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
  {
    state,
    reason,
    config,
  }: {
    readonly state: MiningState;
    readonly reason: string | undefined;
    readonly config: Pick<MiningConfig, 'threads' | 'duty'>;
  },
  parts: MiningParts | undefined,
): Json {
  const context = parts?.miner.puzzle?.context;
  const counts = parts?.desk.counts;
  return {
    state,
    reason: reason ?? parts?.miner.idleReason ?? null,
    minerId: parts === undefined ? null : toHex(parts.minerId),
    account: parts?.chain.account ?? null,
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
      wrong: counts?.wrong ?? 0,
    },
    rewardWei: String(counts?.rewardWei ?? 0n),
    gasWei: String(counts?.gasWei ?? 0n),
  };
}
