import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cairn, cairnProcess } from '../support/cli.ts';

describe('the tour', () => {
  it('stores, proves and reads a file, a stream and a blob, has a job done, on a network of its own, and stops it', async function () {
    this.timeout(660_000);
    const folder = await mkdtemp(join(tmpdir(), 'cairn-demo-'));
    try {
      const tour = await cairnProcess(
        ['devnet', 'demo', '--dir', folder, '--port', '0', '--size', '8MiB'],
        {
          timeoutMs: 600_000,
        },
      );
      assert.equal(tour.status, 0, tour.stderr);
      const said = `${tour.stdout.toString()}${tour.stderr}`;
      for (const step of [/0x[0-9a-f]{64}/, /sequence/i, /proof|proven/i, /8\.0 MiB/])
        assert.match(said, step);
      for (const step of [/signers with \d+ of 16 seats/, /Killed signer-0/, /available: \d+ rows/])
        assert.match(said, step);
      assert.match(
        said,
        /proved their order in [\s\S]*place \d+: shard \d+ [\s\S]*place \d+: shard \d+/,
      );
      for (const step of [
        /took job 0, with proof of both/,
        /at place \d+; made anew, it is the same/,
      ])
        assert.match(said, step);
      assert.match(said, /greeting {2}"hello again" now, "hello" at entry \d+/);
      assert.equal((await cairn(['devnet', 'status', '--dir', folder])).status, 3);
      assert.deepEqual(await readdir(folder), [], 'nothing is left of it');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
