import {
  CONTRACT_NAMES,
  directoryAbi,
  directoryBytecode,
  flowAbi,
  flowBytecode,
  priceMarketAbi,
  priceMarketBytecode,
  rewardVaultAbi,
  rewardVaultBytecode,
} from '@cairn/contracts';
import type { Address, KeyValueStore, Logger } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import type { LocalSigner } from '../keys/signer.ts';
import { type Deployment, verifyDeployment } from './deployment.ts';
import { createPair, createSteps, DIRECTORY_SET } from './steps.ts';

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
 * Deploys vault, market, flow and Directory, registers the first three, and checks the result.
 *
 * Market and flow must know each other from the start, so the market is told the address that the
 * flow will have: that of the account's next nonce.
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
  const errors = [flowAbi, priceMarketAbi, directoryAbi, rewardVaultAbi];
  const run = createSteps({ ...options, chainId, errors }, signal);
  const vault = await run.create(`${name}:rewardVault`, rewardVaultAbi, rewardVaultBytecode, [
    admin,
  ]);
  const { pricePerSectorWei = 232_830_643n, blocksPerEpoch = 3750, deployDelay = 0 } = params;
  const [market, flow] = await createPair(run, {
    from: signer.address,
    after: vault,
    first: {
      step: `${name}:market`,
      abi: priceMarketAbi,
      bytecode: priceMarketBytecode,
      args: (flowAddress) => [pricePerSectorWei, flowAddress, vault.address, admin],
    },
    second: {
      step: `${name}:flow`,
      abi: flowAbi,
      bytecode: flowBytecode,
      args: (marketAddress) => [marketAddress, blocksPerEpoch, deployDelay, admin],
    },
    mismatch: 'MarketOfAnotherFlow',
  });
  const directory = await run.create(`${name}:directory`, directoryAbi, directoryBytecode, [admin]);
  const contracts = {
    directory: directory.address,
    flow: flow.address,
    market: market.address,
    rewardVault: vault.address,
  };
  if (admin === signer.address) {
    for (const key of ['flow', 'market', 'rewardVault'] as const) {
      const entry = [CONTRACT_NAMES[key], contracts[key]];
      await run.call(`${name}:set:${key}`, contracts.directory, DIRECTORY_SET, entry);
    }
  }
  const deployment: Deployment = { chainId, contracts, block: flow.block };
  if (admin === signer.address) await verifyDeployment(client, deployment, { signal });
  return deployment;
}
