import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFault, utf8Bytes } from '@cairn/primitives';
import { writeLocalFile } from '../src/local-files.ts';

const { signal } = new AbortController();
const BYTES = utf8Bytes('new');

describe('a file that a command writes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-output-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('replaces another only where it may, and then only what the name leads to', async () => {
    const path = join(folder, 'result');
    const link = join(folder, 'link');
    await writeFile(path, 'old');
    await chmod(path, 0o600);
    await symlink(path, link);
    for (const taken of [path, link]) {
      await assert.rejects(writeLocalFile(taken, BYTES, { overwrite: false, signal }), (error) =>
        isFault(error, 'CLI_OUTPUT_EXISTS'),
      );
    }
    assert.equal(await readFile(path, 'utf8'), 'old');
    await writeLocalFile(link, BYTES, { overwrite: true, signal });
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.equal((await stat(path)).mode & 0o777, 0o600, 'who may read it stays');
    assert.ok((await lstat(link)).isSymbolicLink());
    assert.deepEqual((await readdir(folder)).sort(), ['link', 'result']);
  });

  it('does not take the place of a pipe', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const reading = readFile(path, 'utf8');
    await writeLocalFile(path, BYTES, { overwrite: true, signal });
    assert.equal(await reading, 'new');
    assert.ok((await stat(path)).isFIFO());
  });
});
