import { randomBytes } from 'node:crypto';
import { fromHex, isFault, toHex } from '@cairn/primitives';
import { readSecretFile, writeSecretFile } from '../files/key-file.ts';
import { P2pError } from './errors.ts';
import { provideWithResolvers } from './with-resolvers.ts';

/** Bytes of the seed of a host's Ed25519 key. */
export const P2P_KEY_BYTES = 32;

/** The peer id under which others know the host of a key; loads a part of libp2p. */
export async function peerIdOf(key: Uint8Array): Promise<string> {
  provideWithResolvers();
  const { peerIdOfSeed } = await import('./peer-signatures.ts');
  return peerIdOfSeed(key);
}

/** A key that is nobody's: for hosts that only ask. */
export function randomP2pKey(): Uint8Array {
  return new Uint8Array(randomBytes(P2P_KEY_BYTES));
}

/**
 * The key in a file that only its owner can read, as hex; made there if there is none. Whoever loses
 * it has another peer id from then on.
 *
 * @returns the seed of an Ed25519 key, 32 bytes
 * @throws {P2pError} P2P_KEY for a file that holds anything else; {StorageError}
 *   KEY_FILE_PERMISSIONS, KEY_FILE_TOO_LARGE, DISK_FULL, DISK_IO
 */
export async function openP2pKey(path: string): Promise<Uint8Array> {
  let text: string;
  try {
    text = await readSecretFile(path);
  } catch (error) {
    if (!isFault(error, 'KEY_FILE_MISSING')) throw error;
    const key = randomP2pKey();
    await writeSecretFile(path, toHex(key).slice(2));
    return key;
  }
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) {
    throw new P2pError(
      { code: 'P2P_KEY', path },
      `${path} does not hold a key of ${P2P_KEY_BYTES} bytes as hex`,
    );
  }
  return fromHex(text);
}
