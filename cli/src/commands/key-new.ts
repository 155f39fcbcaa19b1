import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { addressOf, createKeystore, publicKeyOf, randomKey } from '@cairn/chain-access';
import { writeSecretFile } from '@cairn/node-runtime/files';
import { systemRng, toHex } from '@cairn/primitives';
import { CliError, usageError } from '../errors.ts';
import type { CommandContext } from '../io.ts';
import { readPassword } from '../keys.ts';
import { writeJson, writeLine } from '../output.ts';

/** What `cairn key new` takes. */
export interface KeyNewOptions {
  readonly passwordFile?: string;
  readonly raw?: boolean;
  readonly json?: boolean;
}

/** Makes a key in a new file that only its owner can read, and prints its account. */
export async function keyNew(
  typed: string,
  options: KeyNewOptions,
  context: CommandContext,
): Promise<number> {
  const { io, signal } = context;
  if (options.raw === true && options.passwordFile !== undefined) {
    throw usageError('raw', 'a raw key has no password: leave out --raw or --password-file');
  }
  const path = resolve(io.cwd, typed);
  const privateKey = randomKey(systemRng());
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (options.raw === true) {
    await writeSecretFile(path, toHex(privateKey));
    io.writeErr('Anyone who can read this file can spend what the account holds.\n');
  } else {
    const password = await newPassword(path, options, context);
    await writeSecretFile(path, await createKeystore(privateKey, password, { signal }));
  }
  const account = {
    address: addressOf(privateKey),
    publicKey: toHex(publicKeyOf(privateKey)),
    path,
  };
  if (options.json === true) await writeJson(io, account);
  else {
    await writeLine(io, account.address);
    io.writeErr(`wrote ${path}; pay with it: --key-file ${typed}\n`);
  }
  return 0;
}

/** The password of a new keystore, asked for twice where a person types it. */
async function newPassword(
  path: string,
  options: KeyNewOptions,
  context: CommandContext,
): Promise<string> {
  const password = await readPassword(path, options, context);
  const isTyped =
    options.passwordFile === undefined && context.io.env['CAIRN_PASSWORD_FILE'] === undefined;
  if (isTyped && (await context.io.askSecret('Once more: ')) !== password) {
    throw new CliError(
      { code: 'CLI_PASSWORD_MISSING', path },
      'the two passwords differ; nothing was written',
    );
  }
  return password;
}
