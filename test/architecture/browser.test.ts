import assert from 'node:assert/strict';
import { build } from 'esbuild';
import { packages, repositoryRoot } from './house.ts';

/** Packages that a web page may import, with the entry it would use. */
const BROWSER_ENTRIES: readonly (readonly [packageName: string, entry: string])[] = [
  ['@cairn/primitives', 'src/index.ts'],
  ['@cairn/commitments', 'src/index.ts'],
  ['@cairn/commitments', 'src/rows.ts'],
  ['@cairn/attestation', 'src/index.ts'],
  ['@cairn/erasure-codec', 'src/index.ts'],
  ['@cairn/erasure-codec', 'src/gpu/open-gpu-codec.ts'],
  ['@cairn/pora', 'src/index.ts'],
  ['@cairn/contracts', 'src/index.ts'],
  ['@cairn/wire-protocol', 'src/index.ts'],
  ['@cairn/wire-protocol', 'src/da/index.ts'],
  ['@cairn/chain-access', 'src/index.ts'],
  ['@cairn/chain-access', 'src/da/index.ts'],
  ['@cairn/chain-access', 'src/pora/index.ts'],
  ['@cairn/chain-access', 'src/possession/index.ts'],
  ['@cairn/chain-access', 'src/shards/index.ts'],
  ['@cairn/log-layer', 'src/index.ts'],
  ['@cairn/kv-layer', 'src/index.ts'],
  ['@cairn/light-client', 'src/index.ts'],
  ['@cairn/light-client', 'src/chain/index.ts'],
  ['@cairn/client-sdk', 'src/index.ts'],
  ['@cairn/client-sdk', 'src/jobs/index.ts'],
];

describe('browser bundles', () => {
  for (const [name, entry] of BROWSER_ENTRIES) {
    it(`${name} bundles for a browser, without Node`, async () => {
      const folder = packages().find((candidate) => candidate.name === name)?.folder;
      assert.ok(folder !== undefined);
      const result = await build({
        absWorkingDir: repositoryRoot,
        entryPoints: [`${folder}/${entry}`],
        bundle: true,
        write: false,
        platform: 'browser',
        format: 'esm',
        target: 'es2022',
        conditions: ['@cairn/source'],
        logLevel: 'silent',
      });
      assert.deepEqual(result.errors, []);
      assert.ok((result.outputFiles[0]?.contents.length ?? 0) > 0);
    });
  }
});
