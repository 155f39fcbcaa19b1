import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainIdOf, rootOf } from '@cairn/primitives';
import { formatEndpoints } from '@cairn/wire-protocol';
import { blobReceiptJson } from '@cairn/wire-protocol/da';
import { type BlobCandidate, cheapestOf, onCheapestShard, onShardOf } from '../src/blob-shard.ts';
import { contextOf, fakeIo } from './fake-io.ts';

describe('the shard that a blob is posted to', () => {
  const best = (...candidates: readonly BlobCandidate[]) => cheapestOf(candidates)?.shard;
  const at = (shard: number, feeWei?: bigint, fault?: string) => ({ shard, feeWei, fault });

  it('is the cheapest, and the lower number of equals', () => {
    assert.equal(best(at(0, 30n), at(1, 20n), at(2, 25n)), 1);
    assert.equal(best(at(2, 20n), at(1, 20n), at(0, 21n)), 1);
  });

  it('is one whose price is known, if there is any', () => {
    assert.equal(best(at(0), at(1, 10n ** 30n)), 1);
    assert.equal(best(at(3), at(2)), 2);
  });

  it('is none whose disperser is away or not ready', () => {
    assert.equal(best(at(0, 1n, 'not ready'), at(1, 9n)), 1);
    assert.equal(best(at(0, 1n, 'not ready'), at(1, undefined, 'away')), undefined);
  });
});

describe('the shards of a network whose dispersers answer, refuse and are away', () => {
  const id = rootOf(new Uint8Array(32).fill(7));
  const known = { id, chainId: chainIdOf(31_339), shardId: 2, sizeBytes: 9 };
  const receipt = JSON.stringify(blobReceiptJson({ ...known, stage: 'accepted' }));
  /** What each disperser answers, by its name; one that is not here is away. */
  const manners = new Map<string, readonly [status: number, body: string]>();
  let folder: string;
  let server: Server;
  let options: { readonly endpoints: string };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-blob-shard-'));
    server = createServer(({ url = '' }, reply) => {
      const manner = manners.get(url.split('/')[1] ?? '');
      if (manner === undefined) return void reply.destroy();
      const [status, body] = manner;
      reply.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const url = `http://127.0.0.1:${address.port}`;
    const names = ['hub', 'shard-1', 'shard-2'];
    const path = join(folder, 'endpoints.json');
    const text = formatEndpoints({
      version: 1,
      chains: names.map((name, shard) => ({
        ...{ name, rpc: `${url}/chain`, chainId: chainIdOf(31_337 + shard), contracts: {} },
        logShard: shard === 0 ? 4 : shard,
      })),
      ...{ storage: [], kv: [], keys: [] },
      da: { rest: `${url}/hub`, chain: 'hub', signers: [] },
      dispersers: names.slice(1).map((name) => ({ rest: `${url}/${name}`, chain: name })),
    });
    await writeFile(path, text);
    options = { endpoints: path };
  });

  after(async () => {
    server?.closeAllConnections();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(() => manners.clear());

  it('name the one that knows a blob, whoever else is away', async () => {
    manners.set('shard-2', [200, receipt]);
    const io = fakeIo();
    const placed = await onShardOf(options, { id }, contextOf(io));
    assert.deepEqual(placed, { ...options, consensusShard: 2 });
    assert.equal(io.err(), '');
  });

  it('name none for a blob that nobody knows, and say whose disperser tells nothing', async () => {
    manners.set('hub', [404, '{}']);
    manners.set('shard-2', [502, '<html>']);
    const io = fakeIo();
    assert.equal(await onShardOf(options, { id }, contextOf(io)), options);
    assert.doesNotMatch(io.err(), /shard 0/);
    assert.match(io.err(), /^the disperser of consensus shard 1 tells nothing: .+\n/);
    assert.match(io.err(), /consensus shard 2 tells nothing: .*502/);
  });

  it('take a blob where a disperser is ready, and say why the others take none', async () => {
    manners.set('hub', [503, '{}']);
    manners.set('shard-2', [200, '{}']);
    const io = fakeIo();
    const placed = await onCheapestShard(options, 9, contextOf(io));
    assert.deepEqual(placed, { ...options, consensusShard: 2 });
    assert.match(io.err(), /consensus shard 0 takes none: .* is not ready \(status 503\)/);
    assert.match(io.err(), /consensus shard 1 takes none: .+\n/);
    manners.clear();
    assert.equal(await onCheapestShard(options, 9, contextOf(fakeIo())), options);
  });
});
