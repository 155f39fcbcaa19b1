import {
  PossessionError,
  readDepositLeft,
  readDutySpans,
  refundClosedSpan,
  releaseDuty,
  reportEndOf,
} from '@cairn/chain-access/possession';
import { formatCoin } from '@cairn/primitives';
import { type DutyOptions, parseDuty, requireDuty, withDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';

/** Frees what is left of an ended duty's deposit, and gives back what was paid for periods after its end. */
export async function dutyRelease(
  typed: string,
  options: DutyOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const id = parseDuty(typed);
  const told = await withDuties(options, context, async (chain) => {
    const { possession, client } = chain;
    const { provider, endPeriod, priceWei } = await requireDuty(chain, id, context);
    if (endPeriod === 0) {
      throw new PossessionError(
        { code: 'POSSESSION_NOT_ENDED', id },
        `duty ${id} has not ended: its provider ends it with \`cairn duty close ${id}\``,
      );
    }
    let refundWei = 0n;
    for (const [span, { from, until }] of (
      await readDutySpans(possession, id, { signal })
    ).entries()) {
      const periods = until - Math.max(from, endPeriod);
      if (periods <= 0) continue;
      await refundClosedSpan(chain, { id, span }, { signal });
      refundWei += priceWei * BigInt(periods);
    }
    const releasedWei = await readDepositLeft(possession, id, provider, { signal });
    const block = await client.blockNumber({ signal });
    const fromBlock = reportEndOf(possession.terms, endPeriod - 1) + 1;
    if (releasedWei > 0n && block + 1 < fromBlock) {
      throw new PossessionError(
        { code: 'POSSESSION_TOO_EARLY', id, block, fromBlock },
        `the deposit of duty ${id} answers for its last period until block ${fromBlock - 1}; this is block ${block}`,
      );
    }
    if (releasedWei > 0n) await releaseDuty(chain, id, { signal });
    return { releasedWei, refundWei };
  });
  const { releasedWei, refundWei } = told;
  if (options.json === true) {
    const amounts = { releasedWei: String(releasedWei), refundWei: String(refundWei) };
    await writeJson(io, { duty: id, ...amounts });
  } else {
    await writeLine(io, `${formatCoin(releasedWei)} coins are free stake`);
    io.writeErr(`${formatCoin(refundWei)} coins wait for who paid for periods after the end\n`);
  }
  return EXIT.ok;
}
