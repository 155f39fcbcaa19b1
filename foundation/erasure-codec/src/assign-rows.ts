import type { RowSuite } from '@cairn/commitments/rows';
import { CodecError } from './errors.ts';
import { QUORUM_CLASSES } from './params.ts';
import type { MatrixShape } from './row-codec.ts';

/** A member of a quorum's snapshot, in the snapshot's order. */
export interface SeatedMember<Id> {
  readonly id: Id;
  /** 1 … 2^32 − 1. */
  readonly seats: number;
}

/** The rows of one member: `count` of them round the circle of all rows, from `start`. */
export interface RowArc<Id> {
  readonly id: Id;
  readonly start: number;
  /** At least 1. */
  readonly count: number;
}

/** What places a blob's rows. */
export interface Placement {
  readonly suite: Pick<RowSuite, 'digest'>;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  /** The epoch's, 32 bytes. */
  readonly seed: Uint8Array;
}

const MAX_SEATS = 2 ** 32 - 1;

/**
 * Which member holds which rows: of n rows, N members and W seats a member with s seats holds
 * ⌈(n − N) · s / W⌉, one arc after another in the order of members, from an offset that commitment
 * and seed decide. Arcs are disjoint: rounding up costs less than a row a member, so that all
 * together stay within n.
 *
 * Any members with at least K / (n − N) of the seats hold at least K different rows.
 *
 * @throws {CodecError} QUORUM_TOO_LARGE for no members, more than 512 or more than K / 2; SEATS
 */
export function assignRows<Id>(
  members: readonly SeatedMember<Id>[],
  { dataRows, rows }: Pick<MatrixShape, 'dataRows' | 'rows'>,
  { suite, commitment, seed }: Placement,
): readonly RowArc<Id>[] {
  assertMembers(members, dataRows);
  const seats = members.reduce((sum, member) => sum + BigInt(member.seats), 0n);
  const shared = BigInt(rows - members.length);
  // As contracts read a hash: highest byte first.
  const offset = suite
    .digest('placement', [commitment, seed])
    .reduce((rest, byte) => (rest * 256 + byte) % rows, 0);
  let taken = 0;
  return members.map((member) => {
    const count = Number((shared * BigInt(member.seats) + seats - 1n) / seats);
    const start = (offset + taken) % rows;
    taken += count;
    return { id: member.id, start, count };
  });
}

/** The rows of an arc in its order, which is that of a slice. */
export function arcRows(
  { start, count }: Pick<RowArc<unknown>, 'start' | 'count'>,
  { rows }: Pick<MatrixShape, 'rows'>,
): number[] {
  return Array.from({ length: count }, (_, step) => (start + step) % rows);
}

/**
 * The least log2 K of a network whose quorums have up to `maxMembers`: its `minLog2K`.
 *
 * @throws {CodecError} QUORUM_TOO_LARGE beyond 512
 */
export function minLog2KFor(maxMembers: number): number {
  const found = QUORUM_CLASSES.find((quorum) => maxMembers <= quorum.maxMembers);
  if (found === undefined || !Number.isInteger(maxMembers) || maxMembers < 1) {
    return refuseMembers(maxMembers, largestQuorum());
  }
  return found.minLog2K;
}

function assertMembers(members: readonly SeatedMember<unknown>[], dataRows: number): void {
  const maxMembers = Math.min(largestQuorum(), dataRows / 2);
  if (members.length < 1 || members.length > maxMembers) refuseMembers(members.length, maxMembers);
  for (const [member, { seats }] of members.entries()) {
    if (!Number.isInteger(seats) || seats < 1 || seats > MAX_SEATS) {
      throw new CodecError(
        { code: 'SEATS', member, seats },
        `member ${member} has 1 to ${MAX_SEATS} seats, not ${seats}`,
      );
    }
  }
}

function largestQuorum(): number {
  return Math.max(...QUORUM_CLASSES.map(({ maxMembers }) => maxMembers));
}

function refuseMembers(members: number, maxMembers: number): never {
  throw new CodecError(
    { code: 'QUORUM_TOO_LARGE', members, maxMembers },
    `rows are assigned to 1 to ${maxMembers} members, not ${members}`,
  );
}
