import { resolve } from 'node:path';
import { readSecretFile } from '@cairn/node-runtime/files';
import { fromHex, isHexOf } from '@cairn/primitives';
import { CliError } from './errors.ts';
import type { CommandContext } from './io.ts';

/** How a command is told which key to use. Keys themselves are never options: `ps` shows those. */
export interface KeyOptions {
  readonly keyFile?: string;
  readonly passwordFile?: string;
}

/**
 * The private key of `--key-file`, else of CAIRN_KEY_FILE, else the first the network brings.
 *
 * @param purpose - what it is for, such as `pay for storage`
 * @returns 32 bytes; `undefined` if nothing names a key
 * @throws {CliError} CLI_KEY_INVALID, CLI_PASSWORD_MISSING; {StorageError} KEY_FILE_*; {KeyError}
 */
export async function findKey(
  options: KeyOptions,
  networkKeys: readonly string[],
  context: CommandContext,
): Promise<Uint8Array | undefined> {
  const { io } = context;
  const named = options.keyFile ?? io.env['CAIRN_KEY_FILE'];
  const path = named === undefined ? networkKeys[0] : resolve(io.cwd, named);
  return path === undefined ? undefined : readKeyFile(path, options, context);
}

/** As `findKey`. @throws {CliError} CLI_NO_KEY too */
export async function requireKey(
  purpose: string,
  options: KeyOptions,
  networkKeys: readonly string[],
  context: CommandContext,
): Promise<Uint8Array> {
  const key = await findKey(options, networkKeys, context);
  if (key !== undefined) return key;
  throw new CliError({ code: 'CLI_NO_KEY', purpose }, `no key to ${purpose}`);
}

/**
 * The 32 bytes of a key file: hex, or a Web3 v3 keystore whose password comes from
 * `--password-file`, CAIRN_PASSWORD_FILE or the terminal.
 */
export async function readKeyFile(
  path: string,
  options: Pick<KeyOptions, 'passwordFile'>,
  context: CommandContext,
): Promise<Uint8Array> {
  const text = await readSecretFile(path);
  if (text.startsWith('{')) {
    const password = await readPassword(path, options, context);
    const { openKeystore } = await import('@cairn/chain-access');
    return openKeystore(text, password, { signal: context.signal });
  }
  return parseHexKey(text, path);
}

/** 32 bytes known to writer and readers, from a file that only its owner can read. */
export async function readSharedKey(path: string): Promise<Uint8Array> {
  return parseHexKey(await readSecretFile(path), path);
}

/**
 * The password of `--password-file`, else of CAIRN_PASSWORD_FILE, else what a person types.
 *
 * @throws {CliError} CLI_PASSWORD_MISSING if nothing is typed or nobody can be asked;
 *   CLI_INTERRUPTED
 */
export async function readPassword(
  forWhat: string,
  options: Pick<KeyOptions, 'passwordFile'>,
  { io }: CommandContext,
): Promise<string> {
  const path = options.passwordFile ?? io.env['CAIRN_PASSWORD_FILE'];
  if (path !== undefined) return readSecretFile(resolve(io.cwd, path));
  const typed = await io.askSecret(`Password of ${forWhat}: `);
  if (typed !== undefined && typed !== '') return typed;
  throw new CliError(
    { code: 'CLI_PASSWORD_MISSING', path: forWhat },
    typed === undefined
      ? `${forWhat} needs a password and there is no terminal to ask for it`
      : `${forWhat} needs a password and none was typed`,
  );
}

function parseHexKey(text: string, path: string): Uint8Array {
  const hex = text.startsWith('0x') ? text : `0x${text}`;
  if (isHexOf(hex, 32)) return fromHex(hex);
  throw new CliError(
    { code: 'CLI_KEY_INVALID', path, expected: '64 hex digits or a keystore' },
    `${path} holds neither 64 hex digits nor a keystore`,
  );
}
