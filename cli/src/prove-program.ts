import type { Command } from 'commander';
import type { Runs } from './program.ts';
import { NETWORK, network } from './program-options.ts';

/** Declares `cairn prove`: what anyone can ask nodes to show. */
export function proveCommands(program: Command, runs: Runs): void {
  const prove = program.command('prove').description('Ask nodes to show what they should have.');
  network(
    prove
      .command('availability <root>')
      .description('Ask nodes for random sectors of a file; each is proven against the root.')
      .option('--json', 'print JSON')
      .option('--samples <count>', 'sectors asked of each node', '30')
      .option('--seed <hex>', 'draw what a score drew: its seed, 32 bytes as hex')
      .option('--answer-timeout <duration>', 'longest wait for one sector', '5s'),
  )
    .option('--key-file <file>', 'sign the score with this key: hex or keystore (CAIRN_KEY_FILE)')
    .option('--password-file <file>', 'password of a keystore (CAIRN_PASSWORD_FILE)')
    .action(
      runs(async () => (await import('./commands/prove-availability.ts')).proveAvailability, {
        ...NETWORK,
        samples: (parse) => parse.parseCount(1),
        seed: (parse) => parse.parseSeed,
        answerTimeout: (parse) => parse.parseDuration,
      }),
    );
}
