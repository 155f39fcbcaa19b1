import { type EpochHeader, type Snapshot, snapshotHash } from '@cairn/attestation';
import {
  daEntranceAbi,
  daEntranceBytecode,
  daMiningAbi,
  daMiningBytecode,
  epochMirrorAbi,
  epochMirrorBytecode,
  nitroCertificateValidatorAbi,
  nitroCertificateValidatorBytecode,
  orderingHubAbi,
  quorumVerifierAbi,
  quorumVerifierBytecode,
  randaoEntropyAbi,
  randaoEntropyBytecode,
} from '@cairn/contracts';
import { type Address, type ChainId, equalBytes, toHex } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { snapshotArgument } from '../da/abi-words.ts';
import { Contract } from '../da/contract.ts';
import { openEntrance } from '../da/open-entrance.ts';
import {
  type DaParams,
  directoryName,
  entranceSettings,
  lotterySettings,
  mirrorSettings,
  type ShardEntry,
  shardArguments,
} from './da-params.ts';
import type { DeployOptions } from './deploy-contracts.ts';
import { DeployError } from './errors.ts';
import {
  ADD_SHARD,
  createRing,
  createSteps,
  DIRECTORY_SET,
  type Step,
  type Steps,
  TRANSFER_ADMIN,
} from './steps.ts';

/** Contracts of epochs and blobs on a shard's chain, by the names under which its Directory holds them. */
export const SHARD_CONTRACTS = [
  'epochMirror',
  'quorumVerifier',
  'entropy',
  'daMining',
  'daEntrance',
  'nitroCertificateValidator',
] as const;

/** A contract of epochs or blobs on a shard's chain. */
export type ShardContractName = (typeof SHARD_CONTRACTS)[number];

/** The contracts of a consensus shard on its chain, its log aside. */
export interface ShardDeployment {
  readonly shardId: number;
  readonly chainId: ChainId;
  readonly contracts: Readonly<Record<ShardContractName, Address>>;
  /** A block not after the creation of any of them. */
  readonly block: number;
}

/** An epoch at which a mirror begins: published well before, or read from the hub by whoever deploys. */
export interface MirrorAnchor {
  readonly header: EpochHeader;
  /** Those whose hashes the header holds, in order. */
  readonly snapshots: readonly Snapshot[];
}

/** The hub to which a shard belongs. */
export interface ShardHub {
  readonly chainId: ChainId;
  /** Stands for the network. */
  readonly sortition: Address;
  readonly orderingHub: Address;
}

/** Who deploys a shard, where, and with which numbers. */
export interface ShardDeployOptions extends Omit<DeployOptions, 'params'> {
  /** Those of the network; salt, stake and schedule of the hub are not used. */
  readonly params: DaParams;
  readonly hub: ShardHub;
  /** 1 or more. */
  readonly shardId: number;
  /** Where the mirror begins; nowhere unless told, and nothing is taken until its admin anchors it. */
  readonly anchor?: MirrorAnchor;
  /** Holds every admin role; the deploying account unless told. */
  readonly admin?: Address;
  /** Receives the treasury's share of fees; the admin unless told. */
  readonly treasury?: Address;
  /** Where the contracts are named; nowhere unless told. Its admin must be the deploying account. */
  readonly directory?: Address;
}

/**
 * Deploys mirror, verifier, rewards and entrance of a consensus shard on its own chain, anchors the
 * mirror, names all in the Directory, and checks the result. Goes on where a journal says it ended.
 * The shard is part of the network once `registerShard` has told the hub.
 *
 * With another `admin` than the deploying account the mirror's role is offered last: the admin takes
 * it with `acceptAdmin`.
 *
 * @throws {RangeError} for shard 0 or snapshots that the header does not name; {DeployError}
 *   DEPLOY_NONCES_TAKEN, DEPLOY_MISMATCH; {DaError} DA_CONTRACTS_DIFFER; {TransactionError};
 *   {ChainError}; the signal's reason
 */
