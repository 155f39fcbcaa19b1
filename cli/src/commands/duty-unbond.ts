import {
  PossessionError,
  type ProviderStake,
  readProviderStake,
  requestUnbond,
  withdrawStake,
} from '@cairn/chain-access/possession';
import { formatCoin } from '@cairn/primitives';
import { type DutyOptions, withDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { isoOf } from './duty-list.ts';

/** What `cairn duty unbond` takes. */
export interface DutyUnbondOptions extends DutyOptions {
  /** Free stake to put on its way out, in wei. */
  readonly amount?: bigint;
}

/** Puts free stake on its way out, and takes out what has waited long enough. */
export async function dutyUnbond(
  options: DutyUnbondOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const { stake, takenWei } = await withDuties(options, context, async (chain) => {
    const { possession, sender, client } = chain;
    const read = (): Promise<ProviderStake> =>
      readProviderStake(possession, sender.address, { signal });
    const before = await read();
    const { amount = 0n } = options;
    const freeWei = before.bondedWei - before.reservedWei;
    if (amount > freeWei) {
      throw new PossessionError(
        { code: 'POSSESSION_NOT_FREE', account: sender.address, freeWei, wantedWei: amount },
        `${sender.address} has ${formatCoin(freeWei)} coins of free stake, not ${formatCoin(amount)}: ${formatCoin(before.reservedWei)} answer for duties and other cases`,
      );
    }
    if (amount > 0n) await requestUnbond(chain, amount, { signal });
    const { timestamp = 0 } = (await client.getBlock('latest', { signal })) ?? {};
    const ripe = before.unbonding.filter(({ unlock }) => unlock <= timestamp);
    if (ripe.length > 0) await withdrawStake(chain, { signal });
    const taken = ripe.reduce((sum, { amountWei }) => sum + amountWei, 0n);
    return { stake: await read(), takenWei: taken };
  });
  const { bondedWei, reservedWei, unbonding } = stake;
  if (options.json === true) {
    await writeJson(io, {
      takenWei: String(takenWei),
      bondedWei: String(bondedWei),
      reservedWei: String(reservedWei),
      unbonding: unbonding.map(({ amountWei, unlock }) => ({
        amountWei: String(amountWei),
        unlock,
      })),
    });
    return EXIT.ok;
  }
  await writeLine(io, `${formatCoin(takenWei)} coins`);
  for (const { amountWei, unlock } of unbonding) {
    io.writeErr(`${formatCoin(amountWei)} coins can be taken out from ${isoOf(unlock)}\n`);
  }
  io.writeErr(
    `${formatCoin(bondedWei)} coins at stake, of which ${formatCoin(reservedWei)} answer for something\n`,
  );
  return EXIT.ok;
}
