import { type Address, type ChainId, keccak256, utf8Bytes } from '@cairn/primitives';
import { abiWords } from './abi-words.ts';
import type { PublicKey } from './bls-backend.ts';
import type { Statement } from './statement.ts';

declare const signable: unique symbol;

/** 32 bytes that a signing key takes. Only the functions here make one. */
export type SignableDigest = Uint8Array & {
  readonly [signable]: 'possession' | 'ticket' | 'statement';
};

/** What tells one network's signatures from another's. */
export interface Network {
  /** Chain of the hub. */
  readonly hubChainId: ChainId;
  /** Its sortition contract: the network's identity. */
  readonly hub: Address;
}

/** A key and who claims it. */
export interface PossessionClaim {
  readonly hubChainId: ChainId;
  /** The contract where the key is registered. */
  readonly registry: Address;
  /** The stake's account: a copied proof is worth nothing to another. */
  readonly owner: Address;
  readonly publicKey: PublicKey;
}

/** A ticket's round. */
export interface TicketRound {
  /** The epoch whose seats are drawn. */
  readonly epoch: number;
  /** Its seed, 32 bytes. */
  readonly seed: Uint8Array;
}

/** What the owner of a key signs to register it. */
export function possessionDigest(claim: PossessionClaim): SignableDigest {
  const { hubChainId, registry, owner, publicKey } = claim;
  return digestOf(abiWords(tagOf('pop'), hubChainId, registry, owner, publicKey));
}

/** What a signer signs to draw its seats of an epoch. @throws {RangeError} unless the seed is 32 bytes */
export function ticketDigest(network: Network, { epoch, seed }: TicketRound): SignableDigest {
  const words = [tagOf('ticket'), network.hubChainId, network.hub, epoch, seed];
  return digestOf(abiWords(...words));
}

/**
 * What members of a quorum sign, and the identity of a certificate: hub, kind, domain, epoch, quorum,
 * count and root, so that no signature counts for any other of them.
 */
export function statementDigest(network: Network, statement: Statement): SignableDigest {
  const { kind, domain, epoch, quorumId, count, root } = statement;
  const place = [tagOf('statement'), network.hubChainId, network.hub, kind];
  const about = [domain.chainId, domain.address, epoch, quorumId, count, root];
  return digestOf(abiWords(...place, ...about));
}

/**
 * The hash of a tag's name, the first word of everything that is signed or drawn here.
 *
 * @param name - what follows `cairn/1/`
 */
export function tagOf(
  name: 'pop' | 'ticket' | 'statement' | 'beta' | 'seed' | 'contrib',
): Uint8Array {
  return keccak256(utf8Bytes(`cairn/1/${name}`));
}

function digestOf(words: Uint8Array): SignableDigest {
  return keccak256(words) as SignableDigest;
}
