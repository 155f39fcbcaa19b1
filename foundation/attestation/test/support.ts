import { readFileSync } from 'node:fs';
import {
  type Address,
  bigEndianBytes,
  chainIdOf,
  fromHex,
  keccak256,
  parseAddress,
  type Rng,
  utf8Bytes,
} from '@cairn/primitives';
import type { BlobHeader } from '../src/blob-header.ts';
import type { BlsBackend, SigningKey } from '../src/bls-backend.ts';
import type { EpochHeader } from '../src/epoch-header.ts';
import { encodeMember, type Member } from '../src/member.ts';
import { leafHash, treeRoot } from '../src/merkle-tree.ts';
import { blstBackend } from '../src/native.ts';
import { nobleBackend } from '../src/noble-backend.ts';
import {
  type Committee,
  type Snapshot,
  snapshotHash,
  verifyMembers,
  verifySnapshot,
} from '../src/snapshot.ts';
import type { Domain } from '../src/statement.ts';

/** Seed of all random cases; fast-check prints it when one fails. */
export const SEED = 20_261_122;

/** Both implementations: whatever one says the other has to say. */
export const BACKENDS: readonly BlsBackend[] = [blstBackend(), nobleBackend()];

interface KeyVector {
  readonly ikm: string;
  readonly sk: string;
  readonly address: string;
  readonly pk48: string;
  readonly pk96: string;
  readonly popDigest: string;
  readonly pop: string;
}

interface SnapshotVector {
  readonly epoch: string;
  readonly quorumId: string;
  readonly memberCount: string;
  readonly totalWeight: string;
  readonly membersRoot: string;
  readonly aggPk: readonly string[];
  readonly hash: string;
}

interface StatementVector {
  readonly kind: 1;
  readonly domainChainId: string;
  readonly domain: string;
  readonly epoch: string;
  readonly quorumId: number;
  readonly count: number;
  readonly root: string;
}

/** Known answers of blst and of EVM precompiles; see the file itself. */
export const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/consensus.json', import.meta.url), 'utf8'),
) as {
  readonly chainId: number;
  readonly hub: string;
  readonly shard: { readonly id: number; readonly chainId: number; readonly address: string };
  readonly tags: Readonly<Record<'pop' | 'ticket' | 'beta' | 'statement' | 'seed', string>>;
  readonly keys: readonly KeyVector[];
  readonly epoch: string;
  readonly seed: string;
  readonly ticketDigest: string;
  readonly tickets: readonly {
    readonly sig: string;
    readonly sigEip: string;
    readonly beta: string;
    readonly drawVotes64_T10pct_Q4: { readonly total: number; readonly seats: readonly number[] };
  }[];
  readonly threshold10pct_Q4: string;
  readonly snapshot: SnapshotVector & {
    readonly members: readonly {
      readonly index: number;
      readonly address: string;
      readonly seats: number;
      readonly leaf: string;
    }[];
  };
  readonly batchCertificate: {
    readonly statement: StatementVector;
    readonly digest: string;
    readonly nonSigners: readonly {
      readonly index: number;
      readonly signer: string;
      readonly seats: number;
      readonly pk: readonly string[];
      readonly proof: readonly string[];
    }[];
    readonly aggregate: string;
    readonly aggregateEip: string;
  };
  readonly hashToG2: readonly {
    readonly msg: string;
    readonly pointEip: string;
    readonly pointCompressed: string;
  }[];
  readonly certificateCase: {
    readonly seed: string;
    readonly epoch: string;
    readonly ticketDigest: string;
    readonly tau: number;
    readonly Q: number;
    readonly votesEach: number;
    readonly threshold: string;
    readonly signers: readonly {
      readonly address: string;
      readonly keyIndex: number;
      readonly ticket: string;
      readonly beta: string;
      readonly seats: number;
    }[];
    readonly snapshot: SnapshotVector;
    readonly memberLeaves: readonly string[];
    readonly headers: readonly {
      readonly suite: number;
      readonly log2K: number;
      readonly cosets: number;
      readonly rowSize: number;
      readonly length: number;
      readonly commitment: string;
      readonly submitter: string;
      readonly shardId: number;
      readonly submissionIndex: number;
      readonly expiry: number;
    }[];
    readonly headerBodies: readonly string[];
    readonly headerLeaves: readonly string[];
    readonly statement: StatementVector;
    readonly digest: string;
    readonly nonSignersCompact: string;
    readonly siblings: readonly string[];
    readonly aggregate: string;
    readonly aggregateEip: string;
    readonly certificateMode0: string;
    readonly certificateMode2: string;
  };
};

