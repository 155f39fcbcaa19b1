import {
  stakeGovernorAbi,
  stakeGovernorBytecode,
  timelockAbi,
  timelockBytecode,
} from '@cairn/contracts';
import { type Address, type Hex, isFault, keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { Contract } from '../da/contract.ts';
import { readNamedContracts } from '../governance/proposed-calls.ts';
import { directoryName, NOBODY } from './da-params.ts';
import type { DeployOptions } from './deploy-contracts.ts';
import { DeployError } from './errors.ts';
import { createSteps, DIRECTORY_SET, type Steps, TRANSFER_ADMIN } from './steps.ts';

/** How a network decides. Times are seconds. */
export interface GovernanceParams {
  /** From a proposal's queueing to its execution. */
  readonly delaySeconds: number;
  /** From a proposal to its vote; a tenth of the vote's time unless told. */
  readonly votingDelaySeconds?: number;
  readonly votingSeconds: number;
  /** Votes without which nobody proposes; 1 unless told. */
  readonly proposalVotes?: bigint;
  /** Part of all votes, in basis points, that takes part in what passes; a third unless told. */
  readonly quorumBps?: number;
}

/** Contracts by which a chain's contracts are governed. */
export interface GovernanceDeployment {
  /** Holds every admin role. */
  readonly timelock: Address;
  /** Proposes to it, on the hub; elsewhere the account that was named does. */
  readonly stakeGovernor?: Address;
}

/** Who sets governance up, and over what. */
export interface GovernanceOptions extends Omit<DeployOptions, 'params'> {
  readonly params: GovernanceParams;
  /** Whose votes decide, on the hub; or who proposes, where no votes are known. */
  readonly proposer: { readonly stakeHub: Address } | { readonly account: Address };
  /**
   * Contracts whose admin is the deploying account, or who has offered it nothing else; unless told all such that the
   * directory names.
   */
  readonly administered?: readonly Address[];
  /** Where the timelock and the governor are named; nowhere unless told. It is handed over too. */
  readonly directory?: Address;
}

/** Contracts of a Directory whose admin is one of the holders: the account, or who took the role in an earlier run. */
async function administeredIn(
  client: ChainClient,
  directory: Address | undefined,
  holders: readonly Address[],
  { signal }: CallOptions,
): Promise<readonly Address[]> {
  if (directory === undefined) return [];
  const found = new Set<Address>();
  for (const [, address] of await readNamedContracts(client, directory, { signal })) {
    if (address === directory) continue;
    try {
      const [admin] = await client.call(address, ADMIN_OF, [], { signal });
      if (holders.some((holder) => holder === String(admin).toLowerCase())) found.add(address);
    } catch (error) {
      // It has no admin.
      if (!isFault(error, 'CHAIN_RPC_ERROR') && !isFault(error, 'CHAIN_BAD_REPLY')) throw error;
    }
  }
  return [...found];
}

/** The timelock's calls, as parts of one batch. */
interface Batch {
  readonly targets: readonly Address[];
  readonly calls: readonly Hex[];
}

/** A third, in basis points, and more than that. */
const QUORUM_BPS = 3334;

/**
 * Deploys a timelock and, on the hub, the governor that proposes to it, and hands every admin role over:
 * each is offered, and one batch of the timelock takes all and sets its delay. Then the deploying account
 * gives up what it could do with the timelock. Goes on where a journal says it ended.
 *
 * @throws {DeployError} DEPLOY_MISMATCH for a role that was not taken; {TransactionError}; {ChainError};
 *   the signal's reason
 */
export async function deployGovernance(
  options: GovernanceOptions,
  { signal }: CallOptions,
): Promise<GovernanceDeployment> {
  const { client, signer, params, proposer, directory } = options;
  const name = `${options.name ?? 'main'}:governance`;
  const chainId = await client.chainId({ signal });
  const errors = [timelockAbi, stakeGovernorAbi];
  const run = createSteps({ ...options, chainId, errors }, signal);
  const made = await run.create(`${name}:timelock`, timelockAbi, timelockBytecode, [
    ...[0, [signer.address], [NOBODY], signer.address],
  ]);
  const timelock = new Contract(client, made.address, timelockAbi);
  const governor =
    'stakeHub' in proposer
      ? await run.create(`${name}:stakeGovernor`, stakeGovernorAbi, stakeGovernorBytecode, [
          ...[proposer.stakeHub, timelock.address, governorParameters(params)],
        ])
      : undefined;
  if (directory !== undefined) {
    const own = { timelock: timelock.address, stakeGovernor: governor?.address };
    for (const [contract, address] of Object.entries(own)) {
      if (address === undefined) continue;
      const entry = [directoryName(contract), address];
      await run.call(`${name}:set:${contract}`, directory, DIRECTORY_SET, entry);
    }
  }
  const holders = [signer.address, timelock.address];
  const named =
    options.administered ?? (await administeredIn(client, directory, holders, { signal }));
  const administered = [...named, ...(directory === undefined ? [] : [directory])];
  for (const target of administered) {
    await run.call(`${name}:offer:${target}`, target, TRANSFER_ADMIN, [timelock.address]);
  }
  const account = 'account' in proposer ? proposer.account : (governor?.address ?? NOBODY);
  const batch = takeOver(timelock, { administered, delaySeconds: params.delaySeconds, account });
  await runBatch(run, name, timelock, batch);
  await giveUp(run, name, timelock, { signer: signer.address, account });
  await verifyRoles(client, timelock, { administered, account, signer: signer.address }, signal);
  return {
    timelock: timelock.address,
    ...(governor === undefined ? {} : { stakeGovernor: governor.address }),
  };
}

/** `GovernorParameters` of contracts/src/governance/StakeGovernor.sol. */
function governorParameters(params: GovernanceParams): object {
  const { votingSeconds, votingDelaySeconds = Math.ceil(votingSeconds / 10) } = params;
  return {
    votingDelay: votingDelaySeconds,
    votingPeriod: votingSeconds,
    proposalThreshold: params.proposalVotes ?? 1n,
    quorumBps: params.quorumBps ?? QUORUM_BPS,
  };
}

/** Takes the roles that were offered, lets the proposer propose and cancel, and sets the delay last. */
function takeOver(
  timelock: Contract,
  {
    administered,
    delaySeconds,
    account,
  }: {
    readonly administered: readonly Address[];
    readonly delaySeconds: number;
    readonly account: Address;
  },
): Batch {
  const own = [
    timelock.encode('grantRole', [PROPOSER, account]),
    timelock.encode('grantRole', [CANCELLER, account]),
    timelock.encode('updateDelay', [delaySeconds]),
  ];
  return {
    targets: [...administered, ...own.map(() => timelock.address)],
    calls: [...administered.map(() => ACCEPT_ADMIN), ...own.map(toHex)],
  };
}

async function runBatch(
  run: Steps,
  name: string,
  timelock: Contract,
  { targets, calls }: Batch,
): Promise<void> {
  const values = targets.map(() => 0);
  const batch = [targets, values, calls, ZERO, ZERO];
  await run.call(`${name}:schedule`, timelock.address, SCHEDULE, [...batch, 0]);
  await run.call(`${name}:execute`, timelock.address, EXECUTE, batch);
}

/** The deploying account keeps no role, unless it is the proposer by name. */
async function giveUp(
  run: Steps,
  name: string,
  timelock: Contract,
  { signer, account }: { readonly signer: Address; readonly account: Address },
): Promise<void> {
  const roles = signer === account ? [ADMIN] : [PROPOSER, CANCELLER, ADMIN];
  for (const role of roles) {
    await run.call(`${name}:renounce:${role}`, timelock.address, RENOUNCE, [role, signer]);
  }
}

async function verifyRoles(
  client: ChainClient,
  timelock: Contract,
  roles: {
    readonly administered: readonly Address[];
    readonly account: Address;
    readonly signer: Address;
  },
  signal: AbortSignal,
): Promise<void> {
  for (const target of roles.administered) {
    const [found] = await client.call(target, ADMIN_OF, [], { signal });
    const admin = String(found).toLowerCase();
    if (admin !== timelock.address) throw mismatch(`admin of ${target}`, timelock.address, admin);
  }
  const has = async (role: Hex, account: Address): Promise<boolean> =>
    (await timelock.read('hasRole', [role, account], { signal })).flag(0);
  if (!(await has(PROPOSER, roles.account))) {
    throw mismatch('proposer of the timelock', roles.account, 'another');
  }
  if (await has(ADMIN, roles.signer))
    throw mismatch('admin of the timelock', 'itself', roles.signer);
}

function mismatch(contract: string, expected: string, actual: string): DeployError {
  return new DeployError(
    { code: 'DEPLOY_MISMATCH', contract, expected, actual },
    `governance is not what it should be: ${contract} is ${actual}, not ${expected}`,
  );
}

const ZERO: Hex = `0x${'00'.repeat(32)}`;
/** Roles of OpenZeppelin's AccessControl and TimelockController. */
const ADMIN = ZERO;
const PROPOSER: Hex = toHex(keccak256(utf8Bytes('PROPOSER_ROLE')));
const CANCELLER: Hex = toHex(keccak256(utf8Bytes('CANCELLER_ROLE')));
/** Selector of `acceptAdmin()`. */
const ACCEPT_ADMIN: Hex = toHex(keccak256(utf8Bytes('acceptAdmin()')).subarray(0, 4));

const ADMIN_OF = 'function admin() view returns (address)';
const RENOUNCE = 'function renounceRole(bytes32 role, address callerConfirmation)';
const SCHEDULE =
  'function scheduleBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt, uint256 delay)';
const EXECUTE =
  'function executeBatch(address[] targets, uint256[] values, bytes[] payloads, bytes32 predecessor, bytes32 salt)';
