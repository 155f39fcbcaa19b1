import { type Command, Option } from 'commander';
import { daDevCommand } from './da-dev-program.ts';
import type { Parsers, Runs } from './program.ts';

const DA_NETWORK: Parsers = {
  rest: (parse) => parse.parseUrl,
  rpc: (parse) => parse.parseUrl,
  witness: (parse) => parse.parseUrl,
  trustedBlock: (parse) => parse.parseBlockHash,
  hubRpc: (parse) => parse.parseUrl,
  consensusShard: (parse) => parse.parseCount(0),
};

/** Declares the commands that put blobs before a quorum of signers, and check that they are there. */
export function daCommands(program: Command, runs: Runs): void {
  const da = program
    .command('da')
    .description('Blobs for rollups: available by a certificate that anyone verifies.');
  disperser(
    da
      .command('put <path>')
      .description(
        'Post a file or - (stdin) as a blob, and print its id: the SHA-256 of its bytes.',
      ),
  )
    .addOption(
      new Option('--wait <until>', 'dispersed: its quorum signed; confirmed: the chain took that')
        .choices(['dispersed', 'confirmed'])
        .default('dispersed'),
    )
    .option('--certificate <file>', 'write what the quorum signed')
    .option('--archive', 'write it to the log once it is final, where it outlives its signers')
    .addOption(
      new Option(
        '--order <path>',
        'promise: paid when it is confirmed; chain: paid first; what the disperser does unless told',
      ).choices(['promise', 'chain']),
    )
    .option('--timeout <duration>', 'longest wait', '120s')
    .action(
      runs(async () => (await import('./commands/da-put.ts')).daPut, {
        ...DA_NETWORK,
        timeout: (parse) => parse.parseDuration,
      }),
    );
  blob(
    da
      .command('get [id]')
      .description(
        'Read a blob back, by its id or commitment: from the disperser, or else from its signers.',
      ),
  )
    .addOption(new Option('--from <source>', 'whom to read from').choices(['disperser', 'signers']))
    .option('-o, --output <file>', 'file to write; - is stdout')
    .option('--force', 'replace the file that is there')
    .action(runs(async () => (await import('./commands/da-get.ts')).daGet, DA_NETWORK));
  disperser(
    da.command('status <id>').description('How far a blob is, and who keeps it until when.'),
  ).action(runs(async () => (await import('./commands/da-status.ts')).daStatus, DA_NETWORK));
  chain(
    da
      .command('verify <certificate>')
      .description('Check what a quorum signed: against an epoch file offline, else by the chain.'),
  )
    .option('--epoch-file <file>', 'of `cairn da quorum --out`; nothing is asked then')
    .action(runs(async () => (await import('./commands/da-verify.ts')).daVerify, DA_NETWORK));
  blob(
    da
      .command('sample [id]')
      .description('Ask the signers themselves for rows of a blob, and judge whether it is there.'),
  ).action(runs(async () => (await import('./commands/da-sample.ts')).daSample, DA_NETWORK));
  chain(
    da
      .command('quorum')
      .description('The epoch, its phase, and the signers in office with their seats.'),
  )
    .option('--epoch <number>', 'that epoch; the one in office unless told')
    .option('--out <file>', 'write what verifying its certificates takes')
    .action(
      runs(async () => (await import('./commands/da-quorum.ts')).daQuorum, {
        ...DA_NETWORK,
        epoch: (parse) => parse.parseCount(0),
      }),
    );
  daDevCommand(da, runs);
}

/** Declares what watches a network without trusting a server of it. */
export function lightCommands(program: Command, runs: Runs): void {
  const light = program
    .command('light')
    .description('A light client: follows epochs and samples blobs, trusting no server.');
  trusting(
    chain(
      light
        .command('run')
        .description(
          'Judge each confirmed blob in turn, until interrupted, and print a line each.',
        ),
    ),
  )
    .option('--checkpoint <file>', 'keep trust, place and draws here, and go on from them')
    .option('--require-handovers', 'take no epoch that the committee before has not signed for')
    .option('--once', 'end when everything that is confirmed by now is judged')
    .option('--blobs <count>', 'end after so many blobs')
    .option('--parallel <count>', 'blobs judged at once', '4')
    .option('--from-block <number>', 'begin there; at the first trusted epoch unless told')
    .action(
      runs(async () => (await import('./commands/light-run.ts')).lightRun, {
        ...DA_NETWORK,
        blobs: (parse) => parse.parseCount(1),
        parallel: (parse) => parse.parseCount(1),
        fromBlock: (parse) => parse.parseCount(0),
      }),
    );
}

function blob(command: Command): Command {
  return trusting(chain(disperser(command))).option(
    '--certificate <file>',
    'what its quorum signed; nobody is asked for it then',
  );
}

function trusting(command: Command): Command {
  return command
    .option('--epoch-file <file>', 'trust this epoch, of `cairn da quorum --out`')
    .option('--trusted-block <hash>', 'trust this block: the epoch is proven by its state')
    .option(
      '--witness <url>',
      'another endpoint of either chain that must name the same blocks; may be repeated',
      (value: string, before: readonly string[] = []) => [...before, value],
    );
}

function place(command: Command): Command {
  const has = (name: string): boolean => command.options.some(({ long }) => long === name);
  if (has('--endpoints')) return command;
  return command
    .option('--json', 'print JSON')
    .option('--dir <directory>', 'where the devnet lies (CAIRN_DIR; ./.cairn/devnet unless told)')
    .option('--endpoints <file>', 'a network’s endpoints.json')
    .option(
      '--consensus-shard <number>',
      'blobs of this consensus shard; unless told the cheapest takes, and the blob’s own is asked',
    );
}

function disperser(command: Command): Command {
  return place(command).option('--rest <url>', 'ask this disperser');
}

function chain(command: Command): Command {
  return place(command)
    .option('--rpc <url>', 'JSON-RPC address of the chain')
    .option('--entrance <address>', 'the network’s DA entrance there')
    .option('--hub-rpc <url>', 'JSON-RPC address of the hub’s chain, where that is another');
}
