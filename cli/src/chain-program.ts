import type { Command } from 'commander';
import { governanceCommands } from './governance-program.ts';
import type { Parsers, Runs } from './program.ts';
import { devnetDir, json } from './program-options.ts';

const ORDER: Parsers = {
  rpc: (parse) => parse.parseUrl,
  hub: (parse) => parse.parseAccount,
  shardRpc: (parse) => parse.parseUrl,
  shard: (parse) => parse.parseCount(0),
};

/** Declares `cairn chain`: consensus shards, the one order of their checkpoints, and what stake decides. */
export function chainCommands(program: Command, runs: Runs): void {
  const chain = program
    .command('chain')
    .description('Consensus shards, the order of their checkpoints, and what stake decides.');
  hub(json(chain.command('shards').description('The shards, and how far each is ordered.'))).action(
    runs(async () => (await import('./commands/chain-shards.ts')).chainShards, ORDER),
  );
  hub(
    json(
      chain
        .command('checkpoints')
        .description('Places of the order with what their checkpoints say, by global index.'),
    ),
  )
    .option('--shard <number>', 'of this shard only; 0 is the hub')
    .option('--from <index>', 'begin at this global index; the newest unless told')
    .option('--limit <count>', 'checkpoints at most, 1 to 1000', '20')
    .action(
      runs(async () => (await import('./commands/chain-checkpoints.ts')).chainCheckpoints, {
        ...ORDER,
        from: (parse) => parse.parseCount(0),
        limit: (parse) => parse.parseCountTo(1, 1000),
      }),
    );
  hub(
    chain
      .command('prove <file>')
      .description('Prove where a file, by root or number in its log, stands in the order.'),
  )
    .option('--shard <number>', 'the shard that has it; the only one with a log unless told')
    .option('--shard-rpc <url>', 'JSON-RPC address of that shard’s chain')
    .option('-o, --output <file>', 'where to write the proof; - is stdout')
    .option('--force', 'replace the file that is there')
    .action(runs(async () => (await import('./commands/chain-prove.ts')).chainProve, ORDER));
  hub(
    chain
      .command('handovers <epoch>')
      .description(
        'What leads from an epoch that somebody trusts to later ones, for `cairn verify`.',
      ),
  )
    .option('--to <epoch>', 'the last one; the newest unless told')
    .option('-o, --output <file>', 'where to write them; - is stdout')
    .option('--force', 'replace the file that is there')
    .action(
      runs(async () => (await import('./commands/chain-handovers.ts')).chainHandovers, {
        ...ORDER,
        to: (parse) => parse.parseCount(1),
      }),
    );
  governanceCommands(chain, runs);
}

/** Declares `cairn verify`: proofs that need no network. */
export function verifyCommand(program: Command, runs: Runs): void {
  json(
    program
      .command('verify <proof>')
      .description('Check a proof of `cairn chain prove` by what you trust. Needs no network.')
      .requiredOption(
        '--trust <file>',
        'an epoch (`cairn da quorum --out`) or a checkpoint of the hub (`cairn chain checkpoints`)',
      )
      .option('--handovers <file>', 'what leads on from that epoch (`cairn chain handovers`)'),
  ).action(runs(async () => (await import('./commands/verify.ts')).verify));
}

function hub(command: Command): Command {
  return devnetDir(command)
    .option('--endpoints <file>', 'a network’s endpoints.json')
    .option('--rpc <url>', 'JSON-RPC address of the hub’s chain')
    .option('--hub <address>', 'the network’s sortition contract there');
}
