import type { Command } from 'commander';
import type { Runs } from './program.ts';
import { collectText } from './program-options.ts';

/** Declares `cairn kv-node`: the daemon that answers for streams of keys and values. */
export function kvCommands(program: Command, runs: Runs): void {
  const node = program
    .command('kv-node')
    .description('Run a node that replays streams of keys and values.');
  node
    .command('run')
    .description('Run a key-value node until it is told to stop.')
    .option('--config <file>', 'TOML; every setting can also come from CAIRN_SECTION__KEY')
    .option('--set <section.key=value>', 'one setting, over file and environment', collectText)
    .option('--example', 'print a configuration with every setting explained')
    .action(runs(async () => (await import('./commands/kv-node-run.ts')).kvNodeRun));
}
