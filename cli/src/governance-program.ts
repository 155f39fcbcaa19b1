import { type Command, Option } from 'commander';
import type { Parsers, Runs } from './program.ts';
import { collectText, devnetDir, json, payer } from './program-options.ts';

const GOVERNANCE: Parsers = {
  rpc: (parse) => parse.parseUrl,
  hub: (parse) => parse.parseAccount,
  governor: (parse) => parse.parseAccount,
  shardRpc: (parse) => parse.parseUrl,
};

/** Declares the commands of `cairn chain` by which stake decides. */
export function governanceCommands(chain: Command, runs: Runs): void {
  proposeCommands(chain, runs);
  acting(chain.command('vote <proposal> <support>'))
    .description('Vote for, against or abstain, with all stake of the proposal’s epoch, for good.')
    .option('--reason <text>', 'why, for everybody to read')
    .action(runs(async () => (await import('./commands/chain-vote.ts')).chainVote, GOVERNANCE));
  acting(chain.command('queue <proposal>'))
    .description('Put a proposal that passed into the timelock; anyone may.')
    .action(runs(async () => (await import('./commands/chain-vote.ts')).chainQueue, GOVERNANCE));
  acting(chain.command('execute <proposal>'))
    .description('Make the calls of a proposal that has waited in the timelock; anyone may.')
    .action(runs(async () => (await import('./commands/chain-vote.ts')).chainExecute, GOVERNANCE));
  place(chain.command('proposals [proposal]'))
    .description('The newest proposals, or one: calls, votes, state, and when what comes next.')
    .option('--limit <count>', 'proposals at most, 1 to 100', '10')
    .action(
      runs(async () => (await import('./commands/chain-proposals.ts')).chainProposals, {
        ...GOVERNANCE,
        limit: (parse) => parse.parseCountTo(1, 100),
      }),
    );
}

function proposeCommands(chain: Command, runs: Runs): void {
  const propose = chain
    .command('propose')
    .description('Propose what stake then votes on; all calls pass together or not at all.');
  proposing(propose.command('add-shard <number>'))
    .description('Add a chain to the order of checkpoints, from a block of now on.')
    .option('--shard-rpc <url>', 'JSON-RPC address of its chain: contracts are checked there')
    .option('--flow <address>', 'its log')
    .option('--entrance <address>', 'its contract for blobs')
    .option('--mirror <address>', 'its mirror of the hub’s epochs')
    .option('--period <blocks>', 'blocks between checkpoints; those of shard 0 unless told')
    .addOption(new Option('--finality <blocks|tag>', 'when its blocks stay').default('tag'))
    .option(
      '--first-checkpoint <number>',
      'unless told the first whose block comes after the soonest execution',
    )
    .action(
      runs(async () => (await import('./commands/chain-propose.ts')).proposeAddShard, {
        ...GOVERNANCE,
        flow: (parse) => parse.parseAccount,
        entrance: (parse) => parse.parseAccount,
        mirror: (parse) => parse.parseAccount,
        period: (parse) => parse.parseCount(1),
        firstCheckpoint: (parse) => parse.parseCount(1),
      }),
    );
  proposing(propose.command('set-module <name> <address>'))
    .description('Replace a module of the stake hub, or add one, and name it in the Directory.')
    .action(
      runs(async () => (await import('./commands/chain-propose.ts')).proposeSetModule, GOVERNANCE),
    );
  proposing(propose.command('calls'))
    .description('Propose the calls of --call alone.')
    .action(
      runs(async () => (await import('./commands/chain-propose.ts')).proposeCalls, GOVERNANCE),
    );
}

function proposing(command: Command): Command {
  return acting(command)
    .option('--description <text>', 'what people read of it; what it does unless told')
    .option(
      '--call <call>',
      'one call more, such as "directory.set(market, 0x…)"; may be repeated',
      collectText,
    )
    .option('--dry-run', 'print the calls, and propose nothing');
}

function acting(command: Command): Command {
  return payer(place(command));
}

function place(command: Command): Command {
  return json(devnetDir(command))
    .option('--endpoints <file>', 'a network’s endpoints.json')
    .option('--rpc <url>', 'JSON-RPC address of the hub’s chain')
    .option('--hub <address>', 'the network’s sortition contract there')
    .option('--governor <address>', 'the governor there, unless the network names it');
}