export async function deployShard(
  options: ShardDeployOptions,
  { signal }: CallOptions,
): Promise<ShardDeployment> {
  const { client, signer, params, hub, shardId, anchor, directory } = options;
  if (shardId < 1) throw new RangeError(`shard ${shardId} is the hub's own; others count from 1`);
  const chainId = await client.chainId({ signal });
  const name = `${options.name ?? 'main'}:shard:${shardId}`;
  const admin = options.admin ?? signer.address;
  const errors = [epochMirrorAbi, daEntranceAbi, quorumVerifierAbi];
  const run = createSteps({ ...options, chainId, errors }, signal);
  const mirror = await run.create(`${name}:epochMirror`, epochMirrorAbi, epochMirrorBytecode, [
    mirrorSettings(params, hub),
    signer.address,
  ]);
  const entropy = await run.create(`${name}:entropy`, randaoEntropyAbi, randaoEntropyBytecode, []);
  const verifier = await run.create(
    `${name}:quorumVerifier`,
    quorumVerifierAbi,
    quorumVerifierBytecode,
    [mirror.address, hub.chainId, hub.sortition],
  );
  const places = { entropy, verifier, admin, name };
  const [rewards, entrance] = await createEntrance(run, options, places);
  const nitro = await run.create(
    `${name}:nitroCertificateValidator`,
    nitroCertificateValidatorAbi,
    nitroCertificateValidatorBytecode,
    [entrance.address],
  );
  const contracts = {
    epochMirror: mirror.address,
    quorumVerifier: verifier.address,
    entropy: entropy.address,
    daMining: rewards.address,
    daEntrance: entrance.address,
    nitroCertificateValidator: nitro.address,
  };
  if (anchor !== undefined) {
    await run.call(`${name}:anchor`, mirror.address, ANCHOR, anchorArguments(anchor));
  }
  if (admin !== signer.address) {
    await run.call(`${name}:epochMirror:admin`, mirror.address, TRANSFER_ADMIN, [admin]);
  }
  if (directory !== undefined) {
    for (const contract of SHARD_CONTRACTS) {
      const entry = [directoryName(contract), contracts[contract]];
      await run.call(`${name}:set:${contract}`, directory, DIRECTORY_SET, entry);
    }
  }
  const deployment = { shardId, chainId, contracts, block: mirror.block };
  await verifyShardDeployment(client, deployment, hub, { signal });
  return deployment;
}

/** Rewards and entrance, which know each other. */
async function createEntrance(
  run: Steps,
  options: ShardDeployOptions,
  places: {
    readonly entropy: Step;
    readonly verifier: Step;
    readonly admin: Address;
    readonly name: string;
  },
): Promise<readonly [Step, Step]> {
  const { params, shardId, signer, treasury } = options;
  const { admin, name } = places;
  const verifier = places.verifier.address;
  return createRing(run, {
    from: signer.address,
    after: places.verifier,
    parts: [
      {
        step: `${name}:daMining`,
        abi: daMiningAbi,
        bytecode: daMiningBytecode,
        args: (at) => [
          verifier,
          at(1),
          treasury ?? admin,
          lotterySettings(params, places.entropy.address),
        ],
      },
      {
        step: `${name}:daEntrance`,
        abi: daEntranceAbi,
        bytecode: daEntranceBytecode,
        args: (at) => [entranceSettings(params, { verifier, rewards: at(0), admin }, shardId)],
        mismatch: 'RewardsOfAnotherEntrance',
      },
    ],
  });
}

const ANCHOR =
  'function anchor((uint64,bytes32,uint64,uint64,bytes32,bytes32,uint64,bytes32[]) header, (uint64,uint32,uint32,uint64,bytes32,uint256[3])[] snapshots)';

