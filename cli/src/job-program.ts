import type { Command } from 'commander';
import type { Parsers, Runs } from './program.ts';
import { collectText, devnetDir, json, payer } from './program-options.ts';

/** Declares `cairn job`: work over datasets and models that are cited by proof. */
export function jobCommands(program: Command, runs: Runs): void {
  const job = program
    .command('job')
    .description('Have work done over cited datasets and models, and do it.');
  const declare = (name: string, text: string): Command =>
    payer(json(devnetDir(job.command(name).description(text))))
      .option('--endpoints <file>', 'a network’s endpoints.json')
      .option('--board <address>', 'the board on the hub; that of the endpoints unless told');
  declare('post', 'Post a job over content that is ordered, with a reward, and print its number.')
    .option('--dataset <reference>', 'first input: a file of `cairn ref make`, - or a root')
    .option('--model <reference>', 'the input after the dataset')
    .option('--tensor <name>', 'this tensor of the model, by its byte range')
    .option('--input <reference>', 'one more input; may be repeated', collectText)
    .option('--program <name>', 'what is to be done', 'cairn/score-rows/1')
    .requiredOption('--reward <wei>', 'what a result earns')
    .option('--deadline <duration>', 'results count for so long', '1h')
    .option('--wait', 'wait until all that is cited is ordered')
    .action(
      runs(async () => (await import('./commands/job-post.ts')).jobPost, {
        ...BOARD,
        reward: (parse) => parse.parseWei,
        deadline: (parse) => parse.parseDuration,
      }),
    );
  declare('list', 'List jobs, the newest last.')
    .option('--open', 'those only that can be taken')
    .option('-n, --limit <count>', 'the newest so many', '100')
    .action(
      runs(async () => (await import('./commands/job-list.ts')).jobList, {
        ...BOARD,
        limit: (parse) => parse.parseCountTo(1, 10_000),
      }),
    );
  declare('show <job>', 'What a job cites, who has it, and its result.').action(
    runs(async () => (await import('./commands/job-show.ts')).jobShow, BOARD),
  );
  declare('take <job>', 'Take a job that nobody has, for the time that the board gives.').action(
    runs(async () => (await import('./commands/job-take.ts')).jobTake, BOARD),
  );
  declare('complete <job>', 'Bring the result of a job that you have taken; it earns the reward.')
    .requiredOption('--result <reference>', 'a file of `cairn ref make`, - or a root')
    .option('--wait', 'wait until the result is ordered')
    .action(runs(async () => (await import('./commands/job-complete.ts')).jobComplete, BOARD));
  declare('work', 'Take jobs and do them until told to stop: compute, store, cite.')
    .option('--once', 'look once: do one job that there is now, and end')
    .option('--least-reward <wei>', 'leave jobs alone that pay less', '0')
    .option(
      '--result-chain <id>',
      'store results in the log of this chain; of the dataset’s unless told',
    )
    .action(
      runs(async () => (await import('./commands/job-work.ts')).jobWork, {
        ...BOARD,
        leastReward: (parse) => parse.parseWei,
        resultChain: (parse) => parse.parseCount(1),
      }),
    );
  declare(
    'check <job>',
    'Make the result of a job anew: 4 if it is not the one that was paid.',
  ).action(runs(async () => (await import('./commands/job-check.ts')).jobCheck, BOARD));
  declare('withdraw <job>', 'Take a job of yours back that nobody works on.').action(
    runs(async () => (await import('./commands/job-withdraw.ts')).jobWithdraw, BOARD),
  );
  declare('collect', 'Pay out what an account earned or took back.')
    .option('--to <address>', 'whose; the key’s own unless told')
    .action(
      runs(async () => (await import('./commands/job-collect.ts')).jobCollect, {
        ...BOARD,
        to: (parse) => parse.parseAccount,
      }),
    );
}

const BOARD: Parsers = { board: (parse) => parse.parseAccount };
