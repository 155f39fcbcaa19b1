import {
  fromHex,
  isRecord,
  parseJson,
  type Rng,
  systemRng,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { KeyError } from './errors.ts';
import { addressOf, assertPrivateKey } from './private-key.ts';
import { type LocalSigner, signerFromKey } from './signer.ts';

/** Cost of scrypt when a keystore is made: N = 2^17, r = 8, p = 1, the common choice (128 MiB). */
const DEFAULT_SCRYPT_N = 131_072;
/** Memory that opening a keystore may take: a file cannot ask for more than eight times the common cost. */
const MAX_SCRYPT_BYTES: number = 1024 ** 3;
/** Rounds that a PBKDF2 keystore may ask for. */
const MAX_PBKDF2_ROUNDS = 10_000_000;
/** Characters of a keystore file; real ones have about 500. */
const MAX_KEYSTORE_CHARACTERS = 16_384;

/** How a keystore is made. */
export interface KeystoreOptions {
  readonly signal: AbortSignal;
  /** scrypt's N, a power of two; 131,072 unless told. Lower only in tests. */
  readonly scryptN?: number;
  /** The machine's unless told. */
  readonly rng?: Rng;
}

/**
 * A private key as a Web3 Secret Storage (version 3) file, encrypted with `password`.
 *
 * Takes about a second and 128 MiB.
 *
 * @throws {KeyError} KEY_INVALID; the signal's reason
 */
export async function createKeystore(
  privateKey: Uint8Array,
  password: string,
  { signal, scryptN = DEFAULT_SCRYPT_N, rng = systemRng() }: KeystoreOptions,
): Promise<string> {
  assertPrivateKey(privateKey);
  signal.throwIfAborted();
  const { encryptKeystoreJson } = await import('ethers/wallet');
  return encryptKeystoreJson(
    { address: addressOf(privateKey), privateKey: toHex(privateKey) },
    utf8Bytes(password),
    {
      scrypt: { N: scryptN, r: 8, p: 1 },
      salt: rng.fill(new Uint8Array(32)),
      iv: rng.fill(new Uint8Array(16)),
      uuid: toHex(rng.fill(new Uint8Array(16))),
      progressCallback: () => signal.throwIfAborted(),
    },
  );
}

/**
 * The private key in a Web3 Secret Storage (version 3) file.
 *
 * @throws {KeyError} KEYSTORE_INVALID, KEYSTORE_TOO_COSTLY, KEYSTORE_WRONG_PASSWORD; the signal's reason
 */
export async function openKeystore(
  json: string,
  password: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  signal.throwIfAborted();
  checkKeystore(json);
  const { decryptKeystoreJson } = await import('ethers/wallet');
  let privateKey: string;
  try {
    ({ privateKey } = await decryptKeystoreJson(json, utf8Bytes(password), () =>
      signal.throwIfAborted(),
    ));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // No cause: the library's errors quote their arguments, the password among them.
    const reason = error instanceof Error ? error.message : '';
    if (/incorrect password/i.test(reason)) {
      throw new KeyError({ code: 'KEYSTORE_WRONG_PASSWORD' }, 'the keystore has another password');
    }
    throw invalid('its ciphertext or parameters are damaged');
  }
  const key = fromHex(privateKey);
  assertPrivateKey(key);
  return key;
}

/** A signer from a keystore file. @throws as {@link openKeystore} */
export async function signerFromKeystore(
  json: string,
  password: string,
  options: { readonly signal: AbortSignal },
): Promise<LocalSigner> {
  return signerFromKey(await openKeystore(json, password, options));
}

function checkKeystore(json: string): void {
  if (json.length > MAX_KEYSTORE_CHARACTERS) throw invalid(`it has ${json.length} characters`);
  let file: unknown;
  try {
    file = parseJson(json);
  } catch {
    throw invalid('it is not JSON');
  }
  const crypto = fieldOf(file, 'crypto');
  if (crypto === undefined || Number(fieldOf(file, 'version')) !== 3) {
    throw invalid('it is not a version 3 keystore');
  }
  const parameters = fieldOf(crypto, 'kdfparams');
  const number = (name: string): number => Number(fieldOf(parameters, name) ?? 0);
  const kdf = String(fieldOf(crypto, 'kdf')).toLowerCase();
  if (kdf === 'scrypt') bound(128 * number('n') * number('r') * number('p'), MAX_SCRYPT_BYTES);
  else if (kdf === 'pbkdf2') bound(number('c'), MAX_PBKDF2_ROUNDS);
  else throw invalid('its key derivation is neither scrypt nor PBKDF2');
}

function bound(cost: number, maxCost: number): void {
  if (!Number.isFinite(cost) || cost <= 0) throw invalid('its key derivation has no cost');
  if (cost <= maxCost) return;
  throw new KeyError(
    { code: 'KEYSTORE_TOO_COSTLY', cost, maxCost },
    `the keystore's key derivation costs ${cost}, at most ${maxCost} is allowed`,
  );
}

/** Keystores in the wild write field names in either case (`Crypto`). */
function fieldOf(value: unknown, name: string): unknown {
  if (!isRecord(value)) return undefined;
  return Object.entries(value).find(([key]) => key.toLowerCase() === name)?.[1];
}

function invalid(reason: string): KeyError {
  return new KeyError(
    { code: 'KEYSTORE_INVALID', reason },
    `this is no keystore that can be opened: ${reason}`,
  );
}
