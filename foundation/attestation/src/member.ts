import type { Address } from '@cairn/primitives';
import { KEY_BYTES, type PublicKey } from './bls-backend.ts';
import { BodyReader } from './body-reader.ts';
import { packed } from './body-writer.ts';

/** Bytes of an encoded member. */
export const MEMBER_BYTES = 124;

/** A member of a group, in the order in which tickets were taken. */
export interface Member {
  /** Place in the group, from 0: its leaf. */
  readonly index: number;
  readonly signer: Address;
  /** 1 … 2^32 − 1. */
  readonly seats: number;
  readonly publicKey: PublicKey;
}

/**
 * A member's 124 bytes, packed, big-endian: index u32, signer 20, seats u32, key 96.
 *
 * @throws {RangeError} if a number does not fit
 */
export function encodeMember({ index, signer, seats, publicKey }: Member): Uint8Array {
  return packed([index, 4], signer, [seats, 4], publicKey);
}

/**
 * The member in a body that was proven to lie under a snapshot's root. Its key is not checked again:
 * the registry takes none that is not a point of the subgroup. Not for bodies that are not proven.
 *
 * @throws {MessageError} MESSAGE_LENGTH, MESSAGE_FIELD for no seats
 */
export function memberOfProven(body: Uint8Array): Member {
  const reader = new BodyReader('member', body);
  const index = reader.number(4, 'index');
  const signer = reader.address();
  const seats = reader.number(4, 'seats');
  if (seats === 0) throw reader.refuse('seats', seats);
  const publicKey = reader.bytes(KEY_BYTES) as PublicKey;
  reader.end();
  return { index, signer, seats, publicKey };
}

/** The place that a body claims. @throws {MessageError} MESSAGE_LENGTH */
export function claimedIndex(body: Uint8Array): number {
  return new BodyReader('member', body).number(4, 'index');
}
