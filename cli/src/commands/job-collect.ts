import { randomBytes } from 'node:crypto';
import { collectJobFees, readJobFees } from '@cairn/chain-access/shards';
import { type Address, toHex } from '@cairn/primitives';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../io.ts';
import { type JobOptions, type JobPlace, withJobs } from '../job-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { rewardOf } from './job-list.ts';

/** What `cairn job collect` takes. */
export interface JobCollectOptions extends JobOptions {
  readonly to?: Address;
}

/** Pays out what waits on the board for an account; nothing is sent where nothing waits. */
export async function jobCollect(
  options: JobCollectOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  const collect = async ({ network }: JobPlace): Promise<readonly [Address, bigint]> => {
    const caller = network.caller();
    const payee = options.to ?? caller.sender.address;
    const waiting = await readJobFees(network.board, payee, { signal });
    // Each command is a payment of its own.
    const intent = `collect:${toHex(randomBytes(16))}`;
    if (waiting > 0n) await collectJobFees(caller, payee, { intent, signal });
    return [payee, waiting];
  };
  const [payee, wei] = await withJobs(options, context, collect, 'collect rewards');
  if (options.json === true) await writeJson(io, { account: payee, paidWei: String(wei) });
  else await writeLine(io, `${payee} was paid ${rewardOf(wei)}`);
  return EXIT.ok;
}
