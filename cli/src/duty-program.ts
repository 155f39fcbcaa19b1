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
  const look = json(
    devnetDir(duty.command('list').description('List duties and what they are worth.')),
  );
  payer(look.option('--endpoints <file>', 'a network’s endpoints.json'))
    .option('--provider <address>', 'those of this account; of the key’s unless told')
    .option('--all', 'everybody’s')
    .action(
      runs(async () => (await import('./commands/duty-list.ts')).dutyList, {
        provider: (parse) => parse.parseAccount,
      }),
    );
  declare('close <duty>', 'End a duty: say so, and end it once it may; run it again then.').action(
    runs(async () => (await import('./commands/duty-close.ts')).dutyClose),
  );
  declare('release <duty>', 'Free the deposit of a duty that has ended; anyone may.').action(
    runs(async () => (await import('./commands/duty-release.ts')).dutyRelease),
  );
  declare('report <duty>', 'Have stake taken for missed periods of a duty; anyone may.').action(
    runs(async () => (await import('./commands/duty-report.ts')).dutyReport),
  );
  declare('withdraw', 'Pay out what an account earned or got back.')
    .option('--to <address>', 'whose earnings; the key’s own unless told')
    .action(
      runs(async () => (await import('./commands/duty-withdraw.ts')).dutyWithdraw, {
        to: (parse) => parse.parseAccount,
      }),
    );
  declare('unbond', 'Take free stake out: what has waited long enough is paid.')
    .option('--amount <wei>', 'put this much on its way out')
    .action(
      runs(async () => (await import('./commands/duty-unbond.ts')).dutyUnbond, {
        amount: (parse) => parse.parseWei,
      }),
    );
}
