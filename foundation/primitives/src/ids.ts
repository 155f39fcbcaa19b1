import { fromHex, type Hex, isHexOf, toHex } from './bytes.ts';
import { Fault } from './fault.ts';

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A file's root: 32 bytes as lower-case hex. The name of its content, not of its length. */
export type Root = Branded<Hex, 'Root'>;
/** An account or contract: 20 bytes as lower-case hex, without checksum capitals. */
export type Address = Branded<Hex, 'Address'>;
/** EVM chain id, 1 … 2^53 − 1. Every stored or exchanged shape names its chain. */
export type ChainId = Branded<number, 'ChainId'>;
/** A log entry's number, from 0, dense, per chain (0G: txSeq). */
export type Sequence = Branded<number, 'Sequence'>;

export type IdFault =
  | { readonly code: 'ID_NOT_A_ROOT'; readonly text: string }
  | { readonly code: 'ID_NOT_AN_ADDRESS'; readonly text: string }
  | { readonly code: 'ID_NOT_A_CHAIN_ID'; readonly value: number }
  | { readonly code: 'ID_NOT_A_SEQUENCE'; readonly value: number };

/** An identifier that is not one. */
export class IdError extends Fault<IdFault> {}

/** Shortens outside text for a message, so that a megabyte of it never reaches a log. */
function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** @throws {IdError} ID_NOT_A_ROOT unless `text` is `0x` and 64 hex digits, either case */
export function parseRoot(text: string): Root {
  if (!isHexOf(text, 32)) {
    throw new IdError(
      { code: 'ID_NOT_A_ROOT', text: shorten(String(text)) },
      `a root is 0x and 64 hex digits, not "${shorten(String(text))}"`,
    );
  }
  return text.toLowerCase() as Root;
}

/** The root of 32 bytes. @throws {IdError} ID_NOT_A_ROOT for another length */
export function rootOf(bytes: Uint8Array): Root {
  const text = toHex(bytes);
  return bytes.length === 32 ? (text as Root) : parseRoot(text);
}

/** The 32 bytes of a root. */
export function rootBytes(root: Root): Uint8Array {
  return fromHex(root);
}

/** @throws {IdError} ID_NOT_AN_ADDRESS unless `text` is `0x` and 40 hex digits, either case */
export function parseAddress(text: string): Address {
  if (!isHexOf(text, 20)) {
    throw new IdError(
      { code: 'ID_NOT_AN_ADDRESS', text: shorten(String(text)) },
      `an address is 0x and 40 hex digits, not "${shorten(String(text))}"`,
    );
  }
  return text.toLowerCase() as Address;
}

/** The address of 20 bytes. @throws {IdError} ID_NOT_AN_ADDRESS for another length */
export function addressOf(bytes: Uint8Array): Address {
  const text = toHex(bytes);
  return bytes.length === 20 ? (text as Address) : parseAddress(text);
}

/** @throws {IdError} ID_NOT_A_CHAIN_ID unless `value` is an integer 1 … 2^53 − 1 */
export function chainIdOf(value: number): ChainId {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new IdError(
      { code: 'ID_NOT_A_CHAIN_ID', value },
      `a chain id is an integer from 1, not ${value}`,
    );
  }
  return value as ChainId;
}

/** @throws {IdError} ID_NOT_A_SEQUENCE unless `value` is an integer 0 … 2^53 − 1 */
export function sequenceOf(value: number): Sequence {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new IdError(
      { code: 'ID_NOT_A_SEQUENCE', value },
      `a sequence is an integer from 0, not ${value}`,
    );
  }
  return value as Sequence;
}
