import {
  ensurePeriodOpen,
  findSpan,
  periodAt,
  readIsSettled,
  refundLapsedPeriod,
  reportEndOf,
  reportMissedPeriod,
  windowEndOf,
} from '@cairn/chain-access/possession';
import {
  type DutyChain,
  type DutyOptions,
  parseDuty,
  requireDuty,
  withDuties,
} from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** Periods looked back over: each costs up to two requests. */
const MAX_LOOK_BACK = 1000;

/** Has stake taken for the missed periods of a duty; who reports gets a part of their pay. */
export async function dutyReport(
  typed: string,
  options: DutyOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = parseDuty(typed);
  const { reported, refunded } = await withDuties(options, context, async (chain) => {
    const { possession, client } = chain;
    const { terms } = possession;
    const block = await client.blockNumber({ signal });
    const open = await openPeriods(chain, id, block, context);
    const done: { reported: number[]; refunded: number[] } = { reported: [], refunded: [] };
    for (const { period, span } of open) {
      if (block < reportEndOf(terms, period)) {
        await ensurePeriodOpen(chain, period, { signal });
        await reportMissedPeriod(chain, { id, span, period }, { signal });
        done.reported.push(period);
      } else if (block >= reportEndOf(terms, period)) {
        await refundLapsedPeriod(chain, { id, span, period }, { signal });
        done.refunded.push(period);
      }
    }
    return done;
  });
  if (options.json === true) {
    await writeJson(io, { duty: id, reported, refunded });
  } else {
    await writeLine(io, `${reported.length} reported`);
    if (reported.length > 0) io.writeErr(`missed: period ${reported.join(', ')}\n`);
    if (refunded.length > 0) {
      io.writeErr(`too late to report, paid back: period ${refunded.join(', ')}\n`);
    }
  }
  return EXIT.ok;
}

/** Paid periods whose window is over and that nobody settled. */
async function openPeriods(
  chain: DutyChain,
  id: number,
  block: number,
  context: CommandContext,
): Promise<readonly { readonly period: number; readonly span: number }[]> {
  const { possession } = chain;
  const { signal } = context;
  const duty = await requireDuty(chain, id, context);
  const current = periodAt(possession.terms, block);
  const last = block >= windowEndOf(possession.terms, current) ? current : current - 1;
  const first = Math.max(duty.firstPeriod, last - MAX_LOOK_BACK + 1, 1);
  const found: { period: number; span: number }[] = [];
  for (let period = first; duty.firstPeriod !== 0 && period <= last; period += 1) {
    const span = await findSpan(possession, { id, duty, period }, { signal });
    if (span === undefined) continue;
    if (!(await readIsSettled(possession, id, period, { signal }))) found.push({ period, span });
  }
  return found;
}
