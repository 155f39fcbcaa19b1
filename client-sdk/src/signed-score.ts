import { type LocalSigner, personalDigest, recoverAddress } from '@cairn/chain-access';
import { type Address, fromHex, isHexOf, isRecord, toHex, utf8Bytes } from '@cairn/primitives';
import type { AvailabilityScore, SignedScore } from './availability.ts';

/**
 * What is signed of a score: its JSON with the keys of every object in order of their characters,
 * without spaces. It begins with the kind, and names chain, contract and root, so that it means
 * nothing elsewhere.
 */
export function scoreMessage(score: AvailabilityScore): string {
  return `${score.kind}\n${canonicalJson(score)}`;
}

/** Vouches for a score. */
export function signScore(
  score: AvailabilityScore,
  signer: Pick<LocalSigner, 'address' | 'signDigest'>,
): SignedScore {
  const signature = toHex(signer.signDigest(personalDigest(utf8Bytes(scoreMessage(score)))));
  return { score, signer: signer.address, signature };
}

/** Who signed a score; `undefined` unless it is the account that it names. */
export function signerOfScore({ score, signer, signature }: SignedScore): Address | undefined {
  if (!isHexOf(signature, 65)) return undefined;
  const digest = personalDigest(utf8Bytes(scoreMessage(score)));
  const found = recoverAddress(digest, fromHex(signature));
  return found === signer ? found : undefined;
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}
