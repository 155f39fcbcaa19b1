import { type LocalSigner, signerFromKey, signerFromKeystore } from '@cairn/chain-access';
import { readSecretFile } from '@cairn/node-runtime/files';
import { isFault } from '@cairn/primitives';

/** Where the key of an account lies. */
export interface AccountFiles {
  /** Raw hex or a Web3 keystore. */
  readonly accountFile: string;
  /** Of a keystore. */
  readonly accountPasswordFile: string | undefined;
}

/**
 * An account that acts on a chain, from a file that only its owner may read.
 *
 * @param noKey - the fault for a file that holds no key
 * @throws {StorageError} KEY_FILE_MISSING, KEY_FILE_PERMISSIONS; {KeyError}; what `noKey` makes
 */
export async function readAccount(
  { accountFile, accountPasswordFile }: AccountFiles,
  noKey: (file: string) => Error,
  signal: AbortSignal,
): Promise<LocalSigner> {
  const text = await readSecretFile(accountFile);
  if (accountPasswordFile !== undefined) {
    return signerFromKeystore(text, await readSecretFile(accountPasswordFile), { signal });
  }
  try {
    return signerFromKey(text);
  } catch (error) {
    if (isFault(error, 'KEY_INVALID')) throw noKey(accountFile);
    throw error;
  }
}
