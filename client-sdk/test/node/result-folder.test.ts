import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8Bytes } from '@cairn/primitives';
import { resultFolder } from '../../src/node/result-folder.ts';

const options = { signal: new AbortController().signal };

describe('a folder of results', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-results-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const making = (text: string, onMake: () => void = () => undefined) => ({
    name: 'one',
    bytes: text.length,
    async *make() {
      onMake();
      for (const letter of text) yield utf8Bytes(letter);
    },
  });

  it('makes a result once, and gives what an earlier run left whole', async () => {
    const results = resultFolder(join(folder, 'results'));
    let made = 0;
    const wanted = making('result', () => {
      made += 1;
    });
    for (const _ of [1, 2]) {
      const held = await results.hold(wanted, options);
      assert.deepEqual(await held.read(0, 6, options), utf8Bytes('result'));
      await held.close();
    }
    assert.equal(made, 1);
    await results.drop('one');
    assert.deepEqual(await readdir(join(folder, 'results')), []);
    await (await results.hold(wanted, options)).close();
    assert.equal(made, 2);
  });

  it('begins anew what a killed run left half made, or another program of another length', async () => {
    const results = resultFolder(folder);
    await writeFile(join(folder, 'one.result.part'), 'res');
    await writeFile(join(folder, 'one.result'), 'longer than that');
    await (await results.hold(making('result'), options)).close();
    assert.equal(await readFile(join(folder, 'one.result'), 'utf8'), 'result');
  });

  it('takes no result of another length than was said', async () => {
    const results = resultFolder(folder);
    for (const bytes of [5, 7]) {
      const wrong = { ...making('result'), bytes };
      await assert.rejects(results.hold(wrong, options), { code: 'JOB_BAD_INPUT' });
    }
    assert.equal((await readdir(folder)).includes('one.result'), false);
  });
});
