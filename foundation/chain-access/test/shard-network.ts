import {
  type Checkpoint,
  type Committee,
  checkpointHash,
  encodeCheckpoint,
  epochHeaderHash,
  leafHash,
  STATEMENT_KINDS,
  type Statement,
  sumVotes,
  treePath,
  treeRoot,
  type VerifiedAggregate,
  verifyVotes,
} from '@cairn/attestation';
import {
  DEVNET_CONSENSUS,
  keccak256,
  memoryKeyValueStore,
  silentLogger,
  utf8Bytes,
} from '@cairn/primitives';
import { EpochBook } from '../src/da/epoch-book.ts';
import { type Entrance, openEntrance } from '../src/da/open-entrance.ts';
import type { Hub } from '../src/da/open-hub.ts';
import { SignerBook } from '../src/da/signer-book.ts';
import { deployShard } from '../src/deploy/deploy-shard.ts';
import type { Deployment } from '../src/deploy/deployment.ts';
import { type LocalSigner, signerFromKey } from '../src/keys/signer.ts';
import { createTransactionSender } from '../src/send/create-sender.ts';
import type { TransactionSender } from '../src/send/transaction-sender.ts';
import { acceptEpoch, anchorMirror, type HandedEpoch } from '../src/shards/mirror-calls.ts';
import { type Mirror, openMirror } from '../src/shards/open-mirror.ts';
import { type Ordering, openOrdering } from '../src/shards/open-ordering.ts';
import { addShard, type SignedBundle, submitBundle } from '../src/shards/ordering-calls.ts';
import { readHead, readShard, type Shard } from '../src/shards/ordering-facts.ts';
import type { QuorumSignature } from '../src/shards/quorum-signature.ts';
import { blockOf, readShardContent, type ShardPlace } from '../src/shards/read-checkpoint.ts';
import { ANVIL_KEYS, Anvil, testSignal } from './anvil.ts';
import { BLS, DaNetwork, type TestSigner } from './da-network.ts';

/** The chain of the one shard beside the hub. */
export const SHARD_CHAIN = 31_338;
const CONSENSUS = DEVNET_CONSENSUS;
const PERIOD = CONSENSUS.checkpointPeriodBlocks;
/** Makes the shard's contracts and administers them. */
const SHARD_ADMIN = signerFromKey(keccak256(utf8Bytes('who administers the shard')));
/** A busy machine takes its time for more. */
const MINED_AT_ONCE = 25;
let foundedNetworks = 0;
const RICH = `0x${(10n ** 20n).toString(16)}`;

/** A network of two consensus shards, each a chain of the test's own: the hub, and one beside it. */
export class ShardNetwork {
  readonly hub: DaNetwork;
  readonly ordering: Ordering;
  readonly epochs: EpochBook;
  /** The chain of shard 1. */
  readonly anvil: Anvil;
  readonly log: Deployment;
  readonly mirror: Mirror;
  readonly entrance: Entrance;
  /** Pays on the shard's chain. */
  readonly payer: TransactionSender;

  private constructor(
    parts: Pick<
      ShardNetwork,
      'hub' | 'ordering' | 'epochs' | 'anvil' | 'log' | 'mirror' | 'entrance' | 'payer'
    >,
  ) {
    this.hub = parts.hub;
    this.ordering = parts.ordering;
    this.epochs = parts.epochs;
    this.anvil = parts.anvil;
    this.log = parts.log;
    this.mirror = parts.mirror;
    this.entrance = parts.entrance;
    this.payer = parts.payer;
  }

