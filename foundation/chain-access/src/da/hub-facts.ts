import { type EpochPhase as ContractPhase, EPOCH_PHASES } from '@cairn/contracts';
import { type Address, isZeroBytes } from '@cairn/primitives';
import { keyOfWords } from './abi-words.ts';
import type { ReadOptions } from './contract.ts';
import { DaError } from './errors.ts';
import type { Hub } from './open-hub.ts';

/** Where an epoch is on its way to the next one. */
export type Phase = ContractPhase;

/** The epoch that holds office, and what may be done for the next. */
export interface EpochPhase {
  readonly phase: Phase;
  readonly epoch: number;
  /** First block of the next phase; `undefined` where that waits for a call. */
  readonly untilBlock: number | undefined;
}

/** What contracts know of a sealed epoch. */
export interface EpochInfo {
  /** Unix seconds. */
  readonly startSeconds: number;
  readonly endSeconds: number;
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** Snapshots: 1 where the committee is the only quorum, else 1 + quorums. */
  readonly groups: number;
}

/** An account's stake. */
export interface Stake {
  readonly bondedWei: bigint;
  /** Part of it that is promised to victims of open cases. */
  readonly reservedWei: bigint;
  /** On its way out. */
  readonly unbondingWei: bigint;
  /** Sum of role bits, see {@link ROLES}. */
  readonly roles: number;
  /** Last epoch without votes; `undefined` for an account that is not jailed, infinity for ever. */
  readonly jailedUntilEpoch: number | undefined;
}

/** A term of the contract's that never ends. */
const FOREVER = 2 ** 32 - 1;

/** Bits of what an account does for the network. */
export const ROLES = { signer: 1, miner: 2, provider: 4 } as const;

/** The epoch that holds office as of a block, and its phase. */
export async function readPhase(hub: Hub, options: ReadOptions): Promise<EpochPhase> {
  const values = await hub.sortition.read('phase', [], options);
  const number = values.number(0);
  const phase = EPOCH_PHASES[number];
  if (phase === undefined) {
    throw new DaError(
      { code: 'DA_CONTRACTS_DIFFER', what: 'phase', expected: '0 to 6', actual: `${number}` },
      `the sortition names a phase ${number} that is not known`,
    );
  }
  const until = values.number(2);
  return {
    phase,
    epoch: values.number(1),
    untilBlock: until === Number.MAX_SAFE_INTEGER ? undefined : until,
  };
}

/** `undefined` for an epoch that is not sealed. */
export async function readEpochInfo(
  hub: Hub,
  epoch: number,
  options: ReadOptions,
): Promise<EpochInfo | undefined> {
  const values = await hub.sortition.read('epochInfo', [epoch], options);
  const groups = values.number('groups');
  if (groups === 0) return undefined;
  return {
    startSeconds: values.number('startTime'),
    endSeconds: values.number('endTime'),
    seed: values.bytes('seed'),
    groups,
  };
}

/** Seed of an epoch, 32 bytes; `undefined` while it is not drawn. */
export async function readSeed(
  hub: Hub,
  epoch: number,
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  const seed = (await hub.sortition.read('seedOf', [epoch], options)).bytes(0);
  return isZeroBytes(seed) ? undefined : seed;
}

/** Votes of one signer in the current epoch or a later one. */
export async function readVotes(
  hub: Hub,
  { signer, epoch }: { readonly signer: Address; readonly epoch: number },
  options: ReadOptions,
): Promise<number> {
  return (await hub.stakeHub.read('votesAt', [signer, epoch], options)).number(0);
}

/** The draw's odds in the current epoch or a later one: a vote's 32 bits win below `threshold`. */
export async function readOdds(
  hub: Hub,
  epoch: number,
  options: ReadOptions,
): Promise<{ readonly threshold: number; readonly quorums: number }> {
  const values = await hub.sortition.read('oddsOf', [epoch], options);
  return { threshold: values.number('threshold'), quorums: values.number('quorums') };
}

/** Whether a signer owes a ticket for the current epoch or the next. */
export async function readIsContributor(
  hub: Hub,
  { signer, epoch }: { readonly signer: Address; readonly epoch: number },
  options: ReadOptions,
): Promise<boolean> {
  return (await hub.sortition.read('isContributor', [signer, epoch], options)).flag(0);
}

/** Whether a signer's ticket counted for the current epoch or the next. */
export async function readHasTicket(
  hub: Hub,
  { signer, epoch }: { readonly signer: Address; readonly epoch: number },
  options: ReadOptions,
): Promise<boolean> {
  return (await hub.sortition.read('hasTicket', [signer, epoch], options)).flag(0);
}

/** The key with which an account signs in the current epoch or a later one, 96 bytes; `undefined` for none. */
export async function readKey(
  hub: Hub,
  { signer, epoch }: { readonly signer: Address; readonly epoch: number },
  options: ReadOptions,
): Promise<Uint8Array | undefined> {
  const words = (await hub.registry.read('keyAt', [signer, epoch], options)).inner(0);
  const key = keyOfWords([words.wide(0), words.wide(1), words.wide(2)]);
  return isZeroBytes(key) ? undefined : key;
}

/** Whether the seed of the first epoch to be sealed is still to be drawn by whoever comes. */
export async function readNeedsFirstSeed(
  hub: Hub,
  { phase, epoch }: EpochPhase,
  options: ReadOptions,
): Promise<boolean> {
  if (phase !== 'tickets') return false;
  const first = (await hub.sortition.read('firstEpoch', [], options)).number(0);
  return first === epoch && (await readSeed(hub, epoch + 1, options)) === undefined;
}

/** Block whose header the next seal, or the draw of a first seed, has to bring. */
export async function readEntropyBlock(hub: Hub, options: ReadOptions): Promise<number> {
  return (await hub.sortition.read('entropyBlock', [], options)).number(0);
}

/** First epoch that a change of stake, role or key made now counts in. */
export async function readTargetEpoch(hub: Hub, options: ReadOptions): Promise<number> {
  return (await hub.sortition.read('targetEpoch', [], options)).number(0);
}

/** What an account has at stake. */
export async function readStake(hub: Hub, owner: Address, options: ReadOptions): Promise<Stake> {
  const account = (await hub.stakeHub.read('accountOf', [owner], options)).inner(0);
  const jailedUntil = account.number('jailedUntil');
  return {
    bondedWei: account.wide('bonded'),
    reservedWei: account.wide('reserved'),
    unbondingWei: account.wide('unbonding'),
    roles: account.number('roles'),
    jailedUntilEpoch: jailTerm(jailedUntil),
  };
}

function jailTerm(until: number): number | undefined {
  if (until === 0) return undefined;
  return until === FOREVER ? Number.POSITIVE_INFINITY : until;
}
