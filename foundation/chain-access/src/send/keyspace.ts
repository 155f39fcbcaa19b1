import {
  type Address,
  bigEndianBytes,
  concatBytes,
  fromHex,
  type Hex,
  keccak256,
  utf8Bytes,
} from '@cairn/primitives';

/**
 * Keys of the sender's journal. A lane is one account on one chain, and a chain is its id and the
 * hash of its first block: a development chain started anew is another chain.
 *
 * | prefix | rest of the key | value | since |
 * |---|---|---|---|
 * | `tx/o/` | lane (8 + 32 + 20 bytes), keccak-256 of the intent | open intent, JSON (`journal.ts`) | 0.1 |
 * | `tx/d/` | the same | intent whose transaction is in a block, JSON; never deleted, since forgetting it would allow paying again | 0.1 |
 */
export const OPEN_PREFIX = 'tx/o/';
export const DONE_PREFIX = 'tx/d/';

/** Bytes that name one account on one chain. */
export function laneOf(chainId: number, genesis: Hex, account: Address): Uint8Array {
  return concatBytes(bigEndianBytes(chainId, 8), fromHex(genesis), fromHex(account));
}

/** The journal key of an intent in a lane. */
export function intentKey(prefix: string, lane: Uint8Array, intent: string): Uint8Array {
  return concatBytes(utf8Bytes(prefix), lane, keccak256(utf8Bytes(intent)));
}

/** The range of all intents of a lane under a prefix. */
export function laneRange(
  prefix: string,
  lane: Uint8Array,
): { readonly gte: Uint8Array; readonly lt: Uint8Array } {
  const start = concatBytes(utf8Bytes(prefix), lane);
  return { gte: start, lt: concatBytes(start, new Uint8Array(33).fill(0xff)) };
}
