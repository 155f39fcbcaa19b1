import assert from 'node:assert/strict';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMetrics } from '@cairn/node-runtime/observe';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { type HttpTransport, seededRng, silentLogger, systemClock } from '@cairn/primitives';
import { createIndexer, type Indexer } from '../../src/indexer/create-indexer.ts';
import { mergeFileInfos } from '../../src/indexer/locate-file.ts';

const ROOT = `0x${'ab'.repeat(32)}`;
const OTHER = `0x${'cd'.repeat(32)}`;

/** A storage node that answers three methods; `files` says of which roots it has everything. */
class SmallNode {
  readonly server: Server;
  readonly files: ReadonlyMap<string, boolean>;
  calls = 0;
  isBroken = false;

  constructor(shard: { shardId: number; numShard: number }, files: ReadonlyMap<string, boolean>) {
    this.files = files;
    this.server = createServer((request, response) => {
      let text = '';
      request.on('data', (part) => {
        text += part;
      });
      request.on('end', () => this.#answer(text, shard, response));
    });
  }

  #answer(text: string, shard: unknown, response: ServerResponse): void {
    if (this.isBroken) {
      response.destroy();
      return;
    }
    const { id, method, params } = JSON.parse(text) as {
      id: number;
      method: string;
      params: unknown[];
    };
    this.calls += 1;
    const result = method === 'zgs_getShardConfig' ? shard : this.#info(String(params[0]));
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  }

  #info(root: string): unknown {
    const finalized = this.files.get(root);
    if (finalized === undefined) return null;
    const tx = {
      streamIds: [],
      data: [],
      dataMerkleRoot: root,
      merkleNodes: [[1, root]],
      startEntryIndex: 1,
      size: 9,
      seq: 0,
    };
    return { tx, finalized, isCached: false, uploadedSegNum: finalized ? 1 : 0, pruned: false };
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
}

describe('the indexer', () => {
  const even = new SmallNode(
    { shardId: 0, numShard: 2 },
    new Map([
      [ROOT, true],
      [OTHER, true],
    ]),
  );
  const odd = new SmallNode(
    { shardId: 1, numShard: 2 },
    new Map([
      [ROOT, true],
      [OTHER, false],
    ]),
  );
  const full = new SmallNode({ shardId: 0, numShard: 1 }, new Map());
  let transport: HttpTransport;
  let indexer: Indexer;
  let urls: string[];
  let nowMs = 0; // turned by hand: how old an answer is does not hang on the machine

  before(async () => {
    transport = createNodeTransport();
    urls = [await even.start(), await odd.start(), await full.start()];
    indexer = createIndexer(
      {
        host: '127.0.0.1',
        port: 0,
        trusted: [...urls, 'http://127.0.0.1:9'],
        version: '0',
        drainMs: 1_000,
        maxConnections: 100,
      },
      {
        transport,
        clock: { ...systemClock(), monotonic: () => nowMs },
        rng: seededRng(1),
        logger: silentLogger(),
        metrics: createMetrics(),
      },
    );
    await indexer.start();
  });

  after(async () => {
    await indexer?.stop();
    await transport?.close();
    for (const node of [even, odd, full]) node.server.close();
  });

  const call = async (
    method: string,
    ...params: unknown[]
  ): Promise<{ result?: unknown; error?: { code: number; message: string } }> => {
    const reply = await fetch(indexer.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method,
        ...(params.length === 0 ? {} : { params }),
      }),
    });
    return (await reply.json()) as { result?: unknown; error?: { code: number; message: string } };
  };
  const urlsOf = (nodes: unknown): string[] => (nodes as { url: string }[]).map(({ url }) => url);

  it('lists the trusted nodes that answer, and leaves out the one that does not', async () => {
    const { result } = await call('indexer_getShardedNodes');
    const { trusted, discovered } = result as {
      trusted: { url: string; since: number }[];
      discovered: unknown[];
    };
    assert.deepEqual(urlsOf(trusted), urls);
    assert.equal(trusted[0]?.since, 0);
    assert.deepEqual(discovered, []);
  });

  it('asks the nodes once for callers that come together', async () => {
    nowMs += 1_100; // what was known grows old
    const before = full.calls;
    await Promise.all(Array.from({ length: 20 }, () => call('indexer_getShardedNodes')));
    assert.equal(full.calls, before + 1);
  });

  it('selects as many copies as asked, without the nodes that were dropped', async () => {
    const one = await call('indexer_getSelectedNodes', 1, 'min', true, []);
    assert.deepEqual(urlsOf((one.result as { trusted: unknown }).trusted), [urls[2]]);
    const halves = await call('indexer_getSelectedNodes', 1, 'min', true, [urls[2]]);
    assert.deepEqual(urlsOf((halves.result as { trusted: unknown }).trusted), urls.slice(0, 2));
    const byCount = await call('indexer_getSelectedNodes', 1, '2', true, []);
    assert.equal(urlsOf((byCount.result as { trusted: unknown }).trusted).length, 2);
    const tooMany = await call('indexer_getSelectedNodes', 3, 'min', true, []);
    assert.equal(tooMany.error?.code, -32_000);
    assert.match(tooMany.error?.message ?? '', /cannot select a subset/);
  });

  it('names the holders of a file that together have all of it', async () => {
    assert.deepEqual(
      urlsOf((await call('indexer_getFileLocations', ROOT)).result),
      urls.slice(0, 2),
    );
  });

  it('says null while a part is missing, and that a file is not known', async () => {
    assert.equal((await call('indexer_getFileLocations', OTHER)).result, null);
    const unknown = await call('indexer_getFileLocations', `0x${'00'.repeat(32)}`);
    assert.equal(unknown.error?.message, 'file not found');
    assert.deepEqual((await call('indexer_getNodeLocations')).result, {});
    assert.equal((await call('indexer_getFileLocations', '0x12')).error?.code, -32_602);
  });

  it('answers the gateway in its envelope', async () => {
    const get = async (path: string): Promise<{ code: number; data: unknown }> =>
      (await (await fetch(`${indexer.url}${path}`)).json()) as { code: number; data: unknown };
    const info = await get(`/file/info/${ROOT}`);
    assert.equal(info.code, 0);
    assert.equal((info.data as { finalized: boolean }).finalized, true);
    assert.equal((await get(`/file/info/${OTHER}`)).code, 0);
    assert.equal((await get(`/file/info/0x${'00'.repeat(32)}`)).code, 101);
    assert.equal((await get('/file')).code, 1);
    const many = await get(`/files/info?cid=${ROOT}&cid=0x${'00'.repeat(32)}&cid=nonsense`);
    assert.equal((many.data as unknown[])[1], null);
    assert.equal(typeof (many.data as unknown[])[2], 'string');
  });

  it('merges what nodes say: finalised only if all that know it agree', () => {
    const node = { url: 'u', shard: { id: 0, count: 1 }, latencyMs: 1 };
    const info = (finalized: boolean, uploadedSegNum: number) => ({
      node,
      info: {
        tx: {
          streamIds: [],
          data: [],
          dataMerkleRoot: ROOT as never,
          merkleNodes: [],
          startEntryIndex: 1,
          size: 9,
          seq: 0,
        },
        finalized,
        isCached: false,
        uploadedSegNum,
        pruned: false,
      },
    });
    const merged = mergeFileInfos([info(true, 5), { node, info: undefined }, info(false, 2)]);
    assert.equal(merged?.finalized, false);
    assert.equal(merged?.uploadedSegNum, 2);
    assert.equal(mergeFileInfos([{ node, info: undefined }]), undefined);
  });
});
