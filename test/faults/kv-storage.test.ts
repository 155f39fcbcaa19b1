import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '@cairn/client-sdk';
import { BatchBuilder, parseStreamId, type StreamId } from '@cairn/kv-layer';
import { createKvNode, type KvNode, loadKvNodeConfig } from '@cairn/kv-node';
import { silentLogger, toHex, utf8Bytes } from '@cairn/primitives';
import { FrontNode } from '../support/front-node.ts';
import { type Network, rpc } from '../support/network.ts';
import { sharedNetwork } from '../support/shared-network.ts';
import { until } from '../support/wait.ts';

describe('a key-value node whose storage nodes misbehave', () => {
  let network: Network;
  let folder: string;
  let writer: Client;
  let front: FrontNode;
  const nodes: KvNode[] = [];
  const stream: StreamId = parseStreamId(toHex(randomBytes(32)));

  before(async () => {
    network = await sharedNetwork(['--storage', '0/1']);
    folder = await mkdtemp(join(tmpdir(), 'cairn-kv-storage-'));
    const flow = network.endpoints.chains[0]?.contracts['flow'] ?? '';
    const options = { nodes: [network.fullNode], rpc: network.chainRpc, flow, threads: 0 };
    writer = createClient({ ...options, signer: network.key });
    front = new FrontNode(network.fullNode);
    await front.start();
  });

  after(async () => {
    for (const node of nodes) await node.stop();
    front?.stop();
    await writer?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const put = async (key: string, value: string): Promise<number> => {
    const batch = new BatchBuilder().put(stream, utf8Bytes(key), utf8Bytes(value)).build();
    const { sequence } = await writer.files.put(batch.bytes, { tags: batch.tags });
    return sequence;
  };

  const startNode = async (name: string, storage: readonly string[]): Promise<KvNode> => {
    const [chain] = network.endpoints.chains;
    const config = await loadKvNodeConfig({
      overrides: {
        node: { data_dir: join(folder, name) },
        chain: {
          rpc: network.chainRpc,
          flow: chain?.contracts['flow'] ?? '',
          confirmations: 0,
          poll_ms: 100,
        },
        storage: { nodes: storage },
        streams: { ids: [stream] },
        http: { port: 0 },
      },
    });
    const node = createKvNode({ config, logger: silentLogger() });
    nodes.push(node);
    await node.start({ signal: new AbortController().signal });
    return node;
  };

  const textOf = async ({ url }: KvNode, key: string): Promise<string> => {
    const name = Buffer.from(key).toString('base64');
    const value = (await rpc(url, 'kv_getValue', [stream, name, 0, 1000])) as { data: string };
    return Buffer.from(value.data, 'base64').toString();
  };

  it('waits while the only one answers nothing, and goes on once it answers', async () => {
    front.manner = 'empty';
    const sequence = await put('a', 'first');
    const node = await startNode('empty', [front.url]);
    await until('the node to wait', () => node.status.wait?.sequence === sequence);
    await until('several tries', () => (node.status.wait?.tries ?? 0) > 2);
    assert.equal(await textOf(node, 'a'), '');
    assert.ok(front.spoilt > 0);
    front.manner = 'honest';
    await until('the entry to be decided', () => node.status.nextSequence > sequence);
    assert.equal(await textOf(node, 'a'), 'first');
  });

  it('takes nothing from one that lies, and everything from one that does not', async () => {
    const sequence = await put('b', 'second');
    front.manner = 'lying';
    front.spoilt = 0;
    const fooled = await startNode('fooled', [front.url]);
    await until('a lie', () => front.spoilt > 0);
    await until('the node to wait', () => fooled.status.wait !== undefined);
    assert.equal(await textOf(fooled, 'b'), '');
    const both = await startNode('both', [front.url, network.fullNode]);
    await until('the entry to be decided', () => both.status.nextSequence > sequence);
    assert.deepEqual([await textOf(both, 'a'), await textOf(both, 'b')], ['first', 'second']);
  });
});
