import { VoterBook } from '@cairn/chain-access/da';
import { Keeper } from './keeper/keeper.ts';
import { keeperChainOf } from './keeper/open-keeper-chain.ts';
import { PendingTickets } from './keeper/pending-tickets.ts';
import type { NodeParts } from './node-parts.ts';
import { startHost } from './role-host.ts';
import type { StartedRole } from './roles.ts';

/** Starts the keeper role: epochs are moved on until the process stops. @throws what listening throws */
export async function startKeeper(parts: NodeParts): Promise<StartedRole> {
  const { config, chain, clock, logger, backend, sender, runner, watch } = parts;
  const { hub } = chain;
  const voters = new VoterBook(hub);
  const keeper = new Keeper(
    {
      chain: keeperChainOf({ hub, voters, sender, backend }),
      pending: new PendingTickets(), // signers post their own tickets
      clock,
      logger,
    },
    { pollMs: config.chain.pollMs },
  );
  runner.run('keeper', (signal) => keeper.run(signal));
  const doors = { routes: [], ready: () => watch.ready() };
  const host = await startHost('keeper', config.keeper, doors, parts);
  return { role: 'keeper', host };
}
