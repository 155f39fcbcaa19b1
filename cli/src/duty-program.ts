import { type Command, Option } from 'commander';
import type { Runs } from './program.ts';
import { devnetDir, json, payer } from './program-options.ts';

/** Declares `cairn duty`: answering with stake for having files. */
export function dutyCommands(program: Command, runs: Runs): void {
  const duty = program
    .command('duty')
    .description('Answer with stake for having files at hand, and pay others to.');
  const declare = (name: string, text: string): Command =>
    payer(json(devnetDir(duty.command(name).description(text)))).option(
      '--endpoints <file>',
      'a network’s endpoints.json',
    );
  declare('open <roots...>', 'Take a duty on for files of the log, and print its number.')
    .requiredOption('--price <wei>', 'what a period costs who pays for it')
    .requiredOption('--deposit <wei>', 'stake that answers for it')
    .option('--bond <wei>', 'add this to the stake first, and take the role of a provider')
    .action(
      runs(async () => (await import('./commands/duty-open.ts')).dutyOpen, {
        price: (parse) => parse.parseWei,
        deposit: (parse) => parse.parseWei,
        bond: (parse) => parse.parseWei,
      }),
    );
  declare('fund <duty>', 'Pay for periods of a duty; says what it costs unless --yes.')
    .option('--periods <count>', 'periods to pay for', '1')
    .option('-y, --yes', 'pay')
    .action(
      runs(async () => (await import('./commands/duty-fund.ts')).dutyFund, {
        periods: (parse) => parse.parseCount(1),
      }),
    );
  declare('run <duty>', 'Answer the periods of a duty until told to stop, with sectors of a node.')
    .addOption(new Option('--node <url>', 'the node that keeps the files').makeOptionMandatory())
    .option('--once', 'look once: answer what is due now, and end')
    .action(
      runs(async () => (await import('./commands/duty-run.ts')).dutyRun, {
        node: (parse) => parse.parseUrl,
      }),
    );
}
