import { type BlsBackend, SECRET_BYTES, type SigningKey } from '@cairn/attestation';
import { type LocalSigner, signerFromKey, signerFromKeystore } from '@cairn/chain-access';
import { readSecretFile } from '@cairn/node-runtime/files';
import { fromHex, isFault, isHexOf } from '@cairn/primitives';
import type { DaNodeConfig } from './config.ts';
import { DaNodeError } from './node-errors.ts';
import { openBlsKeystore } from './signer/bls-keystore.ts';

/**
 * The account that a process acts for, from a file that only its owner may read.
 *
 * @throws {StorageError} KEY_FILE_MISSING, KEY_FILE_PERMISSIONS; {DaNodeError} NODE_KEY for a file that
 *   is no key; {KeyError} for a keystore that the password does not open
 */
export async function readAccount(
  { accountFile, accountPasswordFile }: DaNodeConfig['keys'],
  { signal }: { readonly signal: AbortSignal },
): Promise<LocalSigner> {
  const text = await readSecretFile(accountFile);
  if (accountPasswordFile !== undefined) {
    const password = await readSecretFile(accountPasswordFile);
    return signerFromKeystore(text, password, { signal });
  }
  try {
    return signerFromKey(text);
  } catch (error) {
    if (!isFault(error, 'KEY_INVALID')) throw error;
    throw notAKey(accountFile, 'a private key of 64 hex digits; a keystore needs account_password');
  }
}

/**
 * The key that a signer signs with: 32 bytes in hex, with or without 0x, or an EIP-2335 keystore.
 *
 * @throws {StorageError} KEY_FILE_MISSING, KEY_FILE_PERMISSIONS; {DaNodeError} NODE_KEY, NODE_CONFIG
 *   where none is configured; {SignerError} KEYSTORE_FORM, KEYSTORE_PASSWORD
 */
export async function readBlsKey(
  { blsFile, blsPasswordFile }: DaNodeConfig['keys'],
  backend: Pick<BlsBackend, 'openKey' | 'compressKey'>,
): Promise<SigningKey> {
  if (blsFile === undefined) {
    throw new DaNodeError(
      { code: 'NODE_CONFIG', field: 'keys.bls' },
      'keys.bls must be set for the signer role',
    );
  }
  const text = await readSecretFile(blsFile);
  if (blsPasswordFile !== undefined) {
    return openBlsKeystore(text, await readSecretFile(blsPasswordFile), backend);
  }
  const hex = text.startsWith('0x') ? text : `0x${text}`;
  if (!isHexOf(hex, SECRET_BYTES)) {
    throw notAKey(blsFile, 'a BLS key of 64 hex digits; a keystore needs bls_password');
  }
  try {
    return backend.openKey(fromHex(hex));
  } catch (error) {
    if (!isFault(error, 'BLS_NOT_A_SECRET')) throw error;
    throw notAKey(blsFile, 'a BLS key below the order of the group');
  }
}

function notAKey(file: string, expected: string): DaNodeError {
  return new DaNodeError({ code: 'NODE_KEY', file, expected }, `${file} does not hold ${expected}`);
}