  /** Founds both, brings the hub into its first epoch with members, and anchors the mirror there. */
  static async start(): Promise<ShardNetwork> {
    const options = { signal: testSignal() };
    const [hubChain, anvil] = await Promise.all([
      Anvil.start('--gas-limit', '60000000'),
      Anvil.start('--gas-limit', '60000000', '--chain-id', `${SHARD_CHAIN}`),
    ]);
    for (const chain of [hubChain, anvil]) {
      await chain.rpc('anvil_setBlockTimestampInterval', 1);
    }
    await anvil.rpc('anvil_setBalance', SHARD_ADMIN.address, RICH);
    // Founded anew each time: a state that is loaded again has no history, and checkpoints are of old blocks.
    foundedNetworks += 1;
    const genesisSalt = keccak256(utf8Bytes(`shards for tests ${foundedNetworks}`));
    const hub = await DaNetwork.start(hubChain, CONSENSUS, { genesisSalt });
    const ordering = await openOrdering(hub.hub, options);
    if (ordering === undefined) throw new Error('nothing orders checkpoints');
    const epochs = new EpochBook({
      hub: hub.hub,
      signers: new SignerBook(hub.hub),
      backend: BLS,
    });
    const { log, mirror, entrance } = await makeShard(anvil, hub.hub, ordering, 1);
    const payer = senderOn(anvil, SHARD_CHAIN, SHARD_ADMIN);
    const network = new ShardNetwork({
      hub,
      ordering,
      epochs,
      anvil,
      log,
      mirror,
      entrance,
      payer,
    });
    await network.register();
    const epoch = await hub.turn();
    await hub.mine(CONSENSUS.schedule.finalityBlocks);
    await network.keepTime();
    await anchorMirror(network.mirrorCaller, await network.handed(epoch), options);
    return network;
  }

  /** Who pays for calls to the mirror. */
  get mirrorCaller(): { readonly mirror: Mirror; readonly sender: TransactionSender } {
    return { mirror: this.mirror, sender: this.payer };
  }

  async stop(): Promise<void> {
    await Promise.all([this.hub.anvil.stop(), this.anvil.stop()]);
  }

  /** Blocks of the shard, a second apart. */
  async mine(blocks: number): Promise<void> {
    await this.anvil.rpc('anvil_mine', `0x${blocks.toString(16)}`, '0x1');
  }

  /** The clock of a shard catches up with the hub's. */
  async keepTime(anvil: Anvil = this.anvil): Promise<void> {
    const options = { signal: testSignal() };
    for (let isSet = false; !isSet; ) {
      const hub = await this.hub.anvil.client.getBlock('latest', options);
      const shard = await anvil.client.getBlock('latest', options);
      const next = Math.max(hub?.timestamp ?? 0, (shard?.timestamp ?? 0) + 1);
      isSet = await anvil.rpc('evm_setNextBlockTimestamp', next).then(
        () => true,
        (error: unknown) => {
          // Somebody's transactions made blocks meanwhile.
          if (!String(error).includes("lower than previous block's timestamp")) throw error;
          return false;
        },
      );
    }
    await anvil.mine();
  }

  /** A shard with its chain, by which its checkpoints are read. */
  async placeOf(shardId: number): Promise<ShardPlace> {
    const shard = await readShard(this.ordering, shardId, { signal: testSignal() });
    const { client } = shardId === 0 ? this.hub.anvil : this.anvil;
    return { shard, client, orderingHub: this.ordering.domain.address };
  }

  /** The next checkpoint of a shard, as its chain has it. */
  async nextCheckpoint(shardId: number, after?: Checkpoint): Promise<Checkpoint> {
    const options = { signal: testSignal() };
    const head =
      after === undefined
        ? await readHead(this.ordering, shardId, options)
        : { number: after.number, hash: checkpointHash(after) };
    const number = head.number + 1;
    const place = await this.placeOf(shardId);
    const content = await readShardContent(place, blockOf(place.shard, number), options);
    return { ...content, number, previous: head.hash };
  }

