import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chainIdOf, isFault, utf8Text } from '@cairn/primitives';
import { readFileIfPresent, writeFileAtomic } from '../../src/files/atomic-file.ts';
import { openDataDirectory } from '../../src/files/data-directory.ts';
import { readSecretFile, writeSecretFile } from '../../src/files/key-file.ts';
import { acquireDirectoryLock } from '../../src/files/lock-file.ts';
import { firstOutput, killHard, runChild } from '../child.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const run = promisify(execFile);
const lockModule = new URL('../../src/files/lock-file.ts', import.meta.url).href;
const fault = (code: string) => (error: unknown) => isFault(error, code);

describe('atomic file', () => {
  it('replaces a file whole and leaves nothing else behind', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'cursor.json');
      assert.equal(await readFileIfPresent(path), undefined);
      await writeFileAtomic(path, 'first');
      await writeFileAtomic(path, new Uint8Array([50]), { mode: 0o600 });
      assert.equal(utf8Text((await readFileIfPresent(path)) ?? new Uint8Array()), '2');
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(directory), ['cursor.json']);
    });
  });

  it('leaves the old content when the new cannot be put in place', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'taken');
      await mkdir(path);
      await writeFile(join(path, 'inside'), 'x');
      await assert.rejects(writeFileAtomic(path, 'new'), fault('DISK_IO'));
      assert.deepEqual(await readdir(directory), ['taken']);
    });
  });

  it('replaces nothing where it may not', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'result');
      await writeFileAtomic(path, 'first', { overwrite: false });
      await assert.rejects(writeFileAtomic(path, 'second', { overwrite: false }), (error) => {
        assert.ok(isFault(error, 'DISK_IO'));
        assert.equal(Reflect.get(error.facts, 'errno'), 'EEXIST');
        return true;
      });
      assert.equal(await readFile(path, 'utf8'), 'first');
      assert.deepEqual(await readdir(directory), ['result']);
    });
  });

  it('leaves the old content when it is told to stop', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'result');
      await writeFileAtomic(path, 'old');
      const signal = AbortSignal.abort(new Error('enough'));
      await assert.rejects(writeFileAtomic(path, 'new', { signal }), /enough/);
      assert.equal(await readFile(path, 'utf8'), 'old');
      assert.deepEqual(await readdir(directory), ['result']);
    });
  });
});

describe('directory lock', () => {
  it('belongs to one holder until it is released', async () => {
    await inTemporaryDirectory(async (directory) => {
      const lock = await acquireDirectoryLock(directory);
      await assert.rejects(acquireDirectoryLock(directory), (error) => {
        assert.ok(isFault(error, 'DIRECTORY_LOCKED'));
        assert.equal(Reflect.get(error.facts, 'pid'), process.pid);
        return true;
      });
      await lock.release();
      await lock.release();
      await (await acquireDirectoryLock(directory)).release();
    });
  });

  it('is taken over when its holder was killed, by exactly one of those who want it', async () => {
    await inTemporaryDirectory(async (directory) => {
      const child = runChild(
        `import { acquireDirectoryLock } from ${JSON.stringify(lockModule)};
         await acquireDirectoryLock(${JSON.stringify(directory)});
         console.log('locked');
         setInterval(() => {}, 1000);`,
      );
      await firstOutput(child);
      await assert.rejects(acquireDirectoryLock(directory), (error) => {
        assert.ok(isFault(error, 'DIRECTORY_LOCKED'));
        assert.equal(Reflect.get(error.facts, 'pid'), child.pid);
        return true;
      });
      await killHard(child);
      const tries = await Promise.allSettled(
        Array.from({ length: 12 }, () => acquireDirectoryLock(directory)),
      );
      assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
    });
  });

  it('is not held by a process that only got the same id', async () => {
    await inTemporaryDirectory(async (directory) => {
      await writeFile(join(directory, 'LOCK.4'), `${process.pid} 12\n`);
      const lock = await acquireDirectoryLock(directory);
      assert.deepEqual(await readdir(directory), ['LOCK.5']);
      await lock.release();
    });
  });
});

