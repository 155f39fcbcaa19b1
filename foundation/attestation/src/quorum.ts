import { equalBytes } from '@cairn/primitives';
import type { BlsBackend, PublicKey, Signature } from './bls-backend.ts';
import type { SignableDigest } from './digests.ts';
import { QuorumError } from './errors.ts';
import { claimedIndex, type Member, memberOfProven } from './member.ts';
import { leafHash } from './merkle-tree.ts';
import { rootOfMultiproof } from './multiproof.ts';
import type { Committee, VerifiedSnapshot } from './snapshot.ts';

/**
 * Whether more than two thirds of the seats signed. Strictly: with exactly two thirds two statements
 * could share exactly one third of signers, all of them hostile.
 */
export function isQuorum(signedWeight: bigint, totalWeight: bigint): boolean {
  return 3n * signedWeight > 2n * totalWeight;
}

/** @throws {QuorumError} WEIGHT_TOO_LOW */
export function assertQuorum(signedWeight: bigint, totalWeight: bigint): void {
  if (isQuorum(signedWeight, totalWeight)) return;
  throw new QuorumError(
    { code: 'WEIGHT_TOO_LOW', signedWeight, totalWeight },
    `${signedWeight} of ${totalWeight} seats signed, where more than two thirds are needed`,
  );
}

/** Members whose absence is told. */
export type Absence =
  /** By the list of all members. */
  | { readonly committee: Committee; readonly absent: readonly number[] }
  /** By their own 124 bytes each, with what ties these to the snapshot; indexes rise. */
  | { readonly bodies: readonly Uint8Array[]; readonly siblings: readonly Uint8Array[] };

/** What the members that are not absent come to. */
export interface Signers {
  /** Sum of their keys. */
  readonly key: PublicKey;
  readonly signedWeight: bigint;
}

/**
 * The sum of the keys of all members but the absent ones, once their seats are known to leave a
 * quorum.
 *
 * @throws {QuorumError} MEMBER_INDEX, NON_SIGNER_PROOF, WEIGHT_TOO_LOW; {BlsError} BLS_IDENTITY;
 *   {PathError} for indexes that do not rise
 */
export function signersOf(
  snapshot: VerifiedSnapshot,
  absence: Absence,
  backend: Pick<BlsBackend, 'subtractKeys'>,
): Signers {
  const absent =
    'committee' in absence
      ? absence.absent.map((index) => requireMember(absence.committee, index))
      : provenAbsent(snapshot, absence);
  const missing = absent.reduce((sum, { seats }) => sum + BigInt(seats), 0n);
  const signedWeight = snapshot.totalWeight - missing;
  assertQuorum(signedWeight, snapshot.totalWeight);
  const keys = absent.map(({ publicKey }) => publicKey);
  const key =
    keys.length === 0 ? snapshot.aggregateKey : backend.subtractKeys(snapshot.aggregateKey, keys);
  return { key, signedWeight };
}

/**
 * The one check behind every statement of a quorum: the seats that signed, then the signature.
 *
 * @returns the weight that signed
 * @throws {QuorumError} SIGNATURE_WRONG and as `signersOf`
 */
export function checkQuorum(
  signed: { readonly digest: SignableDigest; readonly signature: Signature },
  snapshot: VerifiedSnapshot,
  absence: Absence,
  backend: Pick<BlsBackend, 'subtractKeys' | 'verify'>,
): bigint {
  const { key, signedWeight } = signersOf(snapshot, absence, backend);
  if (backend.verify(key, signed.digest, signed.signature)) return signedWeight;
  throw new QuorumError(
    { code: 'SIGNATURE_WRONG', what: 'aggregate signature' },
    `the aggregate is not that of the ${signedWeight} seats it claims`,
  );
}

/** @throws {QuorumError} MEMBER_INDEX */
export function requireMember({ snapshot, members }: Committee, index: number): Member {
  const member = members[index];
  if (member !== undefined) return member;
  throw noMember(index, snapshot.memberCount);
}

/** The absent members, once their bodies are known to lie under the snapshot's root. */
function provenAbsent(
  { memberCount, membersRoot }: VerifiedSnapshot,
  { bodies, siblings }: Extract<Absence, { bodies: unknown }>,
): readonly Member[] {
  if (bodies.length === 0 && siblings.length === 0) return [];
  const leaves = bodies.map((body) => ({ index: claimedIndex(body), hash: leafHash(body) }));
  const last = leaves.at(-1)?.index ?? 0;
  if (last >= memberCount) throw noMember(last, memberCount);
  const root = rootOfMultiproof({ leaves, count: memberCount, siblings });
  if (root !== undefined && equalBytes(root, membersRoot)) return bodies.map(memberOfProven);
  throw new QuorumError(
    { code: 'NON_SIGNER_PROOF' },
    `${bodies.length} absent members do not lead to the root over all ${memberCount}`,
  );
}

function noMember(index: number, memberCount: number): QuorumError {
  return new QuorumError(
    { code: 'MEMBER_INDEX', index, memberCount },
    `there is no member ${index} among ${memberCount}`,
  );
}
