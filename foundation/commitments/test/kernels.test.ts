import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILD = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url));

describe('the committed kernels', () => {
  it('are what their generator and compiler make', async () => {
    // Without this process's loaders: the script is plain JavaScript.
    const env = { ...process.env, NODE_OPTIONS: '' };
    const { stderr } = await promisify(execFile)(process.execPath, [BUILD, '--check'], { env });
    assert.equal(stderr, '');
  }).timeout(60_000);
});
