import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signerFromKey } from '@cairn/chain-access';
import { type AvailabilityScore, type SignedScore, signerOfScore } from '@cairn/client-sdk';
import { type TestFile, TestNode, testFile } from '../../../storage-node/test/harness.ts';
import { ScriptedChain } from '../../../storage-node/test/scripted-chain.ts';
import { run } from '../../src/main.ts';
import { contextOf, fakeIo } from '../fake-io.ts';

const SEGMENTS = 6;
const KEY = '07'.repeat(32);

/** A node seen through something that spoils its sectors, or keeps them back. */
async function behind(
  node: TestNode,
  sector: (bytes: Uint8Array) => Uint8Array | undefined,
): Promise<{ readonly url: string; readonly server: Server }> {
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/' } = request;
    const sent = Buffer.concat(await request.toArray());
    const headers = { 'content-type': request.headers['content-type'] ?? 'application/json' };
    const body = method === 'POST' ? { body: sent } : {};
    const reply = await fetch(`${node.url}${url}`, { method, headers, ...body });
    const bytes = new Uint8Array(await reply.arrayBuffer());
    const given = url.startsWith('/v1/sectors/') ? sector(bytes) : bytes;
    if (given === undefined) return; // the asker waits
    const type = reply.headers.get('content-type') ?? 'application/octet-stream';
    response.writeHead(reply.status, { 'content-type': type });
    response.end(given);
  };
  const server = createServer((request, response) => void pass(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

describe('proof that a file is available', () => {
  let folder: string;
  let file: TestFile;
  const nodes: TestNode[] = [];
  const servers: Server[] = [];
  let [whole, even, odd, rotten] = ['', '', '', ''];
  let [liar, mute] = ['', ''];
  const node = (index: number): TestNode => {
    const found = nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cairn-prove-'));
    file = await testFile(SEGMENTS * 262_144 - 1000);
    const chain = new ScriptedChain();
    for (const shard of ['0/1', '0/2', '1/2', '0/1']) {
      nodes.push(await TestNode.start({ chain, shard }));
    }
    const [sequence] = await node(0).announce(file);
    for (const each of nodes) {
      await each.synced();
      for (let index = 0; index < SEGMENTS; index += 1) await each.put(file, index, sequence);
    }
    [whole = '', even = '', odd = '', rotten = ''] = nodes.map(({ url }) => url);
    await rot(node(3).directory);
    const spoiled = await behind(node(0), (bytes) => bytes.with(100, 255 ^ (bytes[100] ?? 0)));
    const silent = await behind(node(0), () => undefined);
    servers.push(spoiled.server, silent.server);
    [liar, mute] = [spoiled.url, silent.url];
  });

  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    for (const each of nodes) await each.remove();
    await rm(folder, { recursive: true });
  });

  /** Flips a byte in the middle of all that a node stored: it finds out when it reads. */
  async function rot(directory: string): Promise<void> {
    const folderOf = join(directory, 'segments');
    for (const entry of await readdir(folderOf, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const handle = await open(join(entry.parentPath, entry.name), 'r+');
      const { size } = await handle.stat();
      for (let at = 262_144 / 2; at < size; at += 262_144) await handle.write('rot', at);
      await handle.close();
    }
  }

  const prove = async (urls: readonly string[], ...more: readonly string[]) => {
    const io = fakeIo({ cwd: folder });
    const named = urls.flatMap((url) => ['--node', url]);
    const args = ['prove', 'availability', file.root, ...named, ...more];
    const exit = await run(args, contextOf(io));
    return { exit, out: io.out(), err: io.err() };
  };
  const scoreOf = (text: string): AvailabilityScore => JSON.parse(text).score;

  it('asks each node for what its shard keeps, and says what a pass is worth', async () => {
    const { exit, out, err } = await prove([even, odd], '--json');
    assert.equal(exit, 0, err);
    const score = scoreOf(out);
    assert.equal(score.verdict, 'available');
    assert.deepEqual([score.leastReplicas, score.mostReplicas], [1, 1]);
    for (const each of score.nodes) {
      assert.deepEqual([each.asked, each.answered, each.wrong, each.silent], [30, 30, 0, 0]);
      assert.equal(each.passed, true);
    }
    assert.ok(Math.abs(score.lossBound.share - (1 - 2 ** (-10 / 30))) < 1e-12);
    assert.ok(Math.abs(score.lossBound.chanceAtTenth - 0.9 ** 30) < 1e-12);
    const words = await prove([whole, even]);
    assert.match(words.out, /available, each segment at 1 to 2 nodes/);
    assert.match(words.err, /20\.6 % or more once in 1024, 10 % with a chance of 4\.2 %/);
  });

  it('says unavailable where half of the shards is not there', async () => {
    const { exit, out } = await prove([even], '--json');
    assert.equal(exit, 5);
    assert.equal(scoreOf(out).verdict, 'unavailable');
    assert.equal(scoreOf(out).nodes[0]?.passed, true);
  });

  it('counts what a node lost as silent, and draws nothing in its place', async () => {
    const { exit, out } = await prove([rotten], '--json');
    assert.equal(exit, 5);
    const [lossy] = scoreOf(out).nodes;
    assert.equal(lossy?.asked, 30);
    assert.equal((lossy?.answered ?? 0) + (lossy?.silent ?? 0), 30);
    assert.ok((lossy?.silent ?? 0) > 0);
    assert.deepEqual(Object.keys(lossy?.reasons ?? {}), ['SEGMENT_NOT_HELD']);
    assert.equal(lossy?.lossBound, undefined);
  });

  it('tells a liar and a silent node from one that has the file', async () => {
    // Long enough for a busy machine to answer, and still awaited once by those that never do.
    const more = ['--samples', '4', '--answer-timeout', '10s', '--json'];
    const { exit, out } = await prove([whole, liar, mute], ...more);
    assert.equal(exit, 4);
    const score = scoreOf(out);
    assert.equal(score.verdict, 'available');
    const of = (url: string) => score.nodes.find((each) => each.url === url);
    assert.equal(of(whole)?.answered, 4);
    assert.deepEqual(of(liar)?.reasons, { PROOF_WRONG_ROOT: 4 });
    assert.equal(of(liar)?.wrong, 4);
    assert.deepEqual(of(mute)?.reasons, { DEADLINE_PASSED: 4 });
    assert.equal(of(mute)?.silent, 4);
  });

  it('signs a score that nobody can change', async () => {
    const path = join(folder, 'key.hex');
    await writeFile(path, KEY, { mode: 0o600 });
    const { exit, out, err } = await prove([whole], '--key-file', path, '--json');
    assert.equal(exit, 0, err);
    const signed: SignedScore = JSON.parse(out);
    assert.equal(signerOfScore(signed), signerFromKey(KEY).address);
    const changed = { ...signed, score: { ...signed.score, samples: 31 } };
    assert.equal(signerOfScore(changed), undefined);
  });

  it('asks a small file whole, which leaves no doubt', async () => {
    const small = await testFile(2000, 9);
    const [sequence] = await node(0).announce(small);
    await node(0).put(small, 0, sequence);
    const io = fakeIo({ cwd: folder });
    assert.equal(
      await run(['prove', 'availability', small.root, '--node', whole], contextOf(io)),
      0,
    );
    assert.match(io.out(), /has all/);
    assert.match(io.err(), /every sector was asked for/);
  });
});
