import {
  CONTRACT_NAMES,
  chunkLinearRewardAbi,
  chunkLinearRewardBytecode,
  directoryAbi,
  directoryBytecode,
  flowAbi,
  flowBytecode,
  poraMineAbi,
  poraMineBytecode,
  priceMarketAbi,
  priceMarketBytecode,
} from '@cairn/contracts';
import type { Address, KeyValueStore, Logger } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import type { LocalSigner } from '../keys/signer.ts';
import { type Deployment, verifyDeployment } from './deployment.ts';
import { type MiningParams, miningParameters, rewardNumbers } from './mining-params.ts';
import { createRing, createSteps, DIRECTORY_SET, type RingPart } from './steps.ts';

/** What a network's contracts are made with. */
export interface DeployParams {
  /** Holds every admin role; the deploying account unless told. */
  readonly admin?: Address;
  /** Wei per sector of 256 bytes; 232,830,643 unless told: a coin for a TiB. */
  readonly pricePerSectorWei?: bigint;
  /** Blocks of a mining epoch; 3,750 unless told. */
  readonly blocksPerEpoch?: number;
  /** Blocks before the first submission is taken; 0 unless told. */
  readonly deployDelay?: number;
  /** Mining and its rewards; see each number's own default. */
  readonly mining?: MiningParams;
}

/** Who deploys, and where. */
export interface DeployOptions {
  readonly client: ChainClient;
  readonly signer: LocalSigner;
  readonly params?: DeployParams;
  /**
   * Where transactions are journalled. With one that survives a crash, and the same `name`,
   * deploying again goes on where it ended; in memory unless told.
   */
  readonly journal?: KeyValueStore;
  /** Tells deployments of one account apart; `main` unless told. */
  readonly name?: string;
  readonly logger?: Logger;
  /** Time between looks at a waiting transaction; 100 unless told. */
  readonly pollMs?: number;
}

/**
 * Deploys Directory, reward, market, flow and mine, registers the last four, and checks the result.
 *
 * They must know each other from the start, so each is told the addresses that the others will have:
 * those of the account's next nonces.
 *
 * @throws {DeployError} DEPLOY_NONCES_TAKEN, DEPLOY_MISMATCH; {TransactionError}; {ChainError}; the
 * signal's reason
 */
export async function deployContracts(
  options: DeployOptions,
  { signal }: CallOptions,
): Promise<Deployment> {
  const { client, signer, params = {}, name = 'main' } = options;
  const chainId = await client.chainId({ signal });
  const admin = params.admin ?? signer.address;
  const errors = [flowAbi, priceMarketAbi, directoryAbi, chunkLinearRewardAbi, poraMineAbi];
  const run = createSteps({ ...options, chainId, errors }, signal);
  const directory = await run.create(`${name}:directory`, directoryAbi, directoryBytecode, [admin]);
  const parts = logParts(name, params, admin);
  const ring = { from: signer.address, after: directory, parts };
  const [reward, market, flow, poraMine] = await createRing(run, ring);
  const contracts = {
    directory: directory.address,
    flow: flow.address,
    market: market.address,
    reward: reward.address,
    poraMine: poraMine.address,
  };
  if (admin === signer.address) {
    for (const key of NAMED) {
      const entry = [CONTRACT_NAMES[key], contracts[key]];
      await run.call(`${name}:set:${key}`, contracts.directory, DIRECTORY_SET, entry);
    }
  }
  const deployment: Deployment = { chainId, contracts, block: flow.block };
  if (admin === signer.address) await verifyDeployment(client, deployment, { signal });
  return deployment;
}

/** What the Directory names, of what is deployed here. */
const NAMED = ['flow', 'market', 'reward', 'poraMine'] as const;

/** Places of the contracts in their ring. */
const [REWARD, MARKET, FLOW, MINE] = [0, 1, 2, 3];

/** The contracts of the log in the order of their nonces. */
function logParts(
  name: string,
  params: DeployParams,
  admin: Address,
): readonly [RingPart, RingPart, RingPart, RingPart] {
  const { pricePerSectorWei = 232_830_643n, blocksPerEpoch = 3750, deployDelay = 0 } = params;
  const mining = params.mining ?? {};
  return [
    {
      step: `${name}:reward`,
      abi: chunkLinearRewardAbi,
      bytecode: chunkLinearRewardBytecode,
      args: (at) => [...rewardNumbers(mining), at(MARKET), at(MINE), admin],
    },
    {
      step: `${name}:market`,
      abi: priceMarketAbi,
      bytecode: priceMarketBytecode,
      args: (at) => [pricePerSectorWei, at(FLOW), at(REWARD), admin],
      mismatch: 'RewardOfAnotherMarket',
    },
    {
      step: `${name}:flow`,
      abi: flowAbi,
      bytecode: flowBytecode,
      args: (at) => [at(MARKET), blocksPerEpoch, deployDelay, admin],
      mismatch: 'MarketOfAnotherFlow',
    },
    {
      step: `${name}:poraMine`,
      abi: poraMineAbi,
      bytecode: poraMineBytecode,
      args: (at) => [
        at(FLOW),
        at(REWARD),
        mining.developmentModes ?? 0,
        miningParameters(mining, blocksPerEpoch),
        admin,
      ],
      mismatch: 'RewardOfAnotherMine',
    },
  ];
}
