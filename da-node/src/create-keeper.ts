import { type Mining, openMining, VoterBook } from '@cairn/chain-access/da';
import { outlastOutages } from './chain/outlast-outages.ts';
import { describeProblem } from './doors/describe-problem.ts';
import { Keeper } from './keeper/keeper.ts';
import { keeperChainOf } from './keeper/open-keeper-chain.ts';
import { payOutChainOf } from './keeper/open-pay-out-chain.ts';
import { PayOut } from './keeper/pay-out.ts';
import { PendingTickets } from './keeper/pending-tickets.ts';
import { ticketDoors } from './keeper/ticket-doors.ts';
import type { NodeParts } from './node-parts.ts';
import { startHost } from './role-host.ts';
import type { StartedRole } from './roles.ts';

/** Looks of the keeper between two at fees: these are moved on once in an epoch. */
const PAY_OUT_POLLS = 5;

/** Starts the keeper role: epochs are moved on until the process stops. @throws what listening throws */
export async function startKeeper(parts: NodeParts): Promise<StartedRole> {
  const { config, chain, clock, logger, metrics, backend, sender, runner, watch, opened } = parts;
  const { hub } = chain;
  const voters = new VoterBook(hub);
  const keeperChain = keeperChainOf({ hub, voters, sender, backend });
  const pending = new PendingTickets();
  const keeper = new Keeper(
    { chain: keeperChain, pending, clock, logger },
    { pollMs: config.chain.pollMs, gatherMs: config.keeper.gatherMs },
  );
  runner.run('keeper', (signal) => keeper.run(signal));
  runner.run('pay-out', (signal) => payOut(parts, signal));
  const stopping = new AbortController();
  opened('keeper', async () => stopping.abort(new Error('the keeper is stopping')));
  const routes = ticketDoors({
    chain: keeperChain,
    pending,
    backend,
    clock,
    metrics: metrics.metrics,
    stopping: stopping.signal,
  });
  const doors = { routes: [routes], describeProblem, ready: () => watch.ready() };
  const host = await startHost('keeper', config.keeper, doors, parts);
  return { role: 'keeper', host };
}

/** Fees are moved on to those who keep rows, once the chain answers. @throws the signal's reason */
async function payOut(
  { config, chain, sender, clock, logger }: NodeParts,
  signal: AbortSignal,
): Promise<void> {
  const open = (): Promise<Mining> => openMining(chain.entrance, { signal });
  const mining = await outlastOutages(open, { clock, logger }, signal);
  const payOutChain = payOutChainOf(chain.hub, { mining, sender });
  await new PayOut({ chain: payOutChain, clock, logger }).run(
    PAY_OUT_POLLS * config.chain.pollMs,
    signal,
  );
}
