import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificate, treeRoot } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { type ChainClient, createChainClient } from '@cairn/chain-access';
import { EpochBook, type Hub, openEntrance, openHub, SignerBook } from '@cairn/chain-access/da';
import {
  askAboutBlob,
  askAboutFile,
  type OrderedEvent,
  type OrderedFile,
  OrderFeed,
  type Ordering,
  openMirror,
  openOrdering,
  proveBlob,
  proveFile,
  readMirroredOrder,
  readMirrorHead,
  readOrder,
  readShard,
} from '@cairn/chain-access/shards';
import { createClient, type PutEvent, SdkError, shardsOf } from '@cairn/client-sdk';
import {
  equalBytes,
  isFault,
  memoryKeyValueStore,
  parseAddress,
  systemClock,
  toHex,
} from '@cairn/primitives';
import { type Endpoints, parseContentReference, parseEndpoints } from '@cairn/wire-protocol';
import { setPrice, submissionCount } from '../support/chain.ts';
import { cairn, cairnJson } from '../support/cli.ts';
import { contentOf } from '../support/content.ts';
import { jobCases } from '../support/jobs-on-two-chains.ts';
import { type Network, startNetwork } from '../support/network.ts';
import { processesNaming } from '../support/processes.ts';
import { until } from '../support/wait.ts';

/** Wei per sector, as the devnet deploys it. */
const PRICE = 232_830_643n;
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

/** What `file put --json` says of the choice. */
interface JsonPlacement {
  readonly shard: number;
  readonly reason: string;
  readonly candidates: readonly {
    readonly weightedWei?: string;
    readonly backlog: { readonly finalBlock: number };
  }[];
}

