import type { Command } from 'commander';
import type { Parsers, Runs } from './program.ts';

const URLS: Parsers = { from: (parse) => parse.parseUrl };

/** Declares `cairn db`: work on the data directory of a storage node. */
export function dbCommands(program: Command, runs: Runs): void {
  const db = program
    .command('db')
    .description('Look after the data directory of a storage node: check, repair, copy, move.');
  const declare = (name: string, text: string): Command =>
    db
      .command(name)
      .description(text)
      .option('--data-dir <directory>', 'the node’s data_dir')
      .option('--json', 'print JSON');
  const socket = (command: Command): Command =>
    command.option('--socket <path>', 'admin socket of the node, where it runs; else in data_dir');
  socket(declare('stats', 'What is stored, and the room it takes.')).action(
    runs(async () => (await import('./commands/db-stats.ts')).dbStats),
  );
  socket(
    declare('scrub', 'Hash everything stored anew; 4 if some of it is damaged.').option(
      '--rate <size>',
      'bytes a second, where the node runs',
    ),
  ).action(
    runs(async () => (await import('./commands/db-scrub.ts')).dbScrub, {
      rate: (parse) => parse.parseSize,
    }),
  );
  declare('repair', 'Finish what was cut off, drop what stands for nothing, check every mark.')
    .option('--from <url>', 'a node to fetch from what is missing; every segment is proven')
    .action(runs(async () => (await import('./commands/db-repair.ts')).dbRepair, URLS));
  declare(
    'snapshot <path>',
    'Copy everything into one file, or to stdout (-), with checksums.',
  ).action(runs(async () => (await import('./commands/db-snapshot.ts')).dbSnapshot));
  declare('restore <path>', 'Make a data directory from a snapshot, or stdin (-).').action(
    runs(async () => (await import('./commands/db-restore.ts')).dbRestore),
  );
  socket(
    declare(
      'migrate',
      'Finish a change of the shard, or make one; bring the layout up to date.',
    ).option('--shard <id/count>', 'the segments to keep from now on'),
  ).action(runs(async () => (await import('./commands/db-migrate.ts')).dbMigrate));
}
