import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { treeRoot } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { type ChainClient, createChainClient } from '@cairn/chain-access';
import { type Hub, openHub } from '@cairn/chain-access/da';
import {
  askAboutFile,
  type OrderedEvent,
  type OrderedFile,
  OrderFeed,
  type Ordering,
  openMirror,
  openOrdering,
  proveFile,
  readMirroredOrder,
  readMirrorHead,
  readOrder,
  readShard,
} from '@cairn/chain-access/shards';
import { equalBytes, isFault, parseAddress, systemClock, toHex } from '@cairn/primitives';
import { type Endpoints, parseEndpoints } from '@cairn/wire-protocol';
import { cairn, cairnJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { type Network, startNetwork } from '../support/network.ts';
import { processesNaming } from '../support/processes.ts';
import { until } from '../support/wait.ts';

const options = { signal: new AbortController().signal };

/** A file that was put on one of the chains. */
interface Stored {
  readonly chain: Endpoints['chains'][number];
  readonly client: ChainClient;
  readonly root: string;
  readonly sequence: number;
}

describe('two chains in one order', () => {
  let network: Network | undefined;
  let folder: string;
  let endpoints: Endpoints;
  let hub: Hub;
  let ordering: Ordering;
  const clients: ChainClient[] = [];
  const stored: Stored[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-order-'));
    network = await startNetwork(['--storage', '0/1', '--da', '4', '--consensus-shards', '2']);
    endpoints = parseEndpoints(network.endpoints);
    for (const { rpc: rpcUrl } of endpoints.chains) {
      clients.push(createChainClient({ rpcUrl, clock: systemClock() }));
    }
    const [client] = clients;
    assert.ok(client !== undefined);
    const sortition = parseAddress(endpoints.chains[0]?.contracts['sortition'] ?? '');
    hub = await openHub({ client, sortition, firstBlock: 0, finality: 2 }, options);
    const opened = await openOrdering(hub, options);
    assert.ok(opened !== undefined);
    ordering = opened;
  });

  after(async () => {
    for (const client of clients) await client.close();
    await network?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The proof of a file as soon as it is ordered and the hub says yes: the order goes on meanwhile. */
  const proven = async ({ chain, client, sequence }: Stored): Promise<OrderedFile> => {
    assert.ok(chain.logShard !== undefined);
    const shard = await readShard(ordering, chain.logShard, options);
    assert.equal(shard.chainId, chain.chainId);
    const deps = { ordering, shard, client, backend: blstBackend() };
    let proof: OrderedFile | undefined;
    await until(`file ${sequence} of ${chain.name} in the order`, async () => {
      try {
        proof = await proveFile(deps, sequence, options);
      } catch (error) {
        if (isFault(error, 'SHARD_NOT_ORDERED')) return false;
        throw error;
      }
      const verdict = await askAboutFile(ordering.contract, proof, options);
      // A root of the order is known until the next bundle.
      assert.ok(verdict.isProven || verdict.refusal === 'NotOrdered', JSON.stringify(verdict));
      return verdict.isProven;
    });
    assert.ok(proof !== undefined);
    return proof;
  };

  it('are told by name, with what runs on each', async () => {
    const { chains, storage } = endpoints;
    assert.deepEqual(
      chains.map(({ name, chainId }) => [name, chainId]),
      [
        ['hub', 31_337],
        ['shard-1', 31_338],
      ],
    );
    assert.deepEqual(
      storage.map(({ chain }) => chain),
      ['hub', 'shard-1'],
    );
    for (const name of ['directory', 'flow', 'epochMirror', 'daEntrance']) {
      assert.ok(chains[1]?.contracts[name] !== undefined, name);
    }
    const args = ['devnet', 'status', '--dir', network?.directory ?? ''];
    const { processes } = await cairnJson(args);
    const names = (processes as { readonly name: string }[]).map(({ name }) => name);
    for (const name of ['chain', 'shard-1', 'shard-1-storage-0', 'relayer']) {
      assert.ok(names.includes(name), `${name} is among ${names.join(', ')}`);
    }
  });

  it('keep a file each, put and read by the same command', async () => {
    const dir = ['--dir', network?.directory ?? ''];
    for (const [index, { rpc, chain: name }] of endpoints.storage.entries()) {
      const chain = endpoints.chains.find((each) => each.name === name);
      const client = clients[index];
      assert.ok(chain !== undefined && client !== undefined);
      const content = contentOf(9_100 + index, 70_000);
      const path = join(folder, name);
      await writeFile(path, content);
      const put = await cairnJson(['file', 'put', path, '--node', rpc, ...dir]);
      assert.equal(put['chainId'], chain.chainId);
      const root = String(put['root']);
      stored.push({ chain, client, root, sequence: Number(put['sequence']) });
      const get = await cairn(['file', 'get', root, '--node', rpc, '-o', '-', ...dir]);
      assert.equal(get.status, 0, get.stderr);
      assert.ok(get.stdout.equals(Buffer.from(content)));
    }
    assert.equal(stored.length, 2);
  });

  it('have both files proven on the hub, each at its place in the order', async () => {
    const proofs: OrderedFile[] = [];
    for (const each of stored) {
      const proof = await proven(each);
      assert.equal(toHex(proof.record.fileRoot), each.root);
      proofs.push(proof);
      const [other] = stored.filter((one) => one !== each);
      const shard = await readShard(ordering, other?.chain.logShard ?? 0, options);
      const checkpoint = { ...proof.checkpoint, shardId: shard.shardId };
      const forged = await askAboutFile(ordering.contract, { ...proof, checkpoint }, options);
      assert.equal(forged.isProven, false, 'a file of one chain is none of the other');
    }
    const toBlock = await hub.client.blockNumber(options);
    const all: OrderedEvent[] = [];
    for await (const { ordered } of new OrderFeed(ordering).forward(
      { fromBlock: 0, toBlock },
      options,
    )) {
      all.push(...ordered);
    }
    assert.deepEqual(
      all.map(({ globalIndex }) => globalIndex),
      all.map((_, index) => index),
    );
    const { root, count } = await readOrder(ordering, { ...options, block: toBlock });
    assert.equal(count, all.length);
    assert.ok(equalBytes(root, treeRoot(all.map(({ hash }) => hash))));
    const places = proofs.map(({ ordered }) => all[ordered.globalIndex]?.shardId);
    assert.deepEqual(
      places,
      stored.map(({ chain }) => chain.logShard),
    );
  });

  it('know the hub’s epochs and its order on the other chain', async () => {
    const [, chain] = endpoints.chains;
    const [, client] = clients;
    assert.ok(chain !== undefined && client !== undefined);
    const address = parseAddress(chain.contracts['epochMirror'] ?? '');
    const mirror = await openMirror({ client, mirror: address, network: hub.network }, options);
    assert.ok(((await readMirrorHead(mirror, options))?.epoch ?? 0) > 0);
    await until('the order on the other chain', async () => {
      return (await readMirroredOrder(mirror, options)).count > 0;
    });
  });

  it('leave nothing behind', async () => {
    const directory = network?.directory ?? '';
    assert.ok(processesNaming(directory).length > 0);
    const stopping = network;
    network = undefined;
    await stopping?.stop();
    await until('the last process to end', () => processesNaming(directory).length === 0);
  });
});
