import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DirectoryEntry } from '@cairn/client-sdk';
import { compare } from '../src/commands/file-diff.ts';

describe('what differs between directories', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-diff-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const differences = async (stored: readonly DirectoryEntry[]) => {
    const roots = async () => ({ roots: [], sizeBytes: 0 });
    const found = await compare(folder, stored, { roots });
    return found.map(({ path, change }) => `${change} ${path}`);
  };
  const directory = (path: string): DirectoryEntry => ({ kind: 'directory', path });
  const file = (path: string): DirectoryEntry => ({ kind: 'file', path, sizeBytes: 0, roots: [] });

  it('counts empty directories that are on one side only', async () => {
    await mkdir(join(folder, 'both'));
    await mkdir(join(folder, 'here/inner'), { recursive: true });
    assert.deepEqual(await differences([directory('both')]), ['added here/inner']);
    assert.deepEqual(
      await differences([
        directory('both'),
        directory('here'),
        directory('here/inner'),
        directory('there'),
      ]),
      ['removed there'],
    );
  });

  it('tells of a directory by what is in it', async () => {
    await mkdir(join(folder, 'new'));
    await writeFile(join(folder, 'new/a'), '');
    assert.deepEqual(await differences([directory('old'), file('old/b')]), [
      'added new/a',
      'removed old/b',
    ]);
  });

  it('says nothing of what is the same', async () => {
    await mkdir(join(folder, 'same/empty'), { recursive: true });
    await writeFile(join(folder, 'same/a'), '');
    const stored = [directory('same'), directory('same/empty'), file('same/a')];
    assert.deepEqual(await differences(stored), []);
  });
});
