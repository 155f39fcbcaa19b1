import { readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { addressOf, parsePrivateKey } from '@cairn/chain-access';
import { devnetPaths } from '@cairn/devnet/control';
import { readSecretFile } from '@cairn/node-runtime/files';
import { describeError, isHexOf, isRecord, parseJson } from '@cairn/primitives';
import type { CommandContext } from '../io.ts';
import { devnetDirectory } from '../network-options.ts';
import { formatTable } from '../table.ts';

/** What `cairn key list` takes. */
export interface KeyListOptions {
  readonly dir?: string;
  readonly json?: boolean;
}

interface ListedKey {
  readonly path: string;
  readonly kind: 'raw' | 'keystore';
  readonly address: string;
}

/** Lists the keys of a directory with their accounts. Passwords are not needed. */
export async function keyList(
  typed: string | undefined,
  options: KeyListOptions,
  { io }: CommandContext,
): Promise<number> {
  const directory =
    typed === undefined ? devnetPaths(devnetDirectory(options, io)).keys : resolve(io.cwd, typed);
  const keys: ListedKey[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    try {
      const key = describeKey(path, await readSecretFile(path));
      if (key !== undefined) keys.push(key);
    } catch (error) {
      io.writeErr(`${path} is left out: ${describeError(error)}\n`);
    }
  }
  if (options.json === true) await io.writeOut(`${JSON.stringify({ directory, keys })}\n`);
  else {
    const rows = keys.map(({ path, kind, address }) => [address, kind, relative(io.cwd, path)]);
    await io.writeOut(`${formatTable(['ACCOUNT', 'KIND', 'FILE'], rows)}\n`);
  }
  return 0;
}

/** What a file holds, as far as it can be told without a password; `undefined` if it is no key. */
function describeKey(path: string, text: string): ListedKey | undefined {
  if (text.startsWith('{')) {
    const file = parseJson(text);
    if (!isRecord(file) || file['version'] !== 3) return undefined;
    const address = String(file['address'] ?? '').toLowerCase();
    const shown = address === '' ? 'not told' : address.startsWith('0x') ? address : `0x${address}`;
    return { path, kind: 'keystore', address: shown };
  }
  if (!isHexOf(text.startsWith('0x') ? text : `0x${text}`, 32)) return undefined;
  return { path, kind: 'raw', address: addressOf(parsePrivateKey(text)) };
}