  /** An epoch as it is handed over. */
  async handed(epoch: number): Promise<HandedEpoch> {
    const options = { signal: testSignal() };
    const sealed = await this.epochs.sealed(epoch, options);
    if (sealed === undefined) throw new Error(`epoch ${epoch} is not sealed`);
    const { snapshot } = await this.epochs.committee({ epoch, quorumId: 0 }, options);
    return { header: sealed.header, snapshots: [snapshot] };
  }

  /** What the committee of an epoch signs for a bundle. */
  bundleStatement(checkpoints: readonly Checkpoint[], epoch: number): Statement {
    return {
      kind: STATEMENT_KINDS.checkpoints,
      domain: this.ordering.domain,
      epoch,
      quorumId: 0,
      count: checkpoints.length,
      root: treeRoot(checkpoints.map(checkpointHash)),
    };
  }

  /** Signed by some of the committee of an epoch. */
  async signBundle(
    checkpoints: readonly Checkpoint[],
    epoch: number,
    by: readonly TestSigner[] = this.hub.signers,
  ): Promise<SignedBundle> {
    const aggregate = await this.aggregate(this.bundleStatement(checkpoints, epoch), by);
    return { checkpoints, epoch, ...signatureOfAll(aggregate) };
  }

  /** Votes of some of the committee, in one. */
  async aggregate(
    statement: Statement,
    by: readonly TestSigner[] = this.hub.signers,
  ): Promise<VerifiedAggregate> {
    const { epoch, quorumId } = statement;
    const committee = await this.epochs.committee({ epoch, quorumId }, { signal: testSignal() });
    const votes = by.map((signer) => ({
      memberIndex: memberOf(committee, signer),
      signature: this.hub.sign(signer, statement),
    }));
    const { network } = this.hub.hub;
    return sumVotes(verifyVotes(votes, { network, statement, committee }, BLS), committee, BLS);
  }

  /** Signs and has ordered. */
  async order(checkpoints: readonly Checkpoint[], epoch: number): Promise<void> {
    const caller = { ordering: this.ordering, sender: this.hub.payer };
    const bundle = await this.signBundle(checkpoints, epoch);
    await submitBundle(caller, bundle, BLS, { signal: testSignal() });
  }

  /** The handover to an epoch, signed by the committee before. */
  async signHandover(epoch: number): Promise<{ handed: HandedEpoch; signed: QuorumSignature }> {
    const handed = await this.handed(epoch);
    const { hubChainId, hub } = this.hub.hub.network;
    const statement: Statement = {
      kind: STATEMENT_KINDS.handover,
      domain: { chainId: hubChainId, address: hub },
      epoch: epoch - 1,
      quorumId: 0,
      count: 1,
      root: epochHeaderHash(handed.header),
    };
    return { handed, signed: signatureOfAll(await this.aggregate(statement)) };
  }

  /** Hands an epoch over to the shard. */
  async handOver(epoch: number): Promise<void> {
    const { handed, signed } = await this.signHandover(epoch);
    const options = { signal: testSignal() };
    await acceptEpoch(this.mirrorCaller, handed, signed, BLS, options);
  }

  private async register(): Promise<void> {
    const { hub, ordering, log, entrance, mirror } = this;
    const shard: Shard = {
      shardId: 1,
      chainId: entrance.chainId,
      periodBlocks: PERIOD,
      finality: CONSENSUS.shardFinality,
      firstCheckpoint: 1,
      flow: log.contracts.flow,
      entrance: entrance.domain.address,
      mirror: mirror.contract.address,
    };
    const sender = senderOn(hub.anvil, hub.hub.chainId, signerFromKey(ANVIL_KEYS[0]));
    await addShard({ ordering, sender }, shard, { signal: testSignal() });
  }
}

/** A chain that may join a network, with its contracts. */
export interface NewShard {
  /** As it may be registered. */
  readonly shard: Shard;
  readonly anvil: Anvil;
  readonly mirror: Mirror;
  readonly entrance: Entrance;
  /** Pays on its chain, and administers its mirror. */
  readonly payer: TransactionSender;
}

