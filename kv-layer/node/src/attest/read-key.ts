import { type LocalSigner, signerFromKey, signerFromKeystore } from '@cairn/chain-access';
import { readSecretFile } from '@cairn/node-runtime/files';
import { isFault } from '@cairn/primitives';
import type { KvNodeConfig } from '../config.ts';
import { KvNodeError } from '../errors.ts';

/**
 * The key that vouches for state roots, from files that only their owner may read.
 *
 * @returns `undefined` where none is configured
 * @throws {KvNodeError} KV_CONFIG for a file that holds no key; {StorageError} KEY_FILE_MISSING,
 * KEY_FILE_PERMISSIONS; {KeyError} for a keystore or password that is wrong
 */
export async function readAttestKey(
  { keyFile, passwordFile }: KvNodeConfig['attest'],
  signal: AbortSignal,
): Promise<LocalSigner | undefined> {
  if (keyFile === undefined) return undefined;
  const text = await readSecretFile(keyFile);
  if (passwordFile !== undefined) {
    return signerFromKeystore(text, await readSecretFile(passwordFile), { signal });
  }
  try {
    return signerFromKey(text);
  } catch (error) {
    if (!isFault(error, 'KEY_INVALID')) throw error;
    throw new KvNodeError(
      { code: 'KV_CONFIG', field: 'attest.key' },
      `${keyFile} holds no key as hex; for a keystore say attest.key_password`,
    );
  }
}