/** The vectors' network. */
export const NETWORK = { hubChainId: chainIdOf(vectors.chainId), hub: parseAddress(vectors.hub) };
/** The vectors' DA entrance. */
export const ENTRANCE: Domain = {
  chainId: chainIdOf(vectors.shard.chainId),
  address: parseAddress(vectors.shard.address),
};

/** Test key number `index`, as the vectors make theirs. */
export function testKey(index: number, backend: BlsBackend = blst): SigningKey {
  const material = keccak256(utf8Bytes(`cairn test vector key ${index}`));
  return backend.openKey(backend.secretFromMaterial(material));
}

/** An account made of a number. */
export function testAddress(index: number): Address {
  return parseAddress(`0x${(0xa11ce000 + index).toString(16).padStart(40, '0')}`);
}

const blst = blstBackend();

/** A committee with the keys that sign for it. */
export interface TestCommittee {
  readonly committee: Committee;
  readonly bodies: readonly Uint8Array[];
  readonly keys: readonly SigningKey[];
}

/** What an epoch's header can say beside its snapshots. */
export type OfficeFields = Partial<Omit<EpochHeader, 'snapshotHashes'>> & {
  /** DA quorums; the group is put in the first place that its number names. */
  readonly quorums?: number;
};

/** A header with placeholders where nothing is given. */
export function officeOf(snapshot: Snapshot, fields: OfficeFields = {}): EpochHeader {
  const { quorums = 1, ...rest } = fields;
  const snapshotHashes = Array.from({ length: quorums === 1 ? 1 : quorums + 1 }, (_, group) =>
    group === snapshot.quorumId ? snapshotHash(snapshot) : keccak256(Uint8Array.of(group)),
  );
  return {
    epoch: snapshot.epoch,
    previous: keccak256(utf8Bytes('previous')),
    startSeconds: 1_800_000_000,
    endSeconds: 1_800_028_800,
    seed: fromHex(vectors.seed),
    orderRoot: new Uint8Array(32),
    orderCount: 0,
    ...rest,
    snapshotHashes,
  };
}

/** A committee of members with these seats, drawn for epoch 7. */
export function testCommittee(
  seats: readonly number[],
  { quorumId = 0, ...fields }: OfficeFields & { readonly quorumId?: number } = {},
): TestCommittee {
  const keys = seats.map((_, index) => keyCache(index));
  const members: Member[] = seats.map((count, index) => {
    const publicKey = keys[index]?.publicKey ?? keyCache(0).publicKey;
    return { index, signer: testAddress(index), seats: count, publicKey };
  });
  const bodies = members.map(encodeMember);
  const snapshot = {
    epoch: 7,
    quorumId,
    memberCount: members.length,
    totalWeight: seats.reduce((sum, count) => sum + BigInt(count), 0n),
    membersRoot: treeRoot(bodies.map(leafHash)),
    aggregateKey: blst.addKeys(members.map(({ publicKey }) => publicKey)),
  };
  const verified = verifySnapshot(snapshot, officeOf(snapshot, fields));
  return { committee: verifyMembers(bodies, verified), bodies, keys };
}

const keyCaches: SigningKey[] = [];

function keyCache(index: number): SigningKey {
  const found = keyCaches[index] ?? testKey(index);
  keyCaches[index] = found;
  return found;
}

/** A blob's header made of a number. */
export function testHeader(index: number, fields: Partial<BlobHeader> = {}): BlobHeader {
  return {
    suite: 0,
    log2K: 6,
    cosets: 3,
    rowSizeBytes: 64,
    sizeBytes: 1000 + index,
    commitment: keccak256(bigEndianBytes(index, 4)),
    submitter: testAddress(index % 5),
    shardId: 7,
    submissionIndex: BigInt(index),
    expirySeconds: 1_900_000_000,
    ...fields,
  };
}

/** Random bytes. */
export function randomBytes(rng: Rng, length: number): Uint8Array {
  return rng.fill(new Uint8Array(length));
}

/** Bytes with one bit turned over. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}
