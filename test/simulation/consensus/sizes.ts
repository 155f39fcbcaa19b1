import {
  type Certificate,
  type Checkpoint,
  type Committee,
  type Domain,
  type EpochHeader,
  encodeCertificate,
  encodeCheckpoint,
  encodeEpochHeader,
  encodeMember,
  encodeSnapshot,
  isQuorum,
  membersAbsent,
  type Network,
  type SeatedEpoch,
  type Signature,
  STATEMENT_KINDS,
  seatEpoch,
  shortestSigners,
  signStatement,
  treeDepth,
  verifyMembers,
  verifySnapshot,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  bigEndianBytes,
  chainIdOf,
  epochSeconds,
  keccak256,
  parseAddress,
  seededRng,
  utf8Bytes,
} from '@cairn/primitives';
import {
  encodeCheckpointOffer,
  encodeCheckpointRequest,
  encodeOfficeVote,
  encodeSignedHandover,
} from '@cairn/wire-protocol/da';
import { drawOf, keyOf, PARAMS, type Signers, signersOf } from './signers.ts';

/** Numbers of shards that the tables are about: a bundle has a checkpoint of each. */
export const SHARD_COUNTS: readonly number[] = [1, 4, 16, 64];
/** Of a hundred members, how many are away on an ordinary day. */
export const ABSENT_PERCENT = 5;
const EPOCH = 1;
const START_SECONDS = 1_800_000_000;
const SEED = 7;

/** Names of everything that signatures are for. */
export const NETWORK: Network = {
  hubChainId: chainIdOf(16_661),
  hub: parseAddress(`0x${'4b'.repeat(20)}`),
};
/** The contract that orders checkpoints. */
export const ORDERING: Domain = {
  chainId: NETWORK.hubChainId,
  address: parseAddress(`0x${'0d'.repeat(20)}`),
};

const backend = blstBackend();

/** An epoch's committee, drawn and proven as signers and verifiers do it. */
export interface DrawnCommittee {
  readonly signers: Signers;
  readonly seated: SeatedEpoch;
  readonly header: EpochHeader;
  readonly committee: Committee;
}

/** Draws the first epoch of so many signers. */
export function committeeOf(count: number): DrawnCommittee {
  const signers = signersOf(count);
  const seated = seatEpoch(drawOf(signers, EPOCH), PARAMS, backend);
  const [group] = seated.groups;
  if (group === undefined) throw new RangeError('nobody won a seat');
  const header = headerOf(seated, EPOCH);
  const verified = verifySnapshot(group.snapshot, header);
  const committee = verifyMembers(group.members.map(encodeMember), verified);
  return { signers, seated, header, committee };
}

function headerOf({ snapshotHashes }: SeatedEpoch, epoch: number): EpochHeader {
  const startSeconds = START_SECONDS + epoch * epochSeconds(PARAMS.schedule);
  return {
    epoch,
    previous: keccak256(utf8Bytes(`header ${epoch - 1}`)),
    startSeconds,
    endSeconds: startSeconds + epochSeconds(PARAMS.schedule),
    seed: keccak256(bigEndianBytes(epoch, 8)),
    orderRoot: keccak256(utf8Bytes('order')),
    orderCount: 1_000_000,
    snapshotHashes,
  };
}

/** A checkpoint of a shard that has long been in use. */
export function checkpointOf(shardId: number, fields: Partial<Checkpoint> = {}): Checkpoint {
  const hash = (what: string): Uint8Array => keccak256(utf8Bytes(`${what} ${shardId}`));
  return {
    shardId,
    number: 105_120,
    previous: hash('previous'),
    flowRoot: hash('flow'),
    flowLength: 40_000_000,
    logRoot: hash('log'),
    logCount: 10_000_000,
    daRoot: hash('da'),
    daCount: 1_000_000,
    blockNumber: 2_628_000,
    blockHash: hash('block'),
    timeSeconds: START_SECONDS,
    ...fields,
  };
}

/** Who of a committee is away: nobody, one in twenty by chance, or by chance as many as leave a quorum. */
export type Absence = 'none' | 'ordinary' | 'most';

/** Their indexes, rising; always the same. */
export function absentOf({ members, snapshot }: Committee, absence: Absence): number[] {
  if (absence === 'none') return [];
  const rng = seededRng(SEED);
  if (absence === 'ordinary') {
    return members.map(({ index }) => index).filter(() => rng.below(100) < ABSENT_PERCENT);
  }
  const order = members.map(({ index }) => ({ index, place: rng.below(2 ** 32) }));
  order.sort((left, right) => left.place - right.place);
  const absent: number[] = [];
  let signed = snapshot.totalWeight;
  for (const { index } of order) {
    const rest = signed - BigInt(members[index]?.seats ?? 0);
    if (!isQuorum(rest, snapshot.totalWeight)) break;
    absent.push(index);
    signed = rest;
  }
  return absent.sort((left, right) => left - right);
}

