import { generateKeyPairFromSeed, publicKeyFromMultihash } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id';

/** Bytes of an Ed25519 signature. */
const SIGNATURE_BYTES = 64;

/** The peer id of a key's seed, 32 bytes. */
export async function peerIdOfSeed(seed: Uint8Array): Promise<string> {
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed)).toString();
}

/** Signs with the key of a seed of 32 bytes: 64 bytes, Ed25519 over the message as it is. */
export async function signerOf(
  seed: Uint8Array,
): Promise<(bytes: Uint8Array) => Promise<Uint8Array>> {
  const key = await generateKeyPairFromSeed('Ed25519', seed);
  return async (bytes) => key.sign(bytes);
}

/** Whether a peer signed `bytes`. Ids of Ed25519 keys hold the key; false for any other id. */
export async function isSignedBy(
  peer: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  if (signature.length !== SIGNATURE_BYTES) return false;
  try {
    const id = peerIdFromString(peer);
    if (id.type !== 'Ed25519') return false;
    return await publicKeyFromMultihash(id.toMultihash()).verify(bytes, signature);
  } catch (error) {
    // A text that is no peer id, or a point that is no key: signed by nobody.
    return error instanceof Error ? false : Promise.reject(error);
  }
}
