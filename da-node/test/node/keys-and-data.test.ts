import { equal, rejects } from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blstBackend } from '@cairn/attestation/native';
import { createKeystore } from '@cairn/chain-access';
import { chainIdOf, isFault, parseAddress, seededRng, toHex } from '@cairn/primitives';
import type { DaNodeConfig } from '../../src/config.ts';
import { openData } from '../../src/open-data.ts';
import { readAccount, readBlsKey } from '../../src/read-keys.ts';

const address = (digits: string) => parseAddress(`0x${digits.repeat(20)}`);
const { signal } = new AbortController();

describe('keys and data of a node', () => {
  let directory: string;
  const rng = seededRng(7);
  const backend = blstBackend();
  const secret = backend.secretFromMaterial(rng.fill(new Uint8Array(32)));
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-da-'));
  });
  after(() => rm(directory, { recursive: true }));
  const write = async (name: string, text: string, mode = 0o600): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  };
  const keys = (files: Partial<DaNodeConfig['keys']>): DaNodeConfig['keys'] => ({
    accountFile: join(directory, 'none'),
    accountPasswordFile: undefined,
    blsFile: undefined,
    blsPasswordFile: undefined,
    ...files,
  });
  const refused = (work: Promise<unknown>, code: string): Promise<void> =>
    rejects(work, (error) => {
      equal(String(error).includes(toHex(secret).slice(2)), false, 'faults tell nothing of keys');
      return isFault(error, code);
    });

  it('reads an account from raw hex or a keystore, and from nothing that others may read', async () => {
    const key = rng.fill(new Uint8Array(32));
    const accountFile = await write('account.hex', `${toHex(key)}\n`);
    const account = await readAccount(keys({ accountFile }), { signal });
    const store = await createKeystore(key, 'secret', { signal, scryptN: 2, rng });
    const sealed = keys({
      accountFile: await write('account.json', store),
      accountPasswordFile: await write('password', 'secret\n'),
    });
    equal((await readAccount(sealed, { signal })).address, account.address);
    const noPassword = { ...sealed, accountPasswordFile: undefined };
    await refused(readAccount(noPassword, { signal }), 'NODE_KEY');
    const open = keys({ accountFile: await write('open.hex', toHex(key), 0o644) });
    await refused(readAccount(open, { signal }), 'KEY_FILE_PERMISSIONS');
    await refused(readAccount(keys({}), { signal }), 'KEY_FILE_MISSING');
  });

  it('reads a BLS key with and without 0x, and refuses what is none', async () => {
    const { publicKey } = backend.openKey(secret);
    for (const text of [toHex(secret), toHex(secret).slice(2)]) {
      const blsFile = await write('bls.hex', text);
      const read = await readBlsKey(keys({ blsFile }), backend);
      equal(toHex(read.publicKey), toHex(publicKey));
    }
    for (const text of ['', toHex(secret).slice(0, -2), 'ff'.repeat(32), '{"version":4}']) {
      const blsFile = await write('wrong.hex', text);
      await refused(readBlsKey(keys({ blsFile }), backend), 'NODE_KEY');
    }
    await refused(readBlsKey(keys({}), backend), 'NODE_CONFIG');
  });

  it('keeps a data directory for one process, account and entrance', async () => {
    const own = {
      directory: join(directory, 'data'),
      chainId: chainIdOf(31_337),
      account: address('aa'),
      entrance: address('ee'),
    };
    const open = async (options: typeof own): Promise<() => Promise<void>> => {
      const closers: (() => Promise<void>)[] = [];
      const close = async (): Promise<void> => {
        for (const closer of closers.splice(0).reverse()) await closer();
      };
      try {
        await openData(options, (_, closer) => closers.push(closer));
      } catch (error) {
        await close();
        throw error;
      }
      return close;
    };
    const close = await open(own);
    await refused(open(own), 'DIRECTORY_LOCKED');
    await close();
    await refused(open({ ...own, account: address('ab') }), 'NODE_IDENTITY');
    await refused(open({ ...own, entrance: address('ef') }), 'NODE_IDENTITY');
    await refused(open({ ...own, chainId: chainIdOf(1) }), 'WRONG_CHAIN');
    await (await open(own))();
  });
});
