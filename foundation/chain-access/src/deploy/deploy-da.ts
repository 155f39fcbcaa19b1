import {
  daEntranceAbi,
  daEntranceBytecode,
  daMiningAbi,
  daMiningBytecode,
  nitroCertificateValidatorAbi,
  nitroCertificateValidatorBytecode,
  orderingHubAbi,
  orderingHubBytecode,
  quorumVerifierAbi,
  quorumVerifierBytecode,
  randaoEntropyAbi,
  randaoEntropyBytecode,
  signerRegistryAbi,
  signerRegistryBytecode,
  slasherAbi,
  slasherBytecode,
  sortitionAbi,
  sortitionBytecode,
  stakeHubAbi,
  stakeHubBytecode,
} from '@cairn/contracts';
import { type Address, type ChainId, parseAddress } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { Contract } from '../da/contract.ts';
import { openEntrance } from '../da/open-entrance.ts';
import { openHub } from '../da/open-hub.ts';
import {
  type DaParams,
  directoryName,
  entranceSettings,
  lotterySettings,
  shardArguments,
  sortitionParameters,
  stakeParameters,
} from './da-params.ts';
import type { DeployOptions } from './deploy-contracts.ts';
import { DeployError } from './errors.ts';
import {
  ADD_SHARD,
  createRing,
  createSteps,
  DIRECTORY_SET,
  SET_MODULE,
  type Steps,
  TRANSFER_ADMIN,
} from './steps.ts';

/** Contracts of stake, epochs and blobs, by the names under which the Directory holds them. */
export const DA_CONTRACTS = [
  'stakeHub',
  'signerRegistry',
  'entropy',
  'sortition',
  'quorumVerifier',
  'orderingHub',
  'slasher',
  'daMining',
  'daEntrance',
  'nitroCertificateValidator',
] as const;

/** A contract of stake, epochs or blobs. */
export type DaContractName = (typeof DA_CONTRACTS)[number];

/** The contracts of a network's stake, epochs and blobs on the hub's chain. */
export interface DaDeployment {
  readonly chainId: ChainId;
  readonly contracts: Readonly<Record<DaContractName, Address>>;
  /** A block not after the creation of any of them: where following their events can begin. */
  readonly block: number;
}

/** Who deploys, where, and with which numbers. */
export interface DaDeployOptions extends Omit<DeployOptions, 'params'> {
  readonly params: DaParams;
  /** Holds every admin role; the deploying account unless told. */
  readonly admin?: Address;
  /** Receives the treasury's share of fees, such as the network's reward vault; the admin unless told. */
  readonly treasury?: Address;
  /** The Flow of this chain, of which the hub's checkpoints tell; none unless told. */
  readonly flow?: Address;
  /** Where the contracts are named; nowhere unless told. Its admin must be the deploying account. */
  readonly directory?: Address;
}

/**
 * Deploys stake, registry, draw, order of shards, slasher, verifier, rewards and entrance, gives the
 * modules their rights, registers this chain as shard 0, names all in the Directory, and checks the
 * result. Goes on where a journal says it ended.
 *
 * With another `admin` than the deploying account, clock, modules and shard 0 are set before the roles
 * of stake hub and ordering hub are offered: the admin takes them with `acceptAdmin`.
 *
 * @throws {DeployError} DEPLOY_NONCES_TAKEN, DEPLOY_MISMATCH; {DaError} DA_CONTRACTS_DIFFER;
 * {TransactionError}; {ChainError}; the signal's reason
 */
