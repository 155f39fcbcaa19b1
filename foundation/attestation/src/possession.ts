import type { BlsBackend, Signature, SigningKey } from './bls-backend.ts';
import { type PossessionClaim, possessionDigest } from './digests.ts';
import { QuorumError } from './errors.ts';

/** A key's proof that whoever registers it holds its secret; bound to chain, registry and owner. */
export function provePossession(
  key: SigningKey,
  claim: Omit<PossessionClaim, 'publicKey'>,
): Signature {
  return key.sign(possessionDigest({ ...claim, publicKey: key.publicKey }));
}

/**
 * Without it, a key chosen as another's less one's own would let one signer sign for both.
 *
 * @throws {QuorumError} SIGNATURE_WRONG
 */
export function verifyPossession(
  proof: Signature,
  claim: PossessionClaim,
  backend: Pick<BlsBackend, 'verify'>,
): void {
  if (backend.verify(claim.publicKey, possessionDigest(claim), proof)) return;
  throw new QuorumError(
    { code: 'SIGNATURE_WRONG', what: 'proof of possession' },
    `this proof does not show that ${claim.owner} holds the key`,
  );
}
