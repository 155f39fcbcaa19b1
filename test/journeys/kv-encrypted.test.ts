import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publicKeyOf, randomKey } from '@cairn/chain-access';
import { createClient } from '@cairn/client-sdk';
import { deriveStreamId } from '@cairn/kv-layer';
import { createKvNode, type KvNode, loadKvNodeConfig } from '@cairn/kv-node';
import { parseAddress, seededRng, silentLogger, toHex, utf8Text } from '@cairn/primitives';
import type { Network } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { seedOf } from '../support/soak.ts';

const SEED = seedOf(52_901);

/** A node with the keys of one stream, on a network whose own node has none. */
describe('encrypted streams of keys and values', () => {
  let network: Network;
  let folder: string;
  let node: KvNode | undefined;
  const rng = seededRng(SEED);

  before(async () => {
    network = await sharedNetwork();
    folder = await mkdtemp(join(tmpdir(), 'cairn-kv-encrypted-'));
  });
  after(async () => {
    await node?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('are written and read by whoever has the key, and noise to everybody else', async () => {
    const owner = parseAddress(`0x${'c2'.repeat(20)}`);
    const id = deriveStreamId(owner, rng.fill(new Uint8Array(32)));
    const [shared, own] = [rng.fill(new Uint8Array(32)), randomKey(rng)];
    const keys: string[] = [];
    for (const [name, key] of Object.entries({ shared, own })) {
      const file = join(folder, name);
      await writeFile(file, toHex(key), { mode: 0o600 });
      keys.push(`${id}=${file}`);
    }
    const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    const storage = network.endpoints.storage.map(({ rpc }) => rpc);
    const config = await loadKvNodeConfig({
      overrides: {
        node: { data_dir: join(folder, 'node'), reserve_bytes: 0 },
        chain: { rpc: network.chainRpc, flow, confirmations: 0, poll_ms: 100 },
        storage: { nodes: storage },
        streams: { ids: [id] },
        decrypt: { keys },
        http: { port: 0 },
      },
    });
    node = createKvNode({ config, logger: silentLogger() });
    await node.start({ signal: new AbortController().signal });
    const common = { nodes: storage, rpc: network.chainRpc, flow, threads: 0 };
    const client = createClient({ ...common, signer: network.key, kv: [node.url] });
    const stranger = createClient({ ...common, kv: network.endpoints.kv });
    try {
      for (const [key, encryption] of [
        ['shared', { kind: 'zg-ctr', key: shared }],
        ['to one', { kind: 'zg-ecies', recipient: publicKeyOf(own) }],
        ['sealed', { kind: 'sealed', key: shared }],
      ] as const) {
        const stream = client.kv.stream(id, { encryption });
        await stream.put(key, `secret of ${key}`);
        const found = await stream.get(key);
        assert.equal(utf8Text(found?.value ?? new Uint8Array()), `secret of ${key}`);
      }
      assert.equal(await stranger.kv.stream(id).get('shared'), undefined);
    } finally {
      await client.close();
      await stranger.close();
    }
  });
});
