import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import { addressOf, parsePrivateKey, randomKey } from '@cairn/chain-access';
import { readFileIfPresent, readSecretFile, writeSecretFile } from '@cairn/node-runtime/files';
import { type Address, type Rng, toHex } from '@cairn/primitives';
import { DevnetError } from './errors.ts';
import { DISPERSER } from './topology.ts';

/** The key files of a node of data availability. */
export interface KeyFiles {
  readonly account: Address;
  readonly accountFile: string;
  /** A signer's key for what it signs. */
  readonly blsFile?: string;
}

/** Keys of a devnet's nodes of data availability. */
export interface DaKeys {
  readonly disperser: KeyFiles;
  /** In the order of the names. */
  readonly signers: readonly KeyFiles[];
}

const ACCOUNT_SUFFIX = '-account.hex';

/**
 * The keys of earlier runs that lie in a directory, and new ones where there are none.
 *
 * @param signers - their names
 * @throws {DevnetError} TOPOLOGY_INVALID where signers of an earlier run would be left out: the
 *   others alone might never be a quorum; what the disk throws
 */
export async function openDaKeys(
  directory: string,
  signers: readonly string[],
  rng: Rng,
): Promise<DaKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const held = (await readdir(directory)).filter((name) => name.endsWith(ACCOUNT_SUFFIX));
  const known = new Set([DISPERSER, ...signers]);
  const left = held.map((name) => name.slice(0, -ACCOUNT_SUFFIX.length));
  const missing = left.filter((name) => !known.has(name));
  if (missing.length > 0) {
    const text = `${signers.length}`;
    throw new DevnetError(
      { code: 'TOPOLOGY_INVALID', field: 'da.signers', text },
      `the devnet kept ${left.length - 1} signers and cannot go on with ${text}`,
    );
  }
  const disperser = await openAccount(directory, DISPERSER, rng);
  const keys: KeyFiles[] = [];
  for (const name of signers) {
    const blsFile = join(directory, `${name}-bls.hex`);
    if ((await readFileIfPresent(blsFile)) === undefined) {
      const secret = blstBackend().secretFromMaterial(rng.fill(new Uint8Array(32)));
      await writeSecretFile(blsFile, toHex(secret));
    }
    keys.push({ ...(await openAccount(directory, name, rng)), blsFile });
  }
  return { disperser, signers: keys };
}

/** The account of a name whose key lies in a directory; a new one where there is none. */
export async function openAccount(directory: string, name: string, rng: Rng): Promise<KeyFiles> {
  const accountFile = join(directory, `${name}${ACCOUNT_SUFFIX}`);
  if ((await readFileIfPresent(accountFile)) === undefined) {
    await writeSecretFile(accountFile, toHex(randomKey(rng)));
  }
  const account = addressOf(parsePrivateKey(await readSecretFile(accountFile)));
  return { account, accountFile };
}
