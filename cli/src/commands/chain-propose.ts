import { type ChainClient, checkCode } from '@cairn/chain-access';
import { openEntrance } from '@cairn/chain-access/da';
import {
  addShardCall,
  describeGovernedCall,
  firstCheckpointAfter,
  type GovernedCall,
  parseGovernedCall,
  propose,
  readProposal,
  setModuleCalls,
} from '@cairn/chain-access/governance';
import { openMirror, type Shard, ShardError } from '@cairn/chain-access/shards';
import { type Address, type ChainId, parseAddress, toHex } from '@cairn/primitives';
import { usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import {
  type GovernanceChain,
  type GovernanceOptions,
  withGovernance,
  withVoter,
} from '../governance-chain.ts';
import type { CommandContext } from '../io.ts';
import { withClient } from '../order-chain.ts';
import { writeJson, writeLine } from '../output.ts';
import { parseCountTo } from '../parse-options.ts';
import { proposalInWords, proposalJson } from '../proposal-in-words.ts';

/** What every `cairn chain propose` takes. */
export interface ProposeOptions extends GovernanceOptions {
  readonly description?: string;
  /** Calls by name besides those of the command. */
  readonly call?: readonly string[];
  readonly dryRun?: boolean;
}

/** What `cairn chain propose add-shard` takes. */
export interface AddShardOptions extends ProposeOptions {
  readonly flow?: Address;
  readonly entrance?: Address;
  readonly mirror?: Address;
  readonly period?: number;
  readonly finality: string;
  readonly firstCheckpoint?: number;
}

/** The greatest shard number: 4 bytes in every checkpoint. */
const MAX_SHARD_ID = 2 ** 32 - 1;
/** Blocks that the registry can name for finality: 4 bytes; 0 stands for the chain's own word. */
const MAX_FINALITY = 2 ** 32 - 1;

interface Wanted {
  readonly calls: readonly GovernedCall[];
  readonly description: string;
}

/** Proposes that a chain is added to the order. */
export async function proposeAddShard(
  typed: string,
  options: AddShardOptions,
  context: CommandContext,
): Promise<number> {
  const shardId = parseCountTo(1, MAX_SHARD_ID)(typed);
  return proposeWith(options, context, async (chain) => {
    const { ordering } = chain.order;
    const shard = await wantedShard(shardId, options, chain, context);
    const { chainId, firstCheckpoint } = shard;
    const { client } = ordering.hub;
    return {
      calls: [addShardCall(client, ordering.domain.address, shard)],
      description: `Add shard ${shardId}: chain ${chainId}, from checkpoint ${firstCheckpoint} on`,
    };
  });
}

/** Proposes that a module of the stake hub is replaced, or added. */
export async function proposeSetModule(
  name: string,
  address: string,
  options: ProposeOptions,
  context: CommandContext,
): Promise<number> {
  const successor = parseAddress(address);
  return proposeWith(options, context, async ({ governance, contracts }) => {
    const { client, chainId } = governance;
    await checkCode(client, successor, chainId, context);
    return {
      calls: await setModuleCalls(client, { name, successor, contracts }, context),
      description: `Replace ${name} by ${successor}`,
    };
  });
}

/** Proposes calls by name. */
export async function proposeCalls(
  options: ProposeOptions,
  context: CommandContext,
): Promise<number> {
  if (options.call === undefined) throw usageError('call', 'name at least one call with --call');
  return proposeWith(options, context, async () => ({ calls: [], description: '' }));
}

async function proposeWith(
  options: ProposeOptions,
  context: CommandContext,
  wantedOf: (chain: GovernanceChain) => Promise<Wanted>,
): Promise<number> {
  const { io, signal } = context;
  const wishOf = async (chain: GovernanceChain): Promise<Wanted> => {
    const wanted = await wantedOf(chain);
    const more = (options.call ?? []).map((text) => parseGovernedCall(text, chain.contracts));
    const calls = [...wanted.calls, ...more];
    const words = more.map((call) => describeGovernedCall(call, chain.contracts));
    const described = [wanted.description, ...words].filter((each) => each !== '').join('; ');
    return { calls, description: options.description ?? described };
  };
  if (options.dryRun === true) {
    return withGovernance(options, context, async (chain) => {
      const { calls, description } = await wishOf(chain);
      const words = calls.map((call) => describeGovernedCall(call, chain.contracts));
      const told = calls.map(({ target, data }, at) => ({
        target,
        data: toHex(data),
        words: words[at] ?? '',
      }));
      if (options.json === true) await writeJson(io, { description, calls: told });
      else await writeLine(io, [description, ...words.map((each) => `  calls ${each}`)].join('\n'));
      return EXIT.ok;
    });
  }
  return withVoter('propose', options, context, async (chain, caller) => {
    const { governance, contracts, fromBlock } = chain;
    const id = await propose(caller, await wishOf(chain), { signal });
    const proposal = await readProposal(governance, id, { signal, fromBlock });
    if (options.json === true) await writeJson(io, proposalJson(proposal, contracts));
    else await writeLine(io, proposalInWords(proposal, contracts));
    return EXIT.ok;
  });
}

async function wantedShard(
  shardId: number,
  options: AddShardOptions,
  { governance, order }: GovernanceChain,
  { signal }: CommandContext,
): Promise<Shard> {
  const rpcUrl = options.shardRpc;
  if (rpcUrl === undefined) {
    throw usageError('shardRpc', 'name the chain of the new shard with --shard-rpc URL');
  }
  const { flow, entrance, mirror } = options;
  const hubShard = order.shards.find((shard) => shard.shardId === 0);
  const periodBlocks = options.period ?? hubShard?.periodBlocks;
  if (periodBlocks === undefined) {
    throw usageError('period', 'the network has no shard 0 to go by: give --period BLOCKS');
  }
  const { finality: typed } = options;
  const finality = typed === 'tag' ? ('tag' as const) : parseCountTo(1, MAX_FINALITY)(typed);
  return withClient(rpcUrl, async (client) => {
    const chainId = await client.chainId({ signal });
    const { votingDelaySeconds, votingSeconds, delaySeconds } = governance;
    const seconds = votingDelaySeconds + votingSeconds + delaySeconds;
    const wanted = { shardId, chainId, periodBlocks, finality, flow, entrance, mirror };
    await checkContracts({ ...wanted, client }, order, { signal });
    return {
      ...wanted,
      firstCheckpoint:
        options.firstCheckpoint ??
        (await firstCheckpointAfter(client, { periodBlocks }, seconds, { signal })),
    };
  });
}

/** What would be registered for good is there, and of this network. @throws what opening the contracts throws */
async function checkContracts(
  {
    shardId,
    chainId,
    flow,
    entrance,
    mirror,
    client,
  }: Omit<Shard, 'firstCheckpoint'> & { readonly chainId: ChainId; readonly client: ChainClient },
  { ordering }: GovernanceChain['order'],
  { signal }: Pick<CommandContext, 'signal'>,
): Promise<void> {
  const { network } = ordering.hub;
  if (flow !== undefined) await checkCode(client, flow, chainId, { signal });
  if (mirror !== undefined) await openMirror({ client, mirror, chainId, network }, { signal });
  if (entrance === undefined) return;
  const opened = await openEntrance({ client, entrance, network, finality: 'tag' }, { signal });
  const { shardId: actual } = opened.settings;
  if (actual === shardId) return;
  throw new ShardError(
    { code: 'SHARD_OTHER_ENTRANCE', entrance, expected: shardId, actual },
    `the entrance ${entrance} takes blobs of shard ${actual}, not of shard ${shardId}`,
  );
}
