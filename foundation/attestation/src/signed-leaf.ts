import { keccak256 } from '@cairn/primitives';
import type { BlsBackend, PublicKey, Signature } from './bls-backend.ts';
import { type Network, statementDigest } from './digests.ts';
import { QuorumError } from './errors.ts';
import { leafHash, rootOfPath } from './merkle-tree.ts';
import { STATEMENT_KINDS, type Statement } from './statement.ts';

declare const verified: unique symbol;

/** A body that one key signed for, as part of a statement. */
export interface SignedLeaf {
  readonly publicKey: PublicKey;
  /** The root follows from body and path. */
  readonly statement: Omit<Statement, 'root'>;
  readonly body: Uint8Array;
  readonly leafIndex: number;
  /** 32 bytes each, bottom-up. */
  readonly path: readonly Uint8Array[];
  readonly signature: Signature;
}

/** A body that its key did sign for. Only `verifySignedLeaf` makes one. */
export type VerifiedSignedLeaf = SignedLeaf & {
  /** The network that it signed in. */
  readonly network: Network;
  readonly [verified]: 'leaf';
};

/**
 * Proves that a key signed a statement with this body under its root.
 *
 * @throws {QuorumError} SIGNATURE_WRONG; {PathError} PATH_INDEX, PATH_LENGTH
 */
export function verifySignedLeaf(
  signed: SignedLeaf,
  network: Network,
  backend: Pick<BlsBackend, 'verify'>,
): VerifiedSignedLeaf {
  const { publicKey, statement, body, leafIndex, path, signature } = signed;
  const isTree = statement.kind !== STATEMENT_KINDS.handover;
  const leaf = isTree ? leafHash(body) : keccak256(body);
  const root = rootOfPath({ leaf, index: leafIndex, count: statement.count, path });
  if (backend.verify(publicKey, statementDigest(network, { ...statement, root }), signature)) {
    return { ...signed, network } as VerifiedSignedLeaf;
  }
  throw new QuorumError(
    { code: 'SIGNATURE_WRONG', what: 'vote' },
    'the key did not sign a statement with this body',
  );
}
