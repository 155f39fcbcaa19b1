import { fundDuty, readDutySpans } from '@cairn/chain-access/possession';
import { formatCoin } from '@cairn/primitives';
import { type DutyOptions, parseDuty, requireDuty, withDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn duty fund` takes. */
export interface DutyFundOptions extends DutyOptions {
  readonly periods: number;
  readonly yes?: boolean;
}

/** Says what periods of a duty cost, and pays for them where `--yes` says so. */
export async function dutyFund(
  typed: string,
  { periods, ...options }: DutyFundOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = parseDuty(typed);
  const isPaid = options.yes === true;
  const told = await withDuties(options, context, async (chain) => {
    const { priceWei } = await requireDuty(chain, id, context);
    const costWei = priceWei * BigInt(periods);
    if (!isPaid) return { costWei };
    const before = await readDutySpans(chain.possession, id, { signal });
    const { address } = chain.possession.contract;
    const intent = `fund:${address}:${id}:${periods}:${before.length}`;
    await fundDuty(chain, { id, periods, priceWei }, { intent, signal });
    const span = (await readDutySpans(chain.possession, id, { signal })).at(-1);
    return { costWei, ...(span && { from: span.from, until: span.until }) };
  });
  if (options.json === true) {
    const paid = isPaid ? {} : { dryRun: true };
    await writeJson(io, { ...paid, duty: id, periods, ...told, costWei: String(told.costWei) });
  } else {
    await writeLine(io, `${formatCoin(told.costWei)} coins`);
    if (!isPaid) io.writeErr('nothing was paid; --yes pays\n');
    else io.writeErr(`periods from ${told.from} up to ${told.until}\n`);
  }
  return EXIT.ok;
}
