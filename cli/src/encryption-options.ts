import { resolve } from 'node:path';
import type { Decryption, Encryption } from '@cairn/client-sdk';
import { isHexOf } from '@cairn/primitives';
import { usageError } from './errors.ts';
import type { CommandContext } from './io.ts';
import { findKey, type KeyOptions, readSharedKey, requireKey } from './keys.ts';

/** How a command is told to encrypt. */
export interface EncryptOptions extends KeyOptions {
  readonly encrypt?: 'v1' | 'v2' | 'v3';
  /** A file with 32 bytes as hex. */
  readonly encryptionKey?: string;
  /** A public key, or `self` for the payer's own. */
  readonly recipient?: string;
}

/** How a command is told to decrypt. */
export interface DecryptOptions extends KeyOptions {
  /** `true`: with the key of `--key-file`; a text: with the key in that file. */
  readonly decrypt?: true | string;
}

/**
 * The encryption that was asked for; `undefined` if none was.
 *
 * @throws {CliError} CLI_USAGE for options that do not go together; what reading keys throws
 */
export async function chooseEncryption(
  options: EncryptOptions,
  networkKeys: readonly string[],
  context: CommandContext,
): Promise<Encryption | undefined> {
  const { encrypt, encryptionKey, recipient } = options;
  if (encrypt === undefined) {
    if (encryptionKey === undefined && recipient === undefined) return undefined;
    throw usageError('encrypt', 'say how to encrypt with --encrypt v1, v2 or v3');
  }
  if (encryptionKey !== undefined && recipient !== undefined) {
    throw usageError('encrypt', 'give --encryption-key or --recipient, not both');
  }
  if (encrypt !== 'v1' && recipient !== undefined) {
    const to = await recipientKey(recipient, options, networkKeys, context);
    return { kind: encrypt === 'v2' ? 'zg-ecies' : 'sealed-to', recipient: to };
  }
  if (encrypt !== 'v2' && encryptionKey !== undefined) {
    const key = await readSharedKey(resolve(context.io.cwd, encryptionKey));
    return { kind: encrypt === 'v1' ? 'zg-ctr' : 'sealed', key };
  }
  const needs = {
    v1: '--encryption-key FILE',
    v2: '--recipient PUBLIC-KEY (or self)',
    v3: '--encryption-key FILE or --recipient PUBLIC-KEY (or self)',
  };
  throw usageError('encrypt', `--encrypt ${encrypt} needs ${needs[encrypt]}`);
}

/** What a reader decrypts with; `undefined` unless that was asked for. @throws as reading keys does */
export async function chooseDecryption(
  options: DecryptOptions,
  networkKeys: readonly string[],
  context: CommandContext,
): Promise<Decryption | undefined> {
  const { decrypt } = options;
  if (decrypt === undefined) return undefined;
  const key =
    decrypt === true
      ? await requireKey('decrypt', options, networkKeys, context)
      : await findKey({ ...options, keyFile: decrypt }, [], context);
  // The file's header says which of the two it asks for.
  return key === undefined ? undefined : { key, privateKey: key };
}

async function recipientKey(
  recipient: string,
  options: KeyOptions,
  networkKeys: readonly string[],
  context: CommandContext,
): Promise<Uint8Array | `0x${string}`> {
  if (recipient === 'self') {
    const { publicKeyOf } = await import('@cairn/chain-access');
    return publicKeyOf(await requireKey('encrypt to', options, networkKeys, context));
  }
  const hex = recipient.startsWith('0x') ? recipient : `0x${recipient}`;
  if (isHexOf(hex, 33) || isHexOf(hex, 65)) return hex;
  throw usageError(
    'recipient',
    'a public key is 33 bytes (66 hex digits) or 65 bytes of secp256k1; `cairn key new` prints one',
  );
}