export async function deployDa(
  options: DaDeployOptions,
  { signal }: CallOptions,
): Promise<DaDeployment> {
  const { client, signer, params, name = 'main', directory } = options;
  const chainId = await client.chainId({ signal });
  const admin = options.admin ?? signer.address;
  const errors = [stakeHubAbi, sortitionAbi, orderingHubAbi, daEntranceAbi, quorumVerifierAbi];
  const run = createSteps({ ...options, chainId, errors }, signal);
  const stakeHub = await run.create(`${name}:stakeHub`, stakeHubAbi, stakeHubBytecode, [
    stakeParameters(params),
    signer.address,
  ]);
  const registry = await run.create(
    `${name}:signerRegistry`,
    signerRegistryAbi,
    signerRegistryBytecode,
    [stakeHub.address],
  );
  const entropy = await run.create(`${name}:entropy`, randaoEntropyAbi, randaoEntropyBytecode, []);
  const [sortition, verifier, orderingHub] = await createRing(run, {
    from: signer.address,
    after: entropy,
    parts: [
      {
        step: `${name}:sortition`,
        abi: sortitionAbi,
        bytecode: sortitionBytecode,
        args: (at) => [
          sortitionParameters(params),
          stakeHub.address,
          registry.address,
          entropy.address,
          at(2),
          admin,
        ],
      },
      {
        step: `${name}:quorumVerifier`,
        abi: quorumVerifierAbi,
        bytecode: quorumVerifierBytecode,
        args: (at) => [at(0), chainId, at(0)],
      },
      {
        step: `${name}:orderingHub`,
        abi: orderingHubAbi,
        bytecode: orderingHubBytecode,
        args: (at) => [at(1), params.consensus.graceSeconds, signer.address],
        mismatch: 'OrderOfAnother',
      },
    ],
  });
  const slasher = await run.create(`${name}:slasher`, slasherAbi, slasherBytecode, [
    stakeHub.address,
    registry.address,
    sortition.address,
  ]);
  const [rewards, entrance] = await createRing(run, {
    from: signer.address,
    after: slasher,
    parts: [
      {
        step: `${name}:daMining`,
        abi: daMiningAbi,
        bytecode: daMiningBytecode,
        args: (at) => [
          verifier.address,
          at(1),
          options.treasury ?? admin,
          lotterySettings(params, entropy.address),
        ],
      },
      {
        step: `${name}:daEntrance`,
        abi: daEntranceAbi,
        bytecode: daEntranceBytecode,
        args: (at) => [
          entranceSettings(params, { verifier: verifier.address, rewards: at(0), admin }),
        ],
        mismatch: 'RewardsOfAnotherEntrance',
      },
    ],
  });
  const nitro = await run.create(
    `${name}:nitroCertificateValidator`,
    nitroCertificateValidatorAbi,
    nitroCertificateValidatorBytecode,
    [entrance.address],
  );
  const contracts = {
    stakeHub: stakeHub.address,
    signerRegistry: registry.address,
    entropy: entropy.address,
    sortition: sortition.address,
    quorumVerifier: verifier.address,
    orderingHub: orderingHub.address,
    slasher: slasher.address,
    daMining: rewards.address,
    daEntrance: entrance.address,
    nitroCertificateValidator: nitro.address,
  };
  await giveRights(run, name, contracts);
  const hubShard = { shardId: 0, chainId, flow: options.flow, daEntrance: entrance.address };
  const entry = shardArguments(params, hubShard);
  await run.call(`${name}:addShard:0`, orderingHub.address, ADD_SHARD, entry);
  if (admin !== signer.address) {
    await run.call(`${name}:stakeHub:admin`, stakeHub.address, TRANSFER_ADMIN, [admin]);
    await run.call(`${name}:orderingHub:admin`, orderingHub.address, TRANSFER_ADMIN, [admin]);
  }
  if (directory !== undefined) await nameAll(run, name, directory, contracts);
  const deployment = { chainId, contracts, block: stakeHub.block };
  await verifyDaDeployment(client, deployment, { signal });
  return deployment;
}

const SET_CLOCK = 'function setClock(address next)';

/**
 * The draw tells epochs and punishes who is absent, the slasher who signs against itself. The clock
 * comes last: as long as there is none, nobody's bond makes the modules wait.
 */
async function giveRights(
  run: Steps,
  name: string,
  { stakeHub, sortition, slasher }: DaDeployment['contracts'],
): Promise<void> {
  await run.call(`${name}:module:sortition`, stakeHub, SET_MODULE, [sortition, true]);
  await run.call(`${name}:module:slasher`, stakeHub, SET_MODULE, [slasher, true]);
  await run.call(`${name}:clock`, stakeHub, SET_CLOCK, [sortition]);
}

