import {
  collectStakeReward,
  readDutyPayments,
  readProviderStake,
  withdrawDutyPayments,
} from '@cairn/chain-access/possession';
import { type Address, formatCoin } from '@cairn/primitives';
import { type DutyOptions, withDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn duty withdraw` takes. */
export interface DutyWithdrawOptions extends DutyOptions {
  /** The key's own account unless told. */
  readonly to?: Address;
}

/**
 * Pays out what an account earned, was paid back, or got of stake that others lost. Earnings of any
 * account can be paid out by any other, to that account; stake only by its own.
 */
export async function dutyWithdraw(
  options: DutyWithdrawOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const told = await withDuties(options, context, async (chain) => {
    const { possession, sender } = chain;
    const to = options.to ?? sender.address;
    const paymentsWei = await readDutyPayments(possession, to, { signal });
    if (paymentsWei > 0n) await withdrawDutyPayments(chain, to, { signal });
    const isOwn = to === sender.address;
    const { rewardWei } = isOwn
      ? await readProviderStake(possession, to, { signal })
      : { rewardWei: 0n };
    if (rewardWei > 0n) await collectStakeReward(chain, { signal });
    return { to, paymentsWei, rewardWei };
  });
  const { to, paymentsWei, rewardWei } = told;
  if (options.json === true) {
    const amounts = { paymentsWei: String(paymentsWei), rewardWei: String(rewardWei) };
    await writeJson(io, { to, ...amounts });
  } else {
    await writeLine(io, `${formatCoin(paymentsWei + rewardWei)} coins`);
    io.writeErr(
      paymentsWei + rewardWei === 0n ? `nothing waits for ${to}\n` : `paid out to ${to}\n`,
    );
  }
  return EXIT.ok;
}
