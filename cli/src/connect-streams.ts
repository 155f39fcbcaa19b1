import type { Client, KvAttestOptions } from '@cairn/client-sdk';
import { connect } from './connect.ts';
import { CliError, usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { type KeyOptions, requireKey } from './keys.ts';
import { chooseNetwork, type NetworkChoice, type NetworkOptions } from './network-options.ts';

/** What every `cairn kv` command takes. */
export interface StreamOptions extends NetworkOptions, KeyOptions {
  readonly kv?: readonly string[];
  /** Whether what is read has to be proven. */
  readonly proof?: boolean;
  /** Accounts whose word about state roots counts. */
  readonly attestKey?: readonly string[];
  /** How many of them must agree. */
  readonly agree?: number;
  readonly json?: boolean;
}

/**
 * Reads with the network's key-value nodes.
 *
 * @throws {CliError} CLI_NO_KV_NODE, CLI_NO_NETWORK
 */
export function readStreams<Result>(
  options: StreamOptions,
  context: CommandContext,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  return withClient(options, context, undefined, work);
}

/**
 * The same with a key that pays for what is written.
 *
 * @param doing - what it pays for, in words
 * @throws {CliError} CLI_NO_KEY; as `readStreams`
 */
export async function writeStreams<Result>(
  doing: string,
  options: StreamOptions,
  context: CommandContext,
  work: (client: Client, key: Uint8Array) => Promise<Result>,
): Promise<Result> {
  const { keyFiles } = await chooseNetwork(options, context.io);
  const payer = await requireKey(doing, options, keyFiles, context);
  return withClient(options, context, payer, (client) => work(client, payer));
}

async function withClient<Result>(
  options: StreamOptions,
  { io }: CommandContext,
  payer: Uint8Array | undefined,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const network = await chooseNetwork(options, io);
  const kv = options.kv ?? network.kv;
  if (kv.length === 0) {
    throw new CliError(
      { code: 'CLI_NO_KV_NODE', network: network.name },
      `${network.name} names no key-value node`,
    );
  }
  const kvAttest = attestOf(options, network);
  const client = await connect(network, {
    kv,
    isOneChain: true,
    ...(kvAttest === undefined ? {} : { kvAttest }),
    ...(payer === undefined ? {} : { payer }),
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Whose word counts: the accounts that are named, or else those of the network; more than half of them. */
function attestOf(
  { proof = false, attestKey, agree }: StreamOptions,
  { kvKeys, name }: NetworkChoice,
): KvAttestOptions | undefined {
  if (!proof && attestKey === undefined && agree === undefined) return undefined;
  const keys = attestKey ?? kvKeys;
  if (keys.length === 0) {
    throw usageError(
      'attestKey',
      `${name} names no accounts of key-value nodes: say with --attest-key whose word counts`,
    );
  }
  return { keys, threshold: agree ?? Math.floor(keys.length / 2) + 1 };
}
