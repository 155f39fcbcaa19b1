import type { Command } from 'commander';
import type { Parsers, Runs } from './program.ts';
import { collectText, json, NETWORK, network, payer } from './program-options.ts';

const KV: Parsers = {
  ...NETWORK,
  kv: (parse) => parse.parseUrl,
  attestKey: (parse) => parse.parseAccount,
  agree: (parse) => parse.parseCount(1),
  version: (parse) => parse.parseCount(0),
  limit: (parse) => parse.parseCount(1),
};

/** Declares `cairn kv`: reading and writing streams of keys and values. */
export function streamCommands(program: Command, runs: Runs): void {
  const kv = program
    .command('kv')
    .description('Read and write keys and values that anyone can replay from the log.');
  const reads = (name: string, text: string): Command =>
    proven(streamNetwork(kv.command(name).description(text))).option(
      '--version <entry>',
      'as of this log entry; the newest unless told',
    );
  const writes = (name: string, text: string): Command =>
    payer(streamNetwork(kv.command(name).description(text)));

  reads('get <stream> <key>', 'Write a value to standard output; exit code 3 if there is none.')
    .option('--output <file>', 'into a new file instead')
    .action(runs(async () => (await import('./commands/kv-get.ts')).kvGet, KV));
  writes('put <stream> <key> [value]', 'Write a value, and wait until it can be read.')
    .option('--file <file>', 'the value; - for standard input')
    .action(runs(async () => (await import('./commands/kv-put.ts')).kvPut, KV));
  writes('del <stream> <keys...>', 'Delete keys; older versions stay readable.').action(
    runs(async () => (await import('./commands/kv-put.ts')).kvDel, KV),
  );
  reads('scan <stream>', 'List keys and values in order, a line each.')
    .option('--prefix <key>', 'keys that begin with this')
    .option('--gte <key>', 'from this key on')
    .option('--lt <key>', 'up to this key, without it')
    .option('--reverse', 'from the last to the first')
    .option('--limit <keys>', 'so many at most')
    .option('--keys-only', 'without values')
    .action(runs(async () => (await import('./commands/kv-scan.ts')).kvScan, KV));
  streamNetwork(kv.command('watch <stream>').description(WATCH_TEXT))
    .option('--prefix <key>', 'keys that begin with this')
    .option('--after <entry>', 'from behind this log entry, or the position of an event, on')
    .option('--values', 'values too')
    .option('--limit <changes>', 'end after so many')
    .action(runs(async () => (await import('./commands/kv-watch.ts')).kvWatch, KV));
  writes(
    'batch <stream>',
    'Write what lines of JSON on standard input say, all or nothing.',
  ).action(runs(async () => (await import('./commands/kv-batch.ts')).kvBatch, KV));
  writes('acl <stream> <verb> [account]', ACL_TEXT)
    .option('--key <key>', 'the key that special roles are about')
    .action(runs(async () => (await import('./commands/kv-acl.ts')).kvAcl, KV));
  vouching(payer(streamNetwork(kv.command('snapshot').description(SNAPSHOT_TEXT)))).action(
    runs(async () => (await import('./commands/kv-snapshot.ts')).kvSnapshot, KV),
  );
  const stream = kv.command('stream').description('Names of streams.');
  payer(streamNetwork(stream.command('create').description(CREATE_TEXT)))
    .option('--salt <hex>', '32 bytes that tell streams of one account apart; random unless told')
    .action(runs(async () => (await import('./commands/kv-stream.ts')).kvStreamCreate, KV));
  streamNetwork(stream.command('list').description('Streams that the node has.')).action(
    runs(async () => (await import('./commands/kv-stream.ts')).kvStreamList, KV),
  );
}

const ACL_TEXT =
  'Say who may write: grant-admin, renounce-admin, grant-writer, revoke-writer, renounce-writer, ' +
  'special-key, normal-key, grant-key-writer, revoke-key-writer, renounce-key-writer.';
const SNAPSHOT_TEXT =
  'Store the newest state of all streams in the log layer, vouched for by nodes: another node begins with it (bootstrap.file).';
const WATCH_TEXT =
  'Tell what changes as it is decided, a line each, until interrupted; a broken connection is taken up where it was.';
const CREATE_TEXT =
  'Make a stream of the paying account: its id, which nobody meets by chance, is printed once the account is its administrator.';

/** Whether nodes are believed. */
function proven(command: Command): Command {
  return vouching(
    command.option(
      '--proof',
      'believe no node: prove it under a root that enough accounts vouch for',
    ),
  );
}

/** Whose word about roots counts. */
function vouching(command: Command): Command {
  return command
    .option(
      '--attest-key <account>',
      'an account whose word about roots counts, may be repeated; those of the network unless told',
      collectText,
    )
    .option('--agree <accounts>', 'so many must say the same; more than half unless told');
}

/** Which network, and which of its key-value nodes. */
function streamNetwork(command: Command): Command {
  return network(json(command)).option(
    '--kv <url>',
    'ask this key-value node; may be repeated',
    collectText,
  );
}
