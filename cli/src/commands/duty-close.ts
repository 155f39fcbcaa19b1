import { closeDuty, requestCloseDuty } from '@cairn/chain-access/possession';
import { type DutyOptions, parseDuty, requireOwnDuty, withDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { isoOf } from './duty-list.ts';

/** Takes the next step of ending a duty: says that it will end, then, once it may, ends it. */
export async function dutyClose(
  typed: string,
  options: DutyOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = parseDuty(typed);
  const { endPeriod, closableFrom, now } = await withDuties(options, context, async (chain) => {
    let duty = await requireOwnDuty(chain, id, context);
    const { timestamp = 0 } = (await chain.client.getBlock('latest', { signal })) ?? {};
    if (duty.endPeriod === 0 && duty.closableFrom === 0) {
      await requestCloseDuty(chain, id, { signal });
      duty = await requireOwnDuty(chain, id, context);
    } else if (duty.endPeriod === 0 && timestamp >= duty.closableFrom) {
      await closeDuty(chain, id, { signal });
      duty = await requireOwnDuty(chain, id, context);
    }
    return { ...duty, now: timestamp };
  });
  if (options.json === true) {
    await writeJson(io, { duty: id, closableFrom, endPeriod });
  } else if (endPeriod !== 0) {
    await writeLine(io, `ends before period ${endPeriod}`);
    io.writeErr('periods before that are still to be answered; then `cairn duty release`\n');
  } else {
    await writeLine(io, `can be closed from ${isoOf(closableFrom)}`);
    io.writeErr(
      `in ${Math.max(0, closableFrom - now)} s: it goes on until then; run this again after that\n`,
    );
  }
  return EXIT.ok;
}
