import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { importsOf, packageOf, packages, repositoryRoot, sourceFiles } from './house.ts';

/** Each package may import only from lines below its own; packages of one line never each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['@cairn/primitives'],
  ['@cairn/commitments', '@cairn/attestation', '@cairn/contracts'],
  ['@cairn/erasure-codec', '@cairn/pora', '@cairn/wire-protocol'],
  ['@cairn/log-layer', '@cairn/chain-access', '@cairn/node-runtime'],
  ['@cairn/kv-layer', '@cairn/light-client'],
  ['@cairn/client-sdk'],
  ['@cairn/storage-node', '@cairn/da-node', '@cairn/kv-node'],
  ['@cairn/devnet'],
  ['@cairn/cli'],
  ['@cairn/test'],
];

/** Third-party packages and the only packages whose `src` may import them. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@noble/hashes': ['@cairn/primitives'],
  '@noble/curves': ['@cairn/attestation'],
  '@chainsafe/blst': ['@cairn/attestation'],
  typebox: ['@cairn/wire-protocol'],
  webgpu: ['@cairn/erasure-codec'],
  'reed-solomon-erasure.wasm': ['@cairn/erasure-codec'],
  ethers: ['@cairn/chain-access'],
  fastify: ['@cairn/node-runtime'],
  '@fastify/cors': ['@cairn/node-runtime'],
  '@fastify/swagger': ['@cairn/node-runtime'],
  'classic-level': ['@cairn/node-runtime'],
  pino: ['@cairn/node-runtime'],
  'prom-client': ['@cairn/node-runtime'],
  'smol-toml': ['@cairn/node-runtime'],
  ajv: ['@cairn/node-runtime'],
  libp2p: ['@cairn/node-runtime'],
  '@libp2p/crypto': ['@cairn/node-runtime'],
  '@libp2p/gossipsub': ['@cairn/node-runtime'],
  '@libp2p/identify': ['@cairn/node-runtime'],
  '@libp2p/interface': ['@cairn/node-runtime'],
  '@libp2p/kad-dht': ['@cairn/node-runtime'],
  '@libp2p/mdns': ['@cairn/node-runtime'],
  '@libp2p/noise': ['@cairn/node-runtime'],
  '@libp2p/peer-id': ['@cairn/node-runtime'],
  '@libp2p/ping': ['@cairn/node-runtime'],
  '@libp2p/tcp': ['@cairn/node-runtime'],
  '@libp2p/websockets': ['@cairn/node-runtime'],
  '@libp2p/yamux': ['@cairn/node-runtime'],
  '@multiformats/multiaddr': ['@cairn/node-runtime'],
  commander: ['@cairn/cli'],
  '@foundry-rs/anvil': ['@cairn/devnet'],
  '@connectrpc/connect': ['@cairn/da-node'],
  '@connectrpc/connect-node': ['@cairn/da-node'],
  '@bufbuild/protobuf': ['@cairn/da-node'],
};

function levelOf(name: string): number {
  return LAYERS.findIndex((layer) => layer.includes(name));
}

describe('layers', () => {
  it('places every package', () => {
    const unplaced = packages().filter(({ name }) => levelOf(name) < 0);
    assert.deepEqual(unplaced, []);
  });

  it('lets a package import only from lines below its own', () => {
    const breaches: string[] = [];
    for (const { name, folder } of packages()) {
      for (const file of sourceFiles(folder)) {
        for (const specifier of importsOf(file)) {
          const target = packageOf(specifier);
          if (target === undefined || !target.startsWith('@cairn/') || target === name) continue;
          if (levelOf(target) >= levelOf(name)) {
            breaches.push(`${relative(repositoryRoot, file)} imports ${target}`);
          }
        }
      }
    }
    assert.deepEqual(breaches, []);
  });

  it('keeps each third-party package in its home', () => {
    const breaches: string[] = [];
    for (const { name, folder } of packages()) {
      for (const file of sourceFiles(folder)) {
        for (const specifier of importsOf(file)) {
          const target = packageOf(specifier);
          if (target === undefined || target.startsWith('@cairn/') || target.startsWith('node:'))
            continue;
          if (HOMES[target]?.includes(name) !== true) {
            breaches.push(`${relative(repositoryRoot, file)} imports ${target}`);
          }
        }
      }
    }
    assert.deepEqual(breaches, []);
  });

  it('never reaches into another package past its entries', () => {
    const breaches: string[] = [];
    for (const { folder } of packages()) {
      for (const file of sourceFiles(folder)) {
        for (const specifier of importsOf(file)) {
          if (!specifier.startsWith('.')) continue;
          const target = join(file, '..', specifier);
          if (!target.startsWith(`${folder}/`))
            breaches.push(`${relative(repositoryRoot, file)} → ${specifier}`);
        }
      }
    }
    assert.deepEqual(breaches, []);
  });

  it('declares exact versions of every dependency', () => {
    const loose: string[] = [];
    for (const { name, folder } of [...packages(), { name: 'cairn', folder: repositoryRoot }]) {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>;
        devDependencies?: Record<string, string>;
      };
      for (const [dependency, version] of Object.entries({
        ...manifest.dependencies,
        ...manifest.devDependencies,
      })) {
        if (!/^(npm:.+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
          loose.push(`${name}: ${dependency} ${version}`);
      }
    }
    assert.deepEqual(loose, []);
  });
});
