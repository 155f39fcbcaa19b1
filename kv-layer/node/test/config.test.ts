import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isFault } from '@cairn/primitives';
import { exampleConfig, loadKvNodeConfig } from '../src/config.ts';
import { VERSION } from '../src/version.ts';

const needed = {
  node: { data_dir: '/tmp/x' },
  chain: { rpc: 'http://127.0.0.1:8545', flow: `0x${'22'.repeat(20)}` },
  storage: { nodes: ['http://127.0.0.1:5678'] },
};

describe('the configuration', () => {
  it('needs a directory, a chain, a log contract and somebody who has files', async () => {
    const { replay, http, streams } = await loadKvNodeConfig({ overrides: needed });
    assert.equal(replay.skip, undefined); // what is missing is waited for
    assert.deepEqual([http.port, streams.isOpen, streams.discover], [6789, false, false]);
    await assert.rejects(loadKvNodeConfig({ overrides: { ...needed, storage: {} } }), (error) =>
      isFault(error, 'KV_CONFIG'),
    );
    await assert.rejects(loadKvNodeConfig({ overrides: {} }), (error) =>
      isFault(error, 'CONFIG_INVALID'),
    );
  });

  it('takes ids with and without 0x, each once, as many as there may be', async () => {
    const ids = [`0x${'AB'.repeat(32)}`, 'ab'.repeat(32), `0x${'cd'.repeat(32)}`];
    const { streams } = await loadKvNodeConfig({ overrides: { ...needed, streams: { ids } } });
    assert.deepEqual(streams.ids, [`0x${'ab'.repeat(32)}`, `0x${'cd'.repeat(32)}`]);
    await assert.rejects(
      loadKvNodeConfig({ overrides: { ...needed, streams: { ids, limit: 1 } } }),
      (error) => isFault(error, 'KV_CONFIG'),
    );
  });

  it('has an example that says the same as the schema', () => {
    const path = new URL('../kv.example.toml', import.meta.url);
    assert.equal(readFileSync(path, 'utf8'), exampleConfig());
  });

  it('knows its version', () => {
    const path = new URL('../package.json', import.meta.url);
    assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version, VERSION);
  });
});