describe('data directory', () => {
  const options = { kind: 'storage-node', chainId: chainIdOf(31337), format: 2, version: '0.1.0' };

  it('remembers its kind, chain and layout', async () => {
    await inTemporaryDirectory(async (directory) => {
      assert.equal((await openDataDirectory({ ...options, directory })).isNew, true);
      const again = await openDataDirectory({ ...options, directory, format: 3, version: '0.2.0' });
      assert.deepEqual([again.isNew, again.format], [false, 2]);
      assert.equal(await readFile(join(directory, 'VERSION'), 'utf8'), '0.2.0\n');
      await again.markFormat(3);
      assert.equal((await openDataDirectory({ ...options, directory, format: 3 })).format, 3);
    });
  });

  it('refuses a newer layout, another chain, another kind and damage, and changes nothing', async () => {
    await inTemporaryDirectory(async (directory) => {
      await openDataDirectory({ ...options, directory });
      const cases: [Partial<typeof options>, string][] = [
        [{ format: 1, version: 'older' }, 'FORMAT_NEWER'],
        [{ chainId: chainIdOf(1) }, 'WRONG_CHAIN'],
        [{ kind: 'kv-node' }, 'WRONG_DIRECTORY_KIND'],
      ];
      for (const [changed, code] of cases) {
        await assert.rejects(openDataDirectory({ ...options, ...changed, directory }), fault(code));
      }
      assert.equal(await readFile(join(directory, 'VERSION'), 'utf8'), '0.1.0\n');
      await writeFile(join(directory, 'FORMAT'), '{"format":');
      await assert.rejects(
        openDataDirectory({ ...options, directory }),
        fault('FORMAT_UNREADABLE'),
      );
    });
  });
});

describe('secret file', () => {
  const secret = 'canary-5e3a';

  it('is written for its owner only, once, and read without white space', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'node.key');
      await writeSecretFile(path, secret);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      assert.equal(await readSecretFile(path), secret);
      await assert.rejects(writeSecretFile(path, 'other'), fault('KEY_FILE_EXISTS'));
      assert.equal(await readSecretFile(path), secret);
    });
  });

  it('is refused while others may read it, and never quoted', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'node.key');
      await writeSecretFile(path, secret);
      for (const mode of [0o640, 0o604, 0o620]) {
        await chmod(path, mode);
        await assert.rejects(readSecretFile(path), (error) => {
          assert.ok(isFault(error, 'KEY_FILE_PERMISSIONS'));
          assert.ok(!JSON.stringify([error.message, error.facts]).includes(secret));
          return true;
        });
      }
    });
  });

  it('is there whole or not at all: a full disk leaves no part of it', async function () {
    if (process.getuid?.() !== 0) this.skip();
    await inTemporaryDirectory(async (directory) => {
      const mount = join(directory, 'small');
      await mkdir(mount);
      try {
        await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]);
      } catch {
        this.skip();
      }
      try {
        await assert.rejects(writeFile(join(mount, 'filler'), new Uint8Array(131_072)), /ENOSPC/);
        const path = join(mount, 'node.key');
        await assert.rejects(writeSecretFile(path, secret), fault('DISK_FULL'));
        assert.deepEqual(await readdir(mount), ['filler']);
        await rm(join(mount, 'filler'));
        await writeSecretFile(path, secret);
      } finally {
        await run('umount', [mount]);
      }
    });
  });

  it('has a fault of its own when it is missing or far too large', async () => {
    await inTemporaryDirectory(async (directory) => {
      await assert.rejects(readSecretFile(join(directory, 'none')), fault('KEY_FILE_MISSING'));
      const path = join(directory, 'large');
      await writeFile(path, new Uint8Array(70_000), { mode: 0o600 });
      await assert.rejects(readSecretFile(path), fault('KEY_FILE_TOO_LARGE'));
    });
  });
});
