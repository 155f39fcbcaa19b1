import { Command, CommanderError, Option } from 'commander';
import { chainCommands, verifyCommand } from './chain-program.ts';
import { codecCommands } from './codec-program.ts';
import { daCommands, lightCommands } from './da-program.ts';
import { dbCommands } from './db-program.ts';
import { dutyCommands } from './duty-program.ts';
import type { CommandContext } from './io.ts';
import { jobCommands } from './job-program.ts';
import { kvCommands } from './kv-program.ts';
import type * as ParseOptions from './parse-options.ts';
import {
  collectText,
  consensusShard,
  devnetDir,
  json,
  key,
  NETWORK,
  network,
  payer,
} from './program-options.ts';
import { proveCommands } from './prove-program.ts';
import { refCommands } from './ref-program.ts';
import { streamCommands } from './stream-program.ts';

/** One command's work: what was typed, parsed. Returns an exit code where it is not 0. */
// biome-ignore lint/suspicious/noExplicitAny: commander hands over what the declarations below say
export type Run = (...typed: any[]) => Promise<number | undefined>;

/** How the text of a command's options is read, by option name; the others are taken as they are. */
export type Parsers = Readonly<
  Record<string, (parse: typeof ParseOptions) => (text: string) => unknown>
>;

/**
 * The whole command tree. Declares only; a command's module, and what reads its options, are loaded
 * when it runs, so that `--help` stays fast.
 *
 * @param onExit - told the exit code of the command that ran
 */
export function buildProgram(context: CommandContext, onExit: (code: number) => void): Command {
  const { io } = context;
  const program = new Command('cairn')
    .description('Store files and blobs on a network that anyone can check, and run its nodes.')
    .exitOverride()
    .configureOutput({
      // Help that was asked for is data.
      writeOut: (text) => void io.writeOut(text).catch(() => undefined),
      writeErr: (text) => io.writeErr(text),
    })
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      'after',
      [
        '',
        'Data goes to stdout, words to stderr; --json gives one JSON object.',
        'Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 verification failed,',
        '            5 timeout or not final, 6 key or permission, 7 no space, 130 interrupted.',
        'Start here: cairn devnet up, then cairn file put PATH in another terminal.',
      ].join('\n'),
    );

  /** Declares what a command does: `load` brings its function when it runs. */
  const runs =
    (load: () => Promise<Run>, parsers: Parsers = {}) =>
    async (...typed: unknown[]): Promise<void> => {
      typed.pop(); // commander's own object; arguments and options come before it
      const options = await readOptions(typed.pop(), parsers);
      const run = await load();
      onExit((await run(...typed, options, context)) ?? 0);
    };

  devnetCommands(program, runs);
  fileCommands(program, runs);
  proveCommands(program, runs);
  refCommands(program, runs);
  jobCommands(program, runs);
  streamCommands(program, runs);
  daCommands(program, runs);
  lightCommands(program, runs);
  chainCommands(program, runs);
  verifyCommand(program, runs);
  dutyCommands(program, runs);
  nodeCommands(program, runs);
  kvCommands(program, runs);
  dbCommands(program, runs);
  keyCommands(program, runs);
  codecCommands(program, runs);
  json(program.command('version').description('Version of cairn and of Node.js.')).action(
    runs(async () => (await import('./commands/version.ts')).version),
  );
  eachCommand(program, (command) => {
    command.exitOverride();
    command.configureOutput(program.configureOutput());
  });
  return program;
}

