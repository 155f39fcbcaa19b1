import {
  type ChainClient,
  createChainClient,
  type LocalSigner,
  signerFromKey,
} from '@cairn/chain-access';
import {
  DEVNET_BLOCKS_PER_EPOCH,
  DEVNET_MINING,
  DEVNET_POSSESSION,
  deployContracts,
  deployDa,
  deployJobBoard,
  deployPossession,
  deployShard,
  readDirectory,
  registerShard,
  type ShardEntry,
} from '@cairn/chain-access/deploy';
import { readFileIfPresent, writeFileAtomic } from '@cairn/node-runtime/files';
import {
  type Address,
  type Clock,
  type ConsensusParams,
  chainIdOf,
  DEVNET_CONSENSUS,
  isRecord,
  parseAddress,
  parseJson,
  type Rng,
  utf8Text,
} from '@cairn/primitives';
import { DevnetError } from './errors.ts';
import type { RunningChain } from './start-chain.ts';

/** Addresses by contract name in camelCase. */
export type ContractAddresses = Readonly<Record<string, Address>>;

/** Where what was deployed is remembered, and how long one waits. */
export interface DeployDevnetOptions {
  readonly remembered: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Blocks that signers have to join before the first epoch: as long as a slow machine may take to
 * start them. What is left of them is made at once.
 */
export const GENESIS_DELAY_BLOCKS = 300;
/** Everything of a devnet is in its first blocks or later. */
export const FIRST_BLOCK = 0;
/** A transaction is in its block before the reply to it is out. */
const POLL_MS = 10;

/**
 * Addresses of a devnet's log contracts: those in the file `remembered` if the chain still has them,
 * else newly deployed ones, which are written there.
 *
 * The last development account pays, so that the first ones start without transactions.
 *
 * @throws what the chain throws
 */
export function deployDevnetContracts(
  chain: RunningChain,
  options: DeployDevnetOptions,
): Promise<ContractAddresses> {
  return deployOnce(chain, { ...options, landmark: 'flow' }, async (client, signer) => {
    const { signal } = options;
    const params = { blocksPerEpoch: DEVNET_BLOCKS_PER_EPOCH, mining: DEVNET_MINING };
    const deployment = { client, signer, params, pollMs: POLL_MS };
    return (await deployContracts(deployment, { signal })).contracts;
  });
}

/**
 * Addresses of the contracts of stake, epochs, blobs and duties of possession, as `deployDevnetContracts`; the Directory
 * names them.
 *
 * @throws what the chain throws
 */
export function deployDevnetDa(
  chain: RunningChain,
  {
    rng,
    directory,
    ...options
  }: DeployDevnetOptions & { readonly rng: Rng; readonly directory: Address },
): Promise<ContractAddresses> {
  return deployOnce(chain, { ...options, landmark: 'daEntrance' }, async (client, signer) => {
    const params = {
      consensus: DEVNET_CONSENSUS,
      genesisSalt: rng.fill(new Uint8Array(32)),
      genesisDelayBlocks: GENESIS_DELAY_BLOCKS,
    };
    const { signal } = options;
    const place = { client, signer, directory, pollMs: POLL_MS };
    const { flow } = await readDirectory(client, directory, { signal });
    const { contracts } = await deployDa({ ...place, params, flow }, { signal });
    const { stakeHub, entropy } = contracts;
    const duties = { ...place, stakeHub, entropy, flow, params: DEVNET_POSSESSION };
    return { ...contracts, possession: await deployPossession(duties, { signal }) };
  });
}

/**
 * What consensus shards are registered with: a checkpoint every five seconds, so that whoever waits for a file's
 * place in the order waits some seconds only.
 */
const SHARD_CONSENSUS: ConsensusParams = { ...DEVNET_CONSENSUS, checkpointPeriodBlocks: 5 };
/** A shard draws nobody: there is nothing to salt. */
const SHARD_PARAMS = { consensus: SHARD_CONSENSUS, genesisSalt: new Uint8Array(32) };

/** The chains that have to know each other. */
export interface DevnetShard {
  readonly shardId: number;
  readonly chain: RunningChain;
  /** Contracts of its log. */
  readonly log: ContractAddresses;
}

/**
 * Deploys mirror and entrance of a consensus shard on its own chain, whose Directory names them. The mirror begins
 * nowhere yet.
 *
 * @returns their addresses
 * @throws what the chain throws
 */
export function deployDevnetShard(
  { shardId, chain, log }: DevnetShard,
  hub: { readonly chainId: number; readonly contracts: ContractAddresses },
  options: DeployDevnetOptions,
): Promise<ContractAddresses> {
  return deployOnce(chain, { ...options, landmark: 'epochMirror' }, async (client, signer) => {
    const deployment = {
      ...{ client, signer, shardId, pollMs: POLL_MS, params: SHARD_PARAMS },
      directory: requireContract(log, 'directory'),
      hub: {
        chainId: chainIdOf(hub.chainId),
        sortition: requireContract(hub.contracts, 'sortition'),
        orderingHub: requireContract(hub.contracts, 'orderingHub'),
      },
    };
    return (await deployShard(deployment, { signal: options.signal })).contracts;
  });
}

/** Registers consensus shards at the hub, one after the other. @throws what the chain throws */
export async function registerDevnetShards(
  hub: RunningChain,
  orderingHub: Address,
  entries: readonly ShardEntry[],
  { clock, signal }: Pick<DeployDevnetOptions, 'clock' | 'signal'>,
): Promise<void> {
  const client = createChainClient({ rpcUrl: hub.rpc, clock });
  const caller = { client, signer: deployerOf(hub), pollMs: POLL_MS };
  try {
    for (const shard of entries) {
      await registerShard({ ...caller, params: SHARD_PARAMS, orderingHub, shard }, { signal });
    }
  } finally {
    await client.close();
  }
}

/**
 * Seconds for which who takes a job has it alone: enough for a slow machine, and soon over where a worker is gone for
 * good.
 */
const WORK_SECONDS = 300;

/** Deploys a board of jobs beside the hub's order. @throws what the chain throws */
export async function deployDevnetJobBoard(
  hub: RunningChain,
  orderingHub: Address,
  { clock, signal }: Pick<DeployDevnetOptions, 'clock' | 'signal'>,
): Promise<Address> {
  const client = createChainClient({ rpcUrl: hub.rpc, clock });
  try {
    const place = { client, signer: deployerOf(hub), pollMs: POLL_MS };
    return await deployJobBoard({ ...place, orderingHub, workSeconds: WORK_SECONDS }, { signal });
  } finally {
    await client.close();
  }
}

/** An address that a deployment must have. @throws {DevnetError} DEVNET_START_FAILED */
export function requireContract(contracts: ContractAddresses, name: string): Address {
  const address = contracts[name];
  if (address !== undefined) return address;
  throw new DevnetError(
    { code: 'DEVNET_START_FAILED', directory: '', reason: `no ${name}` },
    `the deployment lacks the contract ${name}`,
  );
}

/** The account that deploys the contracts and administers them. @throws {DevnetError} DEVNET_START_FAILED */
export function deployerOf({ keys }: RunningChain): LocalSigner {
  const key = keys.at(-1);
  if (key !== undefined) return signerFromKey(key);
  throw new DevnetError(
    { code: 'DEVNET_START_FAILED', directory: '', reason: 'accounts' },
    'the chain funded no accounts',
  );
}

async function deployOnce(
  chain: RunningChain,
  {
    remembered,
    landmark,
    clock,
    signal,
  }: DeployDevnetOptions & {
    /** The contract that is looked for on the chain. */
    readonly landmark: string;
  },
  deploy: (client: ChainClient, signer: LocalSigner) => Promise<ContractAddresses>,
): Promise<ContractAddresses> {
  const client = createChainClient({ rpcUrl: chain.rpc, clock });
  try {
    const earlier = await readDeployment(remembered);
    const address = earlier?.[landmark];
    if (earlier !== undefined && address !== undefined) {
      const code = await client.getCode(address, { signal });
      if (code.length > 0) return earlier;
    }
    const contracts = await deploy(client, deployerOf(chain));
    await writeFileAtomic(remembered, `${JSON.stringify(contracts, null, 2)}\n`);
    return contracts;
  } finally {
    await client.close();
  }
}

async function readDeployment(path: string): Promise<Record<string, Address> | undefined> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) return undefined;
  const file = parseJson(utf8Text(bytes));
  if (!isRecord(file)) return undefined;
  return Object.fromEntries(
    Object.entries(file).map(([name, address]) => [name, parseAddress(String(address))]),
  );
}