async function nameAll(
  run: Steps,
  name: string,
  directory: Address,
  contracts: DaDeployment['contracts'],
): Promise<void> {
  for (const contract of DA_CONTRACTS) {
    const entry = [directoryName(contract), contracts[contract]];
    await run.call(`${name}:set:${contract}`, directory, DIRECTORY_SET, entry);
  }
}

const DIRECTORY_GET = 'function get(bytes32 name) view returns (address)';

/**
 * Asks a Directory which contracts of stake, epochs and blobs the network has now.
 *
 * @throws {ChainError} CHAIN_RPC_ERROR if it has no such entry, CHAIN_BAD_REPLY if it is no Directory
 */
export async function readDaDirectory(
  client: ChainClient,
  directory: Address,
  options: CallOptions,
): Promise<DaDeployment['contracts']> {
  const entry = async (name: DaContractName): Promise<Address> => {
    const [address] = await client.call(directory, DIRECTORY_GET, [directoryName(name)], options);
    return parseAddress(String(address));
  };
  return {
    stakeHub: await entry('stakeHub'),
    signerRegistry: await entry('signerRegistry'),
    entropy: await entry('entropy'),
    sortition: await entry('sortition'),
    quorumVerifier: await entry('quorumVerifier'),
    orderingHub: await entry('orderingHub'),
    slasher: await entry('slasher'),
    daMining: await entry('daMining'),
    daEntrance: await entry('daEntrance'),
    nitroCertificateValidator: await entry('nitroCertificateValidator'),
  };
}

const ENTRANCE_OF = 'function entrance() view returns (address)';
const IS_MODULE = 'function isModule(address module) view returns (bool)';

/**
 * Checks that every contract of a deployment is there, knows the others and has its rights.
 *
 * @throws {DeployError} DEPLOY_MISMATCH; {DaError} DA_CONTRACTS_DIFFER; {ChainError}
 */
export async function verifyDaDeployment(
  client: ChainClient,
  { chainId, contracts, block }: DaDeployment,
  { signal }: CallOptions,
): Promise<void> {
  const place = { client, chainId, firstBlock: block, finality: 0 };
  const hub = await openHub({ ...place, sortition: contracts.sortition }, { signal });
  const { network } = hub;
  const entrance = await openEntrance(
    { ...place, network, entrance: contracts.daEntrance },
    { signal },
  );
  const links = [
    ['stakeHub', hub.stakeHub.address],
    ['signerRegistry', hub.registry.address],
    ['quorumVerifier', entrance.verifier.address],
    ['entropy', (await hub.sortition.read('entropySource', [], { signal })).address(0)],
    ['orderingHub', (await hub.sortition.read('orderSource', [], { signal })).address(0)],
    ['daMining', (await entrance.contract.read('rewards', [], { signal })).address(0)],
  ] as const;
  for (const [name, found] of links) {
    if (found !== contracts[name]) throw mismatch(name, contracts[name], found);
  }
  const slasherOrder = new Contract(client, contracts.slasher, slasherAbi);
  const known = (await slasherOrder.read('orderingHub', [], { signal })).address(0);
  if (known !== contracts.orderingHub) throw mismatch('slasher', contracts.orderingHub, known);
  const validator = contracts.nitroCertificateValidator;
  const [judged] = await client.call(validator, ENTRANCE_OF, [], { signal });
  if (parseAddress(String(judged)) !== contracts.daEntrance) {
    throw mismatch('nitroCertificateValidator', contracts.daEntrance, String(judged));
  }
  for (const name of ['sortition', 'slasher'] as const) {
    const [allowed] = await client.call(contracts.stakeHub, IS_MODULE, [contracts[name]], {
      signal,
    });
    if (allowed !== true) throw mismatch(`${name} as a module`, 'allowed', 'not allowed');
  }
}

function mismatch(contract: string, expected: string, actual: string): DeployError {
  return new DeployError(
    { code: 'DEPLOY_MISMATCH', contract, expected, actual },
    `the deployment is not what it should be: ${contract} is ${actual}, not ${expected}`,
  );
}
