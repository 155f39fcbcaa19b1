import { equalBytes, keccak256 } from '@cairn/primitives';
import { abiWords, WORD_BYTES } from './abi-words.ts';
import type { BlsBackend, PublicKey } from './bls-backend.ts';
import { BodyReader } from './body-reader.ts';
import { assertBytes } from './body-writer.ts';
import type { EpochHeader } from './epoch-header.ts';
import { QuorumError } from './errors.ts';
import { MEMBER_BYTES, type Member, memberOfProven } from './member.ts';
import { leafHash, treeRoot } from './merkle-tree.ts';

declare const verified: unique symbol;

/** Bytes of an encoded snapshot: eight words. */
export const SNAPSHOT_BYTES = 256;

/** A group of seats as the hub sealed it. */
export interface Snapshot {
  /** The epoch its members were drawn for; older than the one they hold office in after a carry-over. */
  readonly epoch: number;
  readonly quorumId: number;
  readonly memberCount: number;
  /** Seats of all members. */
  readonly totalWeight: bigint;
  /** Root over member bodies in order, 32 bytes. */
  readonly membersRoot: Uint8Array;
  /** Sum of the members' keys, each once whatever its seats. */
  readonly aggregateKey: PublicKey;
}

/** A snapshot that an epoch's header names. Only `verifySnapshot` makes one. */
export type VerifiedSnapshot = Snapshot & {
  /** The epoch in which it signs. */
  readonly office: EpochHeader;
  readonly [verified]: 'snapshot';
};

/** All members of a verified snapshot, in order. Only `verifyMembers` makes one. */
export type Committee = {
  readonly snapshot: VerifiedSnapshot;
  readonly members: readonly Member[];
} & { readonly [verified]: 'committee' };

/**
 * `abi.encode` of a snapshot: epoch, quorum, members, weight, root, three words of key.
 *
 * @throws {RangeError} if a number does not fit or the root is not 32 bytes
 */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { epoch, quorumId, memberCount, totalWeight, membersRoot, aggregateKey } = snapshot;
  assertBytes(membersRoot, 32, "the members' root");
  return abiWords(epoch, quorumId, memberCount, totalWeight, membersRoot, aggregateKey);
}

/**
 * The snapshot in eight words. Proves nothing; its key is checked to be one.
 *
 * @throws {MessageError} MESSAGE_LENGTH, MESSAGE_NUMBER; MESSAGE_FIELD for no members or no weight;
 *   {BlsError} BLS_NOT_A_KEY
 */
export function parseSnapshot(bytes: Uint8Array, backend: Pick<BlsBackend, 'parseKey'>): Snapshot {
  const reader = new BodyReader('snapshot', bytes);
  const epoch = reader.word('epoch');
  const quorumId = reader.word('quorum', 2 ** 32 - 1);
  const memberCount = reader.word('members', 2 ** 32 - 1);
  const totalWeight = BigInt(reader.word('weight'));
  const membersRoot = reader.bytes(32);
  const key = reader.bytes(96);
  reader.end();
  if (memberCount === 0) throw reader.refuse('members', memberCount);
  if (totalWeight < BigInt(memberCount)) throw reader.refuse('weight', totalWeight);
  const aggregateKey = backend.parseKey(key);
  return { epoch, quorumId, memberCount, totalWeight, membersRoot, aggregateKey };
}

/** The 32 bytes by which contracts and headers know a snapshot. */
export function snapshotHash(snapshot: Snapshot): Uint8Array {
  return keccak256(encodeSnapshot(snapshot));
}

/** The hash that an epoch's header has for a group in which nobody won a seat: no such group can sign. */
export function emptySnapshotHash({
  epoch,
  quorumId,
}: Pick<Snapshot, 'epoch' | 'quorumId'>): Uint8Array {
  return keccak256(abiWords(epoch, quorumId, new Uint8Array(SNAPSHOT_BYTES - 2 * WORD_BYTES)));
}

/**
 * Proves that a snapshot holds office in an epoch.
 *
 * @param office - the epoch's header as a light client followed it or the chain keeps it
 * @throws {QuorumError} SNAPSHOT_UNKNOWN
 */
export function verifySnapshot(snapshot: Snapshot, office: EpochHeader): VerifiedSnapshot {
  const expected = office.snapshotHashes[snapshot.quorumId];
  if (expected === undefined || !equalBytes(snapshotHash(snapshot), expected)) {
    throw new QuorumError(
      { code: 'SNAPSHOT_UNKNOWN', epoch: office.epoch, quorumId: snapshot.quorumId },
      `epoch ${office.epoch} names no such snapshot of group ${snapshot.quorumId}`,
    );
  }
  return { ...snapshot, office } as VerifiedSnapshot;
}

/**
 * Proves that a list is that of all members of a snapshot, in order. Hashes each once.
 *
 * @param bodies - the members' 124 bytes each
 * @throws {QuorumError} MEMBERS_NOT_OF_SNAPSHOT
 */
export function verifyMembers(
  bodies: readonly Uint8Array[],
  snapshot: VerifiedSnapshot,
): Committee {
  if (bodies.length !== snapshot.memberCount) throw notOfSnapshot('count', snapshot);
  const isWhole = bodies.every(({ length }) => length === MEMBER_BYTES);
  if (!isWhole || !equalBytes(treeRoot(bodies.map(leafHash)), snapshot.membersRoot)) {
    throw notOfSnapshot('root', snapshot);
  }
  const members: readonly Member[] = bodies.map(memberOfProven);
  return { snapshot, members } as Committee;
}

function notOfSnapshot(what: 'count' | 'root', { epoch, quorumId }: Snapshot): QuorumError {
  return new QuorumError(
    { code: 'MEMBERS_NOT_OF_SNAPSHOT', what },
    `these are not the members of group ${quorumId} drawn for epoch ${epoch}: its ${what} differs`,
  );
}