/** Whether commander threw because help was shown, not because something was wrong. */
export function isHelpShown(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** Whether commander, which wrote its own message already, refused the command line. */
export function isUsageRefused(error: unknown): boolean {
  return error instanceof CommanderError;
}

/** Declares what a command does. */
export type Runs = (
  load: () => Promise<Run>,
  parsers?: Parsers,
) => (...typed: unknown[]) => Promise<void>;

/** The options as their commands take them. @throws {CliError} CLI_USAGE */
async function readOptions(typed: unknown, parsers: Parsers): Promise<object> {
  const options = new Map(Object.entries(Object(typed)));
  const parse = await import('./parse-options.ts');
  for (const [name, parserOf] of Object.entries(parsers)) {
    const text = options.get(name);
    const parser = parserOf(parse);
    if (typeof text === 'string') options.set(name, parser(text));
    else if (Array.isArray(text)) options.set(name, text.map(String).map(parser));
  }
  return Object.fromEntries(options);
}

const PORTS: Parsers = {
  basePort: (parse) => parse.parsePort,
  port: (parse) => parse.parseAnyPort,
};
const FRAGMENTS: Parsers = { fragmentSize: (parse) => parse.parseFragmentSize };

function devnetCommands(program: Command, runs: Runs): void {
  const devnet = program
    .command('devnet')
    .description('A whole network on this machine: chain, storage and key-value nodes, signers.');
  devnetDir(
    json(
      devnet
        .command('up')
        .description('Start a devnet and print what runs where. Ctrl-C stops all of it.'),
    ),
  )
    .option('-d, --detach', 'leave it running in the background; `cairn devnet down` stops it')
    .option(
      '--base-port <port>',
      'chain here, indexer at +1, blobs at +2, storage nodes from +10, key-value from +74',
    )
    .option('--port <0>', '0: any ports that are free')
    .option('--storage <shards>', 'storage nodes by what they keep', '0/1,0/2,1/2')
    .option('--da <signers>', 'signers that keep blobs; 0: takes no blobs', '4')
    .option('--kv <nodes>', 'key-value nodes, which answer for streams', '1')
    .option(
      '--consensus-shards <chains>',
      'chains with a log of their own, the hub included; 2, or 1 with --da 0 or --keep, unless told',
    )
    .option('--mine', 'storage nodes mine what they keep, a tenth of a core each')
    .addOption(
      new Option('--topology <file>', 'JSON that describes the devnet').conflicts([
        'storage',
        'da',
        'kv',
        'mine',
        'consensusShards',
      ]),
    )
    .option('--keep', 'go on with what an earlier --keep run left, and keep it again')
    .action(
      runs(async () => (await import('./commands/devnet-up.ts')).devnetUp, {
        ...PORTS,
        da: (parse) => parse.parseCount(0),
        kv: (parse) => parse.parseCount(0),
        consensusShards: (parse) => parse.parseCount(1),
      }),
    );
  devnetDir(
    json(devnet.command('down').description('Stop the devnet, wherever it was started.')),
  ).action(runs(async () => (await import('./commands/devnet-control.ts')).devnetDown));
  devnetDir(
    json(devnet.command('status').description('What runs where; exit code 3 if nothing does.')),
  ).action(runs(async () => (await import('./commands/devnet-control.ts')).devnetStatus));
  devnetDir(
    json(devnet.command('logs [service]').description('What the services wrote, oldest first.')),
  )
    .option('-f, --follow', 'go on until interrupted')
    .option('-n, --lines <count>', 'last lines of each service', '50')
    .action(
      runs(async () => (await import('./commands/devnet-logs.ts')).devnetLogs, {
        lines: (parse) => parse.parseCount(0),
      }),
    );
  devnetDir(
    json(devnet.command('reset').description('Stop the devnet and remove all it kept.')),
  ).action(runs(async () => (await import('./commands/devnet-control.ts')).devnetReset));
  devnetDir(
    json(
      devnet
        .command('demo')
        .description(
          'A tour: a file of 64 MiB, a stream and a blob, stored, proven, and read back.',
        ),
    ),
  )
    .option('--base-port <port>', 'ports of a devnet started for the tour')
    .option('--port <0>', '0: any ports that are free, as it is unless told')
    .option('--size <size>', 'size of the file', '64MiB')
    .option('--seed <number>', 'seed of the file')
    .action(
      runs(async () => (await import('./commands/devnet-demo.ts')).devnetDemo, {
        ...PORTS,
        size: (parse) => parse.parseSize,
        seed: (parse) => parse.parseCount(0),
      }),
    );
}

function fileCommands(program: Command, runs: Runs): void {
  const file = program.command('file').description('Store, read and check files and directories.');
  consensusShard(
    payer(
      network(
        json(
          file
            .command('put <path>')
            .description('Store a file, a directory or - (stdin), and print its root.'),
        ),
      ),
    ),
    'the consensus shard to store it on; the cheapest then unless told',
  )
    .option('--replicas <count>', 'full copies to store', '1')
    .option('--tags <hex|text>', 'bytes that go into the log entry')
    .option('--fragment-size <size>', 'cut larger files at this size, rounded up to a power of two')
    .addOption(
      new Option(
        '--encrypt <version>',
        'v1, v2: formats of the 0G clients; v3: authenticated',
      ).choices(['v1', 'v2', 'v3']),
    )
    .option('--encryption-key <file>', 'file with 32 bytes as hex, which readers need too (v1, v3)')
    .option('--recipient <key|self>', 'public key of the reader (v2, v3)')
    .option('--resume', 'trust what an earlier run found if the file has not changed since')
    .addOption(
      new Option('--wait <until>', 'accepted: paid and sent; finalized: holders have it all')
        .choices(['accepted', 'finalized'])
        .default('finalized'),
    )
    .option('--timeout <duration>', 'longest wait without progress', '120s')
    .option('--dry-run', 'say what it costs and stop')
    .action(
      runs(async () => (await import('./commands/file-put.ts')).filePut, {
        ...NETWORK,
        ...FRAGMENTS,
        replicas: (parse) => parse.parseCount(1),
        tags: (parse) => parse.parseTags,
        timeout: (parse) => parse.parseDuration,
      }),
    );
  key(
    network(
      json(
        file
          .command('get <root> [path]')
          .description('Read a file, a directory, or a file inside one. Every byte is verified.'),
      ),
    ),
  )
    .option('-o, --output <path>', 'file or directory to write; - is stdout')
    .option('--range <a-b>', 'these bytes only: 0-1023 (both included), 4096-, -512')
    .option('--decrypt [file]', 'decrypt with the key in this file; else with --key-file')
    .option('--resume', 'keep what an interrupted run wrote of a file, if it is of this one')
    .option('--force', 'replace the file that is there')
    .action(
      runs(async () => (await import('./commands/file-get.ts')).fileGet, {
        ...NETWORK,
        range: (parse) => parse.parseRange,
      }),
    );
  json(
    file
      .command('root <path>')
      .description('The root of a file, a directory or - (stdin). Needs no network.'),
  )
    .option('--fragment-size <size>', 'as for put')
    .action(runs(async () => (await import('./commands/file-root.ts')).fileRoot, FRAGMENTS));
  consensusShard(
    network(
      json(
        file
          .command('stat <root>')
          .description('Log entries of a file, who keeps it, and what is paid.'),
      ),
    ),
    'as it is on this consensus shard; on any unless told',
  ).action(runs(async () => (await import('./commands/file-stat.ts')).fileStat, NETWORK));
  consensusShard(
    payer(
      network(
        json(
          file
            .command('extend <root>')
            .description('Pay for a file for some terms more; says what it costs unless --yes.'),
        ),
      ),
    ),
    'the consensus shard on which to pay; one that has it unless told',
  )
    .option('--terms <count>', 'terms to pay for, 1 to 64', '1')
    .option('-y, --yes', 'pay')
    .action(
      runs(async () => (await import('./commands/file-extend.ts')).fileExtend, {
        ...NETWORK,
        terms: (parse) => parse.parseCount(1),
      }),
    );
  key(network(json(file.command('ls <root> [path]').description('List a stored directory.'))))
    .option('-R, --recursive', 'with everything below')
    .option('--decrypt [file]', 'decrypt with the key in this file; else with --key-file')
    .action(runs(async () => (await import('./commands/file-ls.ts')).fileLs, NETWORK));
  json(
    file
      .command('verify <path> <root>')
      .description('Check that a local file or directory is what a root names. Needs no network.'),
  )
    .option('--fragment-size <size>', 'as for put')
    .action(runs(async () => (await import('./commands/file-verify.ts')).fileVerify, FRAGMENTS));
  network(
    json(
      file
        .command('diff <directory> <root>')
        .description(
          'What differs between a local directory and a stored one; 4 if anything does.',
        ),
    ),
  )
    .option('--fragment-size <size>', 'as for put')
    .action(
      runs(async () => (await import('./commands/file-diff.ts')).fileDiff, {
        ...NETWORK,
        ...FRAGMENTS,
      }),
    );
}

function nodeCommands(program: Command, runs: Runs): void {
  const node = program.command('node').description('Run a storage node, and see how it does.');
  node
    .command('run')
    .description('Run a storage node or an indexer until it is told to stop.')
    .option('--config <file>', 'TOML; every setting can also come from CAIRN_SECTION__KEY')
    .option('--set <section.key=value>', 'one setting, over file and environment', collectText)
    .option('--example', 'print a configuration with every setting explained')
    .action(runs(async () => (await import('./commands/node-run.ts')).nodeRun));
  network(json(node.command('status').description('What nodes say about themselves.'))).action(
    runs(async () => (await import('./commands/node-status.ts')).nodeStatus, NETWORK),
  );
  network(
    json(
      node
        .command('doctor')
        .description('Check clock, disk, file handles, ports, chain, keys and version.'),
    ),
  )
    .option('--config <file>', 'the node to check; else this machine and the network')
    .option('--key-file <file>', 'a key whose file to check')
    .action(runs(async () => (await import('./commands/node-doctor.ts')).nodeDoctor, NETWORK));
}

function keyCommands(program: Command, runs: Runs): void {
  const keys = program.command('key').description('Make and list keys that pay for storage.');
  json(
    keys
      .command('new <file>')
      .description('Make a key in a new file: a Web3 v3 keystore, or raw with --raw.'),
  )
    .option('--password-file <file>', 'the keystore’s password; else it is asked for')
    .option('--raw', '64 hex digits without a password, for development')
    .action(runs(async () => (await import('./commands/key-new.ts')).keyNew));
  devnetDir(
    json(
      keys
        .command('list [directory]')
        .description('Keys of a directory with their accounts; else those of the devnet.'),
    ),
  ).action(runs(async () => (await import('./commands/key-list.ts')).keyList));
}

function eachCommand(command: Command, visit: (command: Command) => void): void {
  for (const child of command.commands) {
    visit(child);
    eachCommand(child, visit);
  }
}
