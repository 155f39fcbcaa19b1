import type { Command } from 'commander';
import type { Runs } from './program.ts';
import { json, NETWORK, network } from './program-options.ts';

/** Declares `cairn ref`: bytes that contracts, programs and people cite. */
export function refCommands(program: Command, runs: Runs): void {
  const ref = program
    .command('ref')
    .description('Cite files, parts of them and tensors of models, and read what is cited.');
  network(
    ref
      .command('make <root>')
      .description('Make a reference to a file, a part of it or a tensor; prints its JSON.')
      .option(
        '--global-index <number>',
        'place in the order of a checkpoint that has it; found and proven by the network’s order unless told',
      )
      .option('--shard-rpc <url>', 'JSON-RPC address of the file’s chain, to find that place')
      .option('--consensus-shard <number>', 'the file on this consensus shard; on any unless told')
      .option('--range <a-b>', 'these bytes only: 0-1023 (both included), 4096-, -512')
      .option('--tensor <name>', 'this tensor of a safetensors file only'),
  ).action(
    runs(async () => (await import('./commands/ref-make.ts')).refMake, {
      ...NETWORK,
      globalIndex: (parse) => parse.parseCount(0),
      shardRpc: (parse) => parse.parseUrl,
      range: (parse) => parse.parseRange,
    }),
  );
  network(
    ref
      .command('resolve <file>')
      .description('Read what a reference cites, every byte verified; - is a reference piped in.')
      .option('-o, --output <file>', 'where to write it; - is stdout')
      .option('--path <path>', 'a file of the directory that is cited')
      .option('--tensor <name>', 'a tensor of the model that is cited')
      .option('--force', 'replace what is there'),
  ).action(runs(async () => (await import('./commands/ref-resolve.ts')).refResolve, NETWORK));
  network(
    json(
      ref
        .command('tensors <file>')
        .description('List the tensors of a model that a reference cites, each as a reference.'),
    ),
  ).action(runs(async () => (await import('./commands/ref-tensors.ts')).refTensors, NETWORK));
}
