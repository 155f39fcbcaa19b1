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
import {
  type Address,
  type ChainId,
  type KeyValueStore,
  type Logger,
  memoryKeyValueStore,
  parseAddress,
  silentLogger,
} from '@cairn/primitives';
import type { JsonFragment } from 'ethers/abi';
import { getCreateAddress } from 'ethers/address';
import { encodeCall, encodeDeployment } from '../client/abi.ts';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import type { TransactionReceipt } from '../client/parse-replies.ts';
import type { LocalSigner } from '../keys/signer.ts';
import { createTransactionSender } from '../send/create-sender.ts';
import { TransactionError } from '../send/errors.ts';
import { type Deployment, verifyDeployment } from './deployment.ts';
import { DeployError } from './errors.ts';

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

/** Times that a stranger's transaction may come between two of ours. */
const MAX_ATTEMPTS = 3;

interface Step {
  readonly address: Address;
  readonly nonce: number;
  readonly block: number;
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
  const run = createSteps(options, chainId, signal);
  const vault = await run.create(`${name}:rewardVault`, rewardVaultAbi, rewardVaultBytecode, [
    admin,
  ]);
  const { market, flow } = await deployPair(run, { ...options, admin, name, vault });
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

const DIRECTORY_SET = 'function set(bytes32 name, address target)';

type Steps = ReturnType<typeof createSteps>;

/** Market and flow, one right after the other. */
async function deployPair(
  run: Steps,
  {
    signer,
    params = {},
    admin,
    name,
    vault,
  }: DeployOptions & {
    readonly admin: Address;
    readonly name: string;
    readonly vault: Step;
  },
): Promise<{ readonly market: Step; readonly flow: Step }> {
  const { pricePerSectorWei = 232_830_643n, blocksPerEpoch = 3750, deployDelay = 0 } = params;
  let nonce = vault.nonce + 1;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const flowAddress = parseAddress(getCreateAddress({ from: signer.address, nonce: nonce + 1 }));
    const market = await run.create(
      `${name}:market:${attempt}`,
      priceMarketAbi,
      priceMarketBytecode,
      [pricePerSectorWei, flowAddress, vault.address, admin],
    );
    nonce = market.nonce + 1;
    if (!isNext(signer.address, market.nonce, flowAddress)) continue;
    try {
      const flow = await run.create(`${name}:flow:${attempt}`, flowAbi, flowBytecode, [
        market.address,
        blocksPerEpoch,
        deployDelay,
        admin,
      ]);
      return { market, flow };
    } catch (error) {
      const { facts } = error instanceof TransactionError ? error : { facts: undefined };
      const taken = facts?.code === 'TX_REVERTED' && facts.errorName === 'MarketOfAnotherFlow';
      if (!taken) throw error;
      nonce += 1;
    }
  }
  throw new DeployError(
    { code: 'DEPLOY_NONCES_TAKEN', attempts: MAX_ATTEMPTS },
    `other transactions of ${signer.address} came between market and flow in ${MAX_ATTEMPTS} attempts`,
  );
}

function isNext(from: Address, marketNonce: number, flow: Address): boolean {
  return parseAddress(getCreateAddress({ from, nonce: marketNonce + 1 })) === flow;
}

/** The two kinds of transactions a deployment is made of, each journalled under its own name. */
function createSteps(
  { client, signer, journal, logger, pollMs = 100 }: DeployOptions,
  chainId: ChainId,
  signal: AbortSignal,
): {
  create(
    step: string,
    abi: readonly (string | JsonFragment)[],
    bytecode: string,
    args: readonly unknown[],
  ): Promise<Step>;
  call(step: string, to: Address, fragment: string, args: readonly unknown[]): Promise<void>;
} {
  const sender = createTransactionSender({
    client,
    signer,
    journal: journal ?? memoryKeyValueStore(),
    chainId,
    logger: logger ?? silentLogger(),
    pollMs,
  });
  const errors = [flowAbi, priceMarketAbi, directoryAbi, rewardVaultAbi];
  const send = (
    step: string,
    to: Address | undefined,
    data: Uint8Array,
  ): Promise<TransactionReceipt> =>
    sender.send({ intent: `deploy:${step}`, to, data, valueWei: 0n, errors }, { signal });
  return {
    create: async (step, abi, bytecode, args) => {
      const receipt = await send(step, undefined, encodeDeployment(abi, bytecode, args));
      const transaction = await client.getTransaction(receipt.transactionHash, { signal });
      const { contractAddress } = receipt;
      if (contractAddress === undefined || transaction === undefined) {
        throw new DeployError(
          { code: 'DEPLOY_MISMATCH', contract: step, expected: 'an address', actual: 'none' },
          `transaction ${receipt.transactionHash} made no contract for ${step}`,
        );
      }
      return {
        address: contractAddress,
        nonce: transaction.nonce,
        block: receipt.block.number,
      };
    },
    call: async (step, to, fragment, args) => {
      await send(step, to, encodeCall(fragment, args));
    },
  };
}
