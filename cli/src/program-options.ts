import type { Command } from 'commander';
import type { Parsers } from './program.ts';

/** How the options of `network` are read. */
export const NETWORK: Parsers = {
  node: (parse) => parse.parseUrl,
  indexer: (parse) => parse.parseUrl,
  rpc: (parse) => parse.parseUrl,
  hub: (parse) => parse.parseAccount,
  shardPlace: (parse) => parse.parseShardPlace,
  consensusShard: (parse) => parse.parseCount(0),
};

/** `--json`. */
export function json(command: Command): Command {
  return command.option('--json', 'print JSON');
}

/** Where a devnet lies. */
export function devnetDir(command: Command): Command {
  return command.option(
    '--dir <directory>',
    'where the devnet lies (CAIRN_DIR; ./.cairn/devnet unless told)',
  );
}

/** Which network. */
export function network(command: Command): Command {
  return devnetDir(command)
    .option('--endpoints <file>', 'a network’s endpoints.json')
    .option('--node <url>', 'ask this storage node; may be repeated', collectText)
    .option('--indexer <url>', 'ask this indexer')
    .option('--rpc <url>', 'JSON-RPC address of the chain')
    .option('--hub <address>', 'sortition contract on that chain: the hub of --shard-place')
    .option(
      '--shard-place <[number:]chain=rpc,node,…>',
      'where a consensus shard is; may be repeated',
      collectText,
    );
}

/** One of the network's consensus shards. */
export function consensusShard(command: Command, what: string): Command {
  return command.option('--consensus-shard <number>', what);
}

/** Which key reads. */
export function key(command: Command): Command {
  return command
    .option('--key-file <file>', 'key as hex or keystore (CAIRN_KEY_FILE)')
    .option('--password-file <file>', 'password of a keystore (CAIRN_PASSWORD_FILE)');
}

/** Which key pays. */
export function payer(command: Command): Command {
  return command
    .option('--key-file <file>', 'who pays: key as hex or keystore (CAIRN_KEY_FILE)')
    .option('--password-file <file>', 'password of a keystore (CAIRN_PASSWORD_FILE)');
}

/** Gathers an option that may be repeated. */
export function collectText(
  value: string,
  before: readonly string[] | undefined,
): readonly string[] {
  return [...(before ?? []), value];
}