/** What `chain shards --json` says of one. */
interface JsonShard {
  readonly shardId: number;
  readonly load?: { readonly pricePerSectorWei: string };
}

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
    for (const name of ['chain', 'shard-1', 'storage-0', 'relayer']) {
      assert.ok(names.includes(name), `${name} is among ${names.join(', ')}`);
    }
    assert.ok(!names.includes('shard-1-storage-0'), 'one process keeps the logs of both');
    assert.equal(storage[1]?.rpc, `${storage[0]?.rpc}/chains/31338`);
  });

  /** Makes one chain the cheap one: a sector costs as much on the others as a whole file here. */
  const makeCheap = async (name: string): Promise<void> => {
    for (const chain of endpoints.chains) {
      const price = chain.name === name ? PRICE : PRICE * 1_000_000n;
      await setPrice(chain.rpc, chain.contracts['flow'] ?? '', price);
    }
  };

  it('take a file each where it is cheapest then, and give it back from wherever it is', async () => {
    const dir = ['--dir', network?.directory ?? ''];
    for (const [index, chain] of endpoints.chains.entries()) {
      const client = clients[index];
      assert.ok(client !== undefined);
      await makeCheap(chain.name);
      const content = contentOf(9_100 + index, 70_000);
      const path = join(folder, chain.name);
      await writeFile(path, content);
      const put = await cairnJson(['file', 'put', path, ...dir]);
      const { shard, reason, candidates } = put['placement'] as JsonPlacement;
      assert.deepEqual([put['chainId'], put['shard']], [chain.chainId, chain.logShard]);
      assert.deepEqual([shard, reason], [chain.logShard, 'cheapest']);
      const [best, other] = candidates;
      assert.equal(candidates.length, 2);
      assert.ok(BigInt(best?.weightedWei ?? 0) < BigInt(other?.weightedWei ?? 0));
      assert.ok((best?.backlog.finalBlock ?? 0) > 0);
      const root = String(put['root']);
      stored.push({ chain, client, root, sequence: Number(put['sequence']) });
    }
    for (const [index, { root, sequence, chain }] of stored.entries()) {
      const again = await cairnJson(['file', 'put', join(folder, chain.name), ...dir]);
      const { reason } = again['placement'] as JsonPlacement;
      assert.deepEqual([again['sequence'], again['feeWei'], reason], [sequence, '0', 'known']);
      const get = await cairn(['file', 'get', root, '-o', '-', ...dir]);
      assert.equal(get.status, 0, get.stderr);
      assert.ok(get.stdout.equals(Buffer.from(contentOf(9_100 + index, 70_000))));
      const stat = await cairnJson(['file', 'stat', root, ...dir]);
      assert.deepEqual([stat['shard'], stat['chainId']], [chain.logShard, chain.chainId]);
    }
  });

  it('take a file where the caller says, and say what each shard asks', async () => {
    const dir = ['--dir', network?.directory ?? ''];
    const path = join(folder, 'told');
    await writeFile(path, contentOf(9_110, 3000));
    const [hubChain, shardChain] = endpoints.chains;
    await makeCheap('shard-1');
    const told = ['--consensus-shard', String(hubChain?.logShard)];
    const put = await cairnJson(['file', 'put', path, ...told, ...dir]);
    assert.equal(put['chainId'], hubChain?.chainId);
    const { shards } = await cairnJson(['chain', 'shards', ...dir]);
    const loads = new Map(
      (shards as readonly JsonShard[]).map(({ shardId, load }) => [shardId, load]),
    );
    assert.equal(loads.get(0), undefined);
    assert.equal(loads.get(hubChain?.logShard ?? -1)?.pricePerSectorWei, `${PRICE * 1_000_000n}`);
    assert.equal(loads.get(shardChain?.logShard ?? -1)?.pricePerSectorWei, `${PRICE}`);
    const none = await cairn(['file', 'put', path, '--consensus-shard', '9', ...dir]);
    assert.equal(none.status, 2, none.stderr);
    assert.match(none.stderr, /there is no shard 9 with a log: there are 1, 4/);
  });

  it('go on without one that is silent, and name each that was asked', async () => {
    const all = shardsOf(endpoints);
    const silent = endpoints.chains[0]?.logShard;
    assert.ok(all !== undefined && silent !== undefined);
    const nowhere = { rpc: NOWHERE, indexer: NOWHERE };
    const places = all.places.map((place) =>
      place.shard === silent ? { ...place, ...nowhere } : place,
    );
    const client = createClient({ shards: { ...all, places }, signer: network?.key ?? '' });
    try {
      await makeCheap('hub');
      const [lost, found] = stored;
      const bytes = await client.files.getBytes(found?.root ?? '');
      assert.ok(equalBytes(bytes, contentOf(9_101, 70_000)));
      await assert.rejects(client.files.getBytes(lost?.root ?? ''), (error) => {
        assert.ok(error instanceof SdkError && error.facts.code === 'SDK_FILE_NOT_FOUND');
        assert.deepEqual(
          error.facts.shards?.map(({ shard, asked }) => [shard, asked]),
          [
            [1, 1],
            [silent, 0],
          ],
        );
        return true;
      });
      // It is dearer there, and the only one left.
      const { shard, placement } = await client.files.put(contentOf(9_120, 500));
      assert.equal(shard, 1);
      const faults = placement?.candidates.map(({ fault }) => fault?.code);
      assert.deepEqual(faults, [undefined, 'SDK_NOT_ENOUGH_HOLDERS']);
    } finally {
      await client.close();
    }
  });

  it('go on with an upload where it was begun, whatever the prices are by then', async () => {
    const shards = shardsOf(endpoints);
    const [hubChain, chain] = endpoints.chains;
    assert.ok(shards !== undefined && chain !== undefined && hubChain !== undefined);
    const journal = memoryKeyValueStore();
    const client = () => createClient({ shards, signer: network?.key ?? '', journal });
    const bytes = contentOf(9_130, 4000);
    const count = () => submissionCount(chain.rpc, chain.contracts['flow'] ?? '');
    const before = await count();
    await makeCheap('shard-1');
    const stop = new AbortController();
    const cut = client();
    const onProgress = ({ step }: PutEvent): void => {
      if (step === 'submitted') stop.abort(new Error('cut off'));
    };
    await assert.rejects(cut.files.put(bytes, { signal: stop.signal, onProgress }), /cut off/);
    await cut.close();
    await makeCheap('hub');
    const next = client();
    try {
      const { shard, placement } = await next.files.put(bytes);
      assert.deepEqual([shard, placement?.reason], [chain.logShard, 'begun']);
      assert.equal(await count(), before + 1, 'it was paid once');
      const quote = await next.files.quote(4000);
      assert.equal(quote.placement?.shard, hubChain.logShard, 'another one would go elsewhere');
    } finally {
      await next.close();
    }
  });

  it('have both files proven on the hub, each at its place in the order', async () => {
    const proofs: OrderedFile[] = [];
    for (const each of stored) {
      const proof = await proven(each);
      assert.equal(toHex(proof.record.fileRoot), each.root);
      const made = await cairn(['ref', 'make', each.root, '--dir', network?.directory ?? '']);
      assert.equal(made.status, 0, made.stderr);
      const reference = parseContentReference(made.stdout.toString());
      assert.equal(reference.chainId, each.chain.chainId);
      assert.equal(reference.globalIndex, proof.ordered.globalIndex);
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

  it('take blobs each, sampled at the signers of both, and proven on the hub by the chain’s checkpoint', async () => {
    const dir = ['--dir', network?.directory ?? ''];
    const [hubChain, chain] = endpoints.chains;
    const client = clients[1];
    assert.ok(hubChain !== undefined && chain !== undefined && client !== undefined);
    assert.deepEqual(
      endpoints.dispersers?.map(({ chain: name }) => name),
      ['shard-1'],
    );
    const content = contentOf(9_200, 5_000);
    const path = join(folder, 'blob');
    const file = join(folder, 'blob.cert');
    await writeFile(path, content);
    const ids = new Set<string>();
    for (const shardId of [0, 1]) {
      const at = ['--consensus-shard', `${shardId}`, ...dir];
      const put = ['da', 'put', path, '--wait', 'confirmed', '--certificate', file, ...at];
      const { id } = await cairnJson(put);
      ids.add(String(id));
      const sample = await cairn(['da', 'sample', String(id), ...at]);
      assert.equal(sample.status, 0, sample.stderr);
      const get = await cairn(['da', 'get', String(id), '--from', 'signers', '-o', '-', ...at]);
      assert.ok(get.stdout.equals(Buffer.from(content)), get.stderr);
      const verified = await cairn(['da', 'verify', file, ...at]);
      assert.equal(verified.status, 0, verified.stderr);
      const elsewhere = ['--consensus-shard', `${1 - shardId}`, ...dir];
      const foreign = await cairn(['da', 'verify', file, ...elsewhere]);
      assert.notEqual(foreign.status, 0, 'a certificate of one shard is none of the other');
    }
    assert.equal(ids.size, 1, 'the same bytes have one id');
    const nowhere = await cairn(['da', 'put', path, '--consensus-shard', '7', ...dir]);
    assert.match(nowhere.stderr, /consensus shard 7/);
    const place = { client, entrance: parseAddress(chain.contracts['daEntrance'] ?? '') };
    const entrance = await openEntrance({ ...place, finality: 2 }, options);
    const signers = new SignerBook(hub);
    const backend = blstBackend();
    const deps = { ordering, entrance, epochs: new EpochBook({ hub, signers, backend }), backend };
    const certificate = parseCertificate(new Uint8Array(await readFile(file)), backend);
    await until('the blob in the order', async () => {
      try {
        const proof = await proveBlob(deps, certificate, options);
        assert.ok(proof.checkpoint.daCount > 0);
        const verdict = await askAboutBlob(ordering.contract, proof, options);
        assert.ok(verdict.isProven || verdict.refusal === 'NotOrdered', JSON.stringify(verdict));
        return verdict.isProven;
      } catch (error) {
        if (isFault(error, 'SHARD_BLOB_NOT_ORDERED')) return false;
        throw error;
      }
    });
  });

  jobCases(() => {
    assert.ok(network !== undefined);
    return { network, endpoints, folder };
  });

  it('take a blob where it is cheapest then, and give it back from wherever it is', async () => {
    const dir = ['--dir', network?.directory ?? ''];
    const [path, file] = [join(folder, 'other'), join(folder, 'other.cert')];
    for (const at of [['--consensus-shard', '1'], []]) {
      const content = contentOf(9_300 + at.length, 3000);
      await writeFile(path, content);
      const put = await cairnJson(['da', 'put', path, '--certificate', file, ...at, ...dir]);
      assert.ok(
        put['shard'] === 1 || (at.length === 0 && put['shard'] === 0),
        String(put['shard']),
      );
      const id = String(put['id']);
      assert.equal((await cairn(['da', 'verify', file, ...dir])).status, 0);
      assert.equal((await cairn(['da', 'sample', '--certificate', file, ...dir])).status, 0);
      for (const from of ['disperser', 'signers']) {
        const get = await cairn(['da', 'get', id, '--from', from, '-o', '-', ...dir]);
        assert.ok(get.stdout.equals(Buffer.from(content)), get.stderr);
      }
      assert.equal((await cairnJson(['da', 'status', id, ...dir]))['id'], id);
    }
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