/**
 * Founds a chain with the contracts of a shard, which is long already.
 *
 * @param stateFile - where it keeps its state while it is halted
 */
export async function foundShard(
  { hub, ordering }: Pick<ShardNetwork, 'hub' | 'ordering'>,
  { shardId, blocks, stateFile }: { shardId: number; blocks: number; stateFile: string },
): Promise<NewShard> {
  const chainId = SHARD_CHAIN - 1 + shardId;
  const kept = ['--state', stateFile, '--preserve-historical-states'];
  const anvil = await Anvil.start('--gas-limit', '60000000', '--chain-id', `${chainId}`, ...kept);
  await anvil.rpc('anvil_setBlockTimestampInterval', 1);
  await anvil.rpc('anvil_setBalance', SHARD_ADMIN.address, RICH);
  const { log, mirror, entrance } = await makeShard(anvil, hub.hub, ordering, shardId);
  for (let mined = 0; mined < blocks; mined += MINED_AT_ONCE) {
    await anvil.rpc('anvil_mine', `0x${MINED_AT_ONCE.toString(16)}`, '0x1');
  }
  const shard = {
    shardId,
    chainId: entrance.chainId,
    periodBlocks: PERIOD,
    finality: CONSENSUS.shardFinality,
    firstCheckpoint: 1,
    flow: log.contracts.flow,
    entrance: entrance.domain.address,
    mirror: mirror.contract.address,
  };
  return { shard, anvil, mirror, entrance, payer: senderOn(anvil, chainId, SHARD_ADMIN) };
}

/** A checkpoint's place in a bundle. */
export function placeIn(
  checkpoints: readonly Checkpoint[],
  index: number,
): { readonly count: number; readonly index: number; readonly path: readonly Uint8Array[] } {
  const leaves = checkpoints.map((checkpoint) => leafHash(encodeCheckpoint(checkpoint)));
  return { count: leaves.length, index, path: treePath(leaves, index) };
}

function signatureOfAll({ committee, absent, signature }: VerifiedAggregate): QuorumSignature {
  if (absent.length > 0) throw new Error(`${absent.length} members are absent`);
  return { snapshot: committee.snapshot, nonSigners: [], siblings: [], signature };
}

function memberOf({ members }: Committee, { address }: TestSigner): number {
  const member = members.find(({ signer }) => signer === address);
  if (member === undefined) throw new Error(`${address} is no member`);
  return member.index;
}

async function makeShard(
  anvil: Anvil,
  { chainId, sortition, network }: Hub,
  ordering: Ordering,
  shardId: number,
): Promise<Pick<ShardNetwork, 'log' | 'mirror' | 'entrance'>> {
  const options = { signal: testSignal() };
  const { client } = anvil;
  const log = await anvil.deploy();
  const hub = { chainId, sortition: sortition.address, orderingHub: ordering.domain.address };
  const params = { consensus: CONSENSUS, genesisSalt: new Uint8Array(32), mirrorDriftSeconds: 60 };
  const place = { client, signer: SHARD_ADMIN, pollMs: 5, params };
  const { contracts } = await deployShard({ ...place, hub, shardId }, options);
  const finality = CONSENSUS.shardFinality;
  const entrance = await openEntrance(
    { client, entrance: contracts.daEntrance, network, finality },
    options,
  );
  return {
    log,
    entrance,
    mirror: await openMirror({ client, mirror: contracts.epochMirror }, options),
  };
}

/** A sender on one of the chains. */
export function senderOn(
  { client }: Pick<Anvil, 'client'>,
  chainId: number,
  signer: LocalSigner,
): TransactionSender {
  return createTransactionSender({
    client,
    signer,
    journal: memoryKeyValueStore(),
    chainId: chainId as Hub['chainId'],
    logger: silentLogger(),
    pollMs: 5,
    rebroadcastMs: 200,
    finalBlocks: 1,
  });
}