function anchorArguments({ header, snapshots }: MirrorAnchor): readonly unknown[] {
  const { snapshotHashes } = header;
  const isWhole =
    snapshots.length === snapshotHashes.length &&
    snapshots.every((snapshot, at) =>
      equalBytes(snapshotHash(snapshot), snapshotHashes[at] ?? NONE),
    );
  if (!isWhole) {
    throw new RangeError(
      `the header of epoch ${header.epoch} names ${snapshotHashes.length} snapshots, and these ${snapshots.length} are others`,
    );
  }
  const { epoch, previous, startSeconds, endSeconds, seed, orderRoot, orderCount } = header;
  const hashes = snapshotHashes.map(toHex);
  return [
    [
      ...[epoch, toHex(previous), startSeconds, endSeconds],
      ...[toHex(seed), toHex(orderRoot), orderCount, hashes],
    ],
    snapshots.map(snapshotArgument),
  ];
}

const NONE = new Uint8Array();

/** Who registers a shard on the hub: the admin of the ordering hub. */
export interface ShardRegistration extends Omit<DeployOptions, 'params'> {
  readonly params: DaParams;
  readonly orderingHub: Address;
  readonly shard: ShardEntry;
}

/**
 * Adds a shard to the ordering hub's registry, with the network's period and finality. From then on its
 * checkpoints are ordered and what is signed for its entrance is evidence.
 *
 * @throws {TransactionError} TX_REVERTED ShardKnown, BadShard or NotAdmin; {ChainError}; the signal's
 *   reason
 */
export async function registerShard(
  options: ShardRegistration,
  { signal }: CallOptions,
): Promise<void> {
  const { client, params, orderingHub, shard } = options;
  const chainId = await client.chainId({ signal });
  const run = createSteps({ ...options, chainId, errors: [orderingHubAbi] }, signal);
  const step = `${options.name ?? 'main'}:addShard:${shard.shardId}`;
  await run.call(step, orderingHub, ADD_SHARD, shardArguments(params, shard));
}

/**
 * Checks that every contract of a shard is there, knows the others and belongs to its hub.
 *
 * @throws {DeployError} DEPLOY_MISMATCH; {DaError} DA_CONTRACTS_DIFFER; {ChainError}
 */
export async function verifyShardDeployment(
  client: ChainClient,
  { shardId, chainId, contracts, block }: ShardDeployment,
  hub: ShardHub,
  { signal }: CallOptions,
): Promise<void> {
  const network = { hubChainId: hub.chainId, hub: hub.sortition };
  const place = { client, chainId, firstBlock: block, finality: 0, network };
  const entrance = await openEntrance({ ...place, entrance: contracts.daEntrance }, { signal });
  const mirror = new Contract(client, contracts.epochMirror, epochMirrorAbi);
  const validator = new Contract(
    client,
    contracts.nitroCertificateValidator,
    nitroCertificateValidatorAbi,
  );
  const at = async (contract: Contract, name: string): Promise<string> =>
    (await contract.read(name, [], { signal })).address(0);
  const links = [
    ['quorumVerifier', contracts.quorumVerifier, entrance.verifier.address],
    ['epochMirror', contracts.epochMirror, await at(entrance.verifier, 'epochs')],
    ['daMining', contracts.daMining, await at(entrance.contract, 'rewards')],
    ['nitroCertificateValidator', contracts.daEntrance, await at(validator, 'entrance')],
    ['hub of the mirror', hub.sortition, await at(mirror, 'hub')],
    ['order of the mirror', hub.orderingHub, await at(mirror, 'orderingHub')],
    ['shard of the entrance', `${shardId}`, `${entrance.settings.shardId}`],
  ] as const;
  for (const [contract, expected, actual] of links) {
    if (actual === expected) continue;
    throw new DeployError(
      { code: 'DEPLOY_MISMATCH', contract, expected, actual },
      `the shard is not what it should be: ${contract} is ${actual}, not ${expected}`,
    );
  }
}
