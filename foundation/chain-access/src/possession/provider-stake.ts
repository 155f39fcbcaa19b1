import type { Address } from '@cairn/primitives';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { ReadOptions } from '../da/contract.ts';
import { sendCall } from '../da/send-call.ts';
import type { SendOptions } from '../send/transaction-sender.ts';
import { type DutyCaller, repeatedIntent } from './duty-calls.ts';
import type { Possession } from './open-possession.ts';

/** Stake on its way out. */
export interface UnbondingStake {
  readonly amountWei: bigint;
  /** Unix second from which it can be taken out. */
  readonly unlock: number;
}

/** What an account has at stake, in wei. */
export interface ProviderStake {
  readonly bondedWei: bigint;
  /** Of that, what answers for duties and other cases. */
  readonly reservedWei: bigint;
  readonly unbonding: readonly UnbondingStake[];
  /** From stake that others lost to it. */
  readonly rewardWei: bigint;
}

/** What an account has at stake. @throws what the client throws */
export async function readProviderStake(
  { stakeHub }: Possession,
  owner: Address,
  options: ReadOptions,
): Promise<ProviderStake> {
  const [found, queued, reward] = await Promise.all([
    stakeHub.read('accountOf', [owner], options),
    stakeHub.read('unbondingOf', [owner], options),
    stakeHub.read('rewardOf', [owner], options),
  ]);
  const account = found.inner(0);
  const queue = queued.inner(0);
  return {
    bondedWei: account.wide('bonded'),
    reservedWei: account.wide('reserved'),
    unbonding: Array.from({ length: queue.length }, (_, index) => {
      const part = queue.inner(index);
      return { amountWei: part.wide('amount'), unlock: part.number('unlock') };
    }),
    rewardWei: reward.wide(0),
  };
}

/** Puts free stake of the sender's on its way out. @throws as `sendCall`; TX_REVERTED with LiabilityExceeded, TooManyUnbonds */
export async function requestUnbond(
  { possession, sender }: DutyCaller,
  amountWei: bigint,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { stakeHub: contract } = possession;
  const prefix = `unbond:${contract.address}:${amountWei}:`;
  const intent = await repeatedIntent({ possession, sender }, prefix, options);
  const call = { contract, name: 'requestUnbond', args: [amountWei] };
  return sendCall(sender, call, { ...options, intent });
}

/** Takes out the sender's stake whose time has come. @throws as `sendCall`; TX_REVERTED with NothingUnbonding, Locked, InFreeze */
export async function withdrawStake(
  { possession, sender }: DutyCaller,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { stakeHub: contract } = possession;
  const prefix = `withdraw stake:${contract.address}:`;
  const intent = await repeatedIntent({ possession, sender }, prefix, options);
  return sendCall(sender, { contract, name: 'withdraw', args: [] }, { ...options, intent });
}

/** Pays the sender what it got of stake that others lost. @throws as `sendCall` */
export async function collectStakeReward(
  { possession, sender }: DutyCaller,
  options: SendOptions,
): Promise<TransactionReceipt> {
  const { stakeHub: contract } = possession;
  const prefix = `collect:${contract.address}:`;
  const intent = await repeatedIntent({ possession, sender }, prefix, options);
  return sendCall(sender, { contract, name: 'collectReward', args: [] }, { ...options, intent });
}
