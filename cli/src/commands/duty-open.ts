import { bondProvider, openDuty, startDuty } from '@cairn/chain-access/possession';
import { equalBytes, parseRoot, rootBytes } from '@cairn/primitives';
import { type DutyOptions, withDuties } from '../duty-chain.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { writeJson, writeLine } from '../output.ts';
import { notFound } from './file-stat.ts';

/** What `cairn duty open` takes. Amounts in wei. */
export interface DutyOpenOptions extends DutyOptions {
  readonly price: bigint;
  readonly deposit: bigint;
  readonly bond?: bigint;
}

/** Takes a duty on for files of the log: opens it, with stake that answers for it. */
export async function dutyOpen(
  typed: readonly string[],
  options: DutyOpenOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const roots = typed.map((text) => parseRoot(text));
  const id = await withDuties(options, context, async (chain) => {
    const { client, possession } = chain;
    const records = await chain.records.upTo(await client.blockNumber({ signal }), { signal });
    const sequences = roots.map((root) => {
      const bytes = rootBytes(root);
      const record = records.find(({ fileRoot }) => equalBytes(fileRoot, bytes));
      if (record === undefined) throw notFound(root, `the log ${possession.flow}`);
      return record.sequence;
    });
    const ascending = [...new Set(sequences)].toSorted((left, right) => left - right);
    // The same duty again is the same duty: an interrupted command goes on where it was.
    const intent = `duty:${possession.contract.address}:${ascending.join(',')}:${options.price}`;
    if (options.bond !== undefined) {
      await bondProvider(chain, options.bond, { intent: `${intent}:bond:${options.bond}`, signal });
    }
    const wish = {
      priceWei: options.price,
      recordsUpTo: chain.records.upTo.bind(chain.records),
      sequences: ascending,
    };
    const opened = await openDuty(chain, wish, { intent, signal });
    await startDuty(chain, opened, options.deposit, { signal });
    return opened;
  });
  if (options.json === true) await writeJson(io, { duty: id });
  else await writeLine(io, String(id));
  return EXIT.ok;
}
