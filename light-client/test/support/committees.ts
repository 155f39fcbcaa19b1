import {
  type BlobHeader,
  type Certificate,
  type Committee,
  certify,
  type Domain,
  type EpochHeader,
  encodeBlobHeader,
  encodeCertificate,
  encodeEpochHeader,
  encodeMember,
  encodeSnapshot,
  epochHeaderHash,
  leafHash,
  type Network,
  type SigningKey,
  type Snapshot,
  STATEMENT_KINDS,
  type Statement,
  signStatement,
  snapshotHash,
  sumVotes,
  treeRoot,
  verifyMembers,
  verifySnapshot,
  verifyVote,
} from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import {
  type Address,
  bigEndianBytes,
  chainIdOf,
  keccak256,
  parseAddress,
  utf8Bytes,
} from '@cairn/primitives';

/** Signs in tests; noble checks the same bytes. */
export const BLST = blstBackend();

export const NETWORK: Network = {
  hubChainId: chainIdOf(31_337),
  hub: parseAddress('0x00000000000000000000000000000000000000a1'),
};
export const ENTRANCE: Domain = {
  chainId: chainIdOf(31_338),
  address: parseAddress('0x00000000000000000000000000000000000000da'),
};
export const SHARD_ID = 3;
/** When the first test epoch begins, in unix seconds; each lasts an hour. */
export const START_SECONDS = 1_800_000_000;
export const EPOCH_SECONDS = 3600;
export const FIRST_EPOCH = 7;

/** A group that holds office, with its keys. */
export interface TestGroup {
  readonly committee: Committee;
  readonly header: EpochHeader;
  readonly bodies: readonly Uint8Array[];
  readonly keys: readonly SigningKey[];
}

const keys: SigningKey[] = [];

function keyOf(index: number): SigningKey {
  const material = keccak256(utf8Bytes(`light client test key ${index}`));
  const key = keys[index] ?? BLST.openKey(BLST.secretFromMaterial(material));
  keys[index] = key;
  return key;
}

/** The account of a test signer. */
export function signerAddress(index: number): Address {
  return parseAddress(`0x${(0x5160000 + index).toString(16).padStart(40, '0')}`);
}

/** What a header can say besides. */
export type HeaderFields = Partial<Omit<EpochHeader, 'snapshotHashes'>>;

/** A committee of members with these seats in an epoch; it is the DA quorum too. */
export function testGroup(seats: readonly number[], fields: HeaderFields = {}): TestGroup {
  const epoch = fields.epoch ?? FIRST_EPOCH;
  const own = seats.map((_, index) => keyOf(index));
  const members = seats.map((count, index) => {
    const { publicKey } = own[index] as SigningKey;
    return { index, signer: signerAddress(index), seats: count, publicKey };
  });
  const bodies = members.map(encodeMember);
  const snapshot: Snapshot = {
    epoch,
    quorumId: 0,
    memberCount: members.length,
    totalWeight: seats.reduce((sum, count) => sum + BigInt(count), 0n),
    membersRoot: treeRoot(bodies.map(leafHash)),
    aggregateKey: BLST.addKeys(members.map(({ publicKey }) => publicKey)),
  };
  const startSeconds = START_SECONDS + (epoch - FIRST_EPOCH) * EPOCH_SECONDS;
  const header: EpochHeader = {
    epoch,
    previous: keccak256(utf8Bytes('before')),
    startSeconds,
    endSeconds: startSeconds + EPOCH_SECONDS,
    seed: keccak256(bigEndianBytes(epoch, 8)),
    orderRoot: new Uint8Array(32),
    orderCount: 0,
    ...fields,
    snapshotHashes: [snapshotHash(snapshot)],
  };
  const committee = verifyMembers(bodies, verifySnapshot(snapshot, header));
  return { committee, header, bodies, keys: own };
}

/** The group that follows another in office. */
export function nextGroup(
  before: TestGroup,
  seats: readonly number[],
  fields: HeaderFields = {},
): TestGroup {
  const { epoch } = before.header;
  return testGroup(seats, {
    epoch: epoch + 1,
    previous: epochHeaderHash(before.header),
    ...fields,
  });
}

/** A certificate of a statement by all members but the absent ones. */
export function certificateOf(
  { committee, keys }: TestGroup,
  statement: Statement,
  bodies: readonly Uint8Array[],
  options: { readonly absent?: readonly number[]; readonly leafIndex?: number } = {},
): Certificate {
  const { absent = [], leafIndex = 0 } = options;
  const votes = keys.flatMap((key, memberIndex) => {
    if (absent.includes(memberIndex)) return [];
    const vote = { memberIndex, signature: signStatement(key, NETWORK, statement) };
    return [verifyVote(vote, { network: NETWORK, statement, committee }, BLST)];
  });
  const aggregate = sumVotes(votes, committee, BLST);
  return certify(aggregate, { network: NETWORK, bodies, leafIndex, isSelfContained: true });
}

/** A handover from one group to another, as bytes. */
export function handoverOf(from: TestGroup, to: TestGroup, absent: readonly number[] = []) {
  const body = encodeEpochHeader(to.header);
  const statement: Statement = {
    kind: STATEMENT_KINDS.handover,
    domain: { chainId: NETWORK.hubChainId, address: NETWORK.hub },
    epoch: from.header.epoch,
    quorumId: 0,
    count: 1,
    root: keccak256(body),
  };
  return {
    certificate: encodeCertificate(certificateOf(from, statement, [body], { absent })),
    snapshot: encodeSnapshot(to.committee.snapshot),
  };
}

/** A certificate of a batch that holds these headers, for the one at `leafIndex`. */
export function blobCertificateOf(
  group: TestGroup,
  headers: readonly BlobHeader[],
  options: { readonly absent?: readonly number[]; readonly leafIndex?: number } = {},
): Certificate {
  const bodies = headers.map(encodeBlobHeader);
  const statement: Statement = {
    kind: STATEMENT_KINDS.batch,
    domain: ENTRANCE,
    epoch: group.header.epoch,
    quorumId: 0,
    count: bodies.length,
    root: treeRoot(bodies.map(leafHash)),
  };
  return certificateOf(group, statement, bodies, options);
}
