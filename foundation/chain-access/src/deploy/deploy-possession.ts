import { possessionAbi, possessionBytecode, stakeHubAbi } from '@cairn/contracts';
import type { Address } from '@cairn/primitives';
import type { CallOptions } from '../client/chain-client.ts';
import { directoryName } from './da-params.ts';
import type { DeployOptions } from './deploy-contracts.ts';
import { DeployError } from './errors.ts';
import { createSteps, DIRECTORY_SET, SET_MODULE } from './steps.ts';

/** What duties of possession are made with. */
export interface PossessionParams {
  /** Blocks of a period; 7,200 unless told. */
  readonly periodBlocks?: number;
  /** Blocks after which a change cannot be undone; 64 unless told. */
  readonly finalityBlocks?: number;
  /** Blocks from a period's start to the one whose entropy is its seed; 4 unless told. */
  readonly seedDelayBlocks?: number;
  /** Blocks after that one to answer in, at least four times finality; 256 unless told. */
  readonly windowBlocks?: number;
  /** Blocks after the window to report a missed period in; those of a period unless told. */
  readonly reportBlocks?: number;
  /** Sectors shown in a period; 5 unless told. */
  readonly challenges?: number;
  /** Part of a deposit, in basis points, that a missed period costs; a tenth unless told. */
  readonly missBps?: number;
  /** Part of a missed period's pay, in basis points, that goes to who reports it; a tenth unless told. */
  readonly reporterBps?: number;
}

/** Duties that a laptop can follow: a period a minute, with blocks of a second. */
export const DEVNET_POSSESSION: PossessionParams = {
  periodBlocks: 60,
  finalityBlocks: 2,
  seedDelayBlocks: 2,
  windowBlocks: 12,
};

/** Who deploys, where, and beside which contracts. */
export interface PossessionDeployOptions extends Omit<DeployOptions, 'params'> {
  readonly params?: PossessionParams;
  /** The stake that answers, whose admin must be the deploying account, and what proves seeds. */
  readonly stakeHub: Address;
  readonly entropy: Address;
  /** The log whose files count. */
  readonly flow: Address;
  /** Where the contract is named; nowhere unless told. Its admin must be the deploying account. */
  readonly directory?: Address;
}

const IS_MODULE = 'function isModule(address module) view returns (bool)';

/**
 * Deploys Possession, makes it a module of the stake hub, and names it in the Directory. Goes on where
 * a journal says it ended. Comes before anybody bonds: later a module acts only after the hub's notice.
 *
 * @throws {DeployError} DEPLOY_MISMATCH if it is no module then; {TransactionError}; {ChainError}; the
 * signal's reason
 */
export async function deployPossession(
  options: PossessionDeployOptions,
  { signal }: CallOptions,
): Promise<Address> {
  const { client, params = {}, name = 'main', stakeHub, entropy, flow, directory } = options;
  const chainId = await client.chainId({ signal });
  const run = createSteps({ ...options, chainId, errors: [possessionAbi, stakeHubAbi] }, signal);
  const args = [possessionTerms(params), stakeHub, flow, entropy];
  const made = await run.create(`${name}:possession`, possessionAbi, possessionBytecode, args);
  await run.call(`${name}:module:possession`, stakeHub, SET_MODULE, [made.address, true]);
  if (directory !== undefined) {
    const entry = [directoryName('possession'), made.address];
    await run.call(`${name}:set:possession`, directory, DIRECTORY_SET, entry);
  }
  const [isModule] = await client.call(stakeHub, IS_MODULE, [made.address], { signal });
  if (isModule === true) return made.address;
  throw new DeployError(
    { code: 'DEPLOY_MISMATCH', contract: 'possession', expected: 'a module', actual: 'none' },
    `the deployment is not what it should be: possession is no module of ${stakeHub}`,
  );
}

/** `PossessionTerms` of contracts/src/possession/PossessionTypes.sol. */
function possessionTerms(params: PossessionParams): object {
  const { periodBlocks = 7200 } = params;
  return {
    periodBlocks,
    finalityBlocks: params.finalityBlocks ?? 64,
    seedDelay: params.seedDelayBlocks ?? 4,
    windowBlocks: params.windowBlocks ?? 256,
    reportBlocks: params.reportBlocks ?? periodBlocks,
    challenges: params.challenges ?? 5,
    missBps: params.missBps ?? 1000,
    reporterBps: params.reporterBps ?? 1000,
  };
}