/** Bytes of what a committee signs. */
export interface CertificateSizes {
  readonly members: number;
  readonly absent: number;
  /** Hashes that prove the absent ones. */
  readonly siblings: number;
  /** Certificates of one checkpoint out of a bundle of each number of shards, for readers that have the list of members. */
  readonly named: readonly number[];
  /** The same that bring their absent members. */
  readonly selfContained: readonly number[];
  /** A handover that brings its absent members. */
  readonly handover: number;
}

/** Sizes of certificates by encoding them; the signature is one key's, which has as many bytes as a sum. */
export function certificateSizes(
  { committee, header, seated }: DrawnCommittee,
  absent: readonly number[],
): CertificateSizes {
  const carried = membersAbsent(committee, absent);
  const named = shortestSigners(absent, committee.snapshot.memberCount);
  const sizes = SHARD_COUNTS.map((shards) => {
    const certificate = bundleCertificate(header.epoch, shards);
    return [named, carried].map((signers) => encodeCertificate({ ...certificate, signers }).length);
  });
  return {
    members: committee.members.length,
    absent: absent.length,
    siblings: carried.siblings.length,
    named: sizes.map(([bytes = 0]) => bytes),
    selfContained: sizes.map(([, bytes = 0]) => bytes),
    handover: handoverBytes(seated, committee, carried),
  };
}

function bundleCertificate(epoch: number, shards: number): Omit<Certificate, 'signers'> {
  return {
    network: NETWORK,
    kind: STATEMENT_KINDS.checkpoints,
    domain: ORDERING,
    epoch,
    quorumId: 0,
    count: shards,
    body: encodeCheckpoint(checkpointOf(1)),
    leafIndex: 0,
    path: Array.from({ length: treeDepth(shards) }, (_, at) => keccak256(Uint8Array.of(at))),
    signature: oneSignature(),
  };
}

/** The handover to an epoch with as many groups, as signers hand it out: the next snapshot and the certificate. */
function handoverBytes(
  seated: SeatedEpoch,
  { snapshot }: Committee,
  signers: Certificate['signers'],
): number {
  const certificate = encodeCertificate({
    ...bundleCertificate(EPOCH, 1),
    kind: STATEMENT_KINDS.handover,
    domain: { chainId: NETWORK.hubChainId, address: NETWORK.hub },
    body: encodeEpochHeader(headerOf(seated, EPOCH + 1)),
    signers,
  });
  return encodeSignedHandover({ snapshot: encodeSnapshot(snapshot), certificate }).length;
}

/** What gathering a handover comes to: members are asked in their order until more than two thirds of the seats have signed. */
export interface GatheredHandover {
  /** Members that were asked by one signer. */
  readonly asked: number;
  /** Bytes of the handover that it makes: whoever was not asked counts as absent. */
  readonly bytes: number;
}

/** Gathers with `absent` members away. */
export function gatherHandover(
  { committee, seated }: DrawnCommittee,
  absent: readonly number[],
): GatheredHandover {
  const away = new Set(absent);
  const { members, snapshot } = committee;
  let weight = 0n;
  let asked = 0;
  const signed = new Set<number>();
  for (const { index, seats } of members) {
    if (isQuorum(weight, snapshot.totalWeight)) break;
    asked += 1;
    if (away.has(index)) continue;
    signed.add(index);
    weight += BigInt(seats);
  }
  const missing = members.map(({ index }) => index).filter((index) => !signed.has(index));
  return { asked, bytes: handoverBytes(seated, committee, membersAbsent(committee, missing)) };
}

/** Bytes of what a relayer and a member say to each other about one bundle: bodies of requests and answers. */
export interface BundleMessages {
  readonly offer: number;
  readonly request: number;
  readonly vote: number;
  /** An offer of a signer that has nothing new. */
  readonly nothing: number;
}

/** By encoding them. */
export function bundleMessages(shards: number): BundleMessages {
  const checkpoints = Array.from({ length: shards }, (_, index) => checkpointOf(index + 1));
  const vote = encodeOfficeVote({
    kind: STATEMENT_KINDS.checkpoints,
    epoch: EPOCH,
    quorumId: 0,
    count: shards,
    root: new Uint8Array(32),
    signer: NETWORK.hub,
    signature: oneSignature(),
  });
  return {
    offer: encodeCheckpointOffer(checkpoints).length,
    request: encodeCheckpointRequest({ epoch: EPOCH, checkpoints }).length,
    vote: vote.length,
    nothing: encodeCheckpointOffer([]).length,
  };
}

let kept: Signature | undefined;

function oneSignature(): Signature {
  const root = keccak256(utf8Bytes('root'));
  const about = { domain: ORDERING, epoch: EPOCH, quorumId: 0, count: 1, root };
  kept ??= signStatement(keyOf(0), NETWORK, { kind: STATEMENT_KINDS.checkpoints, ...about });
  return kept;
}
