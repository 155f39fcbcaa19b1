import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signerFromKey } from '@cairn/chain-access';
import {
  type AvailabilityScore,
  createClient,
  type SignedScore,
  signerOfScore,
} from '@cairn/client-sdk';
import { fromHex, keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import type { Browser } from 'playwright-core';
import { type TestFile, TestNode, testFile } from '../../storage-node/test/harness.ts';
import { ScriptedChain } from '../../storage-node/test/scripted-chain.ts';
import { bundlePage, newPage, sharedBrowser } from '../support/browser.ts';
import type { PageQuestion } from '../support/browser-availability.ts';
import { cairn } from '../support/cli.ts';

const SEGMENTS = 6;
const LOST_SEGMENT = 3;
const KEY = '0b'.repeat(32);
const SEED = toHex(keccak256(utf8Bytes('a page asks')));
/** Long enough for a busy machine. */
const ANSWER_MS = 60_000;
/** Where a node never answers: it is awaited so long, once. */
const SHORT_ANSWER_MS = 10_000;

/** What a person at a web page can find out about nodes, without trusting one of them or a gateway. */
describe('proof of availability in headless Chromium', () => {
  let browser: Browser;
  let file: TestFile;
  let page: string;
  const nodes: TestNode[] = [];
  const servers: Server[] = [];
  let [whole, even, odd, lossy] = ['', '', '', ''];
  let [liar, mute] = ['', ''];

  const serve = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  before(async function () {
    const found = await sharedBrowser();
    if (found === undefined) this.skip();
    browser = found;
    file = await testFile(SEGMENTS * 262_144 - 700, 11);
    const chain = new ScriptedChain();
    for (const shard of ['0/1', '0/2', '1/2', '0/1']) {
      nodes.push(await TestNode.start({ chain, shard }));
    }
    [whole = '', even = '', odd = '', lossy = ''] = nodes.map(({ url }) => url);
    const [sequence] = (await nodes[0]?.announce(file)) ?? [];
    for (const node of nodes) {
      await node.synced();
      for (let index = 0; index < SEGMENTS; index += 1) {
        if (node.url !== lossy || index !== LOST_SEGMENT) await node.put(file, index, sequence);
      }
    }
    liar = await serve(behind(whole, (bytes) => bytes.with(100, 255 ^ (bytes[100] ?? 0))));
    mute = await serve(behind(whole, () => undefined));
    const script = await bundlePage('test/support/browser-availability.ts');
    page = await serve((request, response) => {
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
    });
  });

  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    for (const node of nodes) await node.remove();
  });

  const question = (urls: readonly string[], samples = 30): PageQuestion => ({
    root: file.root,
    nodes: urls,
    samples,
    seed: SEED,
    answerMs: ANSWER_MS,
    key: KEY,
  });

  /** What the page found, from an origin that is none of the nodes'. */
  const inBrowser = async (asked: PageQuestion): Promise<SignedScore> => {
    const tab = await newPage(browser);
    try {
      await tab.goto(page);
      return (await tab.evaluate(`proveInPage(${JSON.stringify(asked)})`)) as SignedScore;
    } finally {
      await tab.close();
    }
  };

  const inNode = async (asked: PageQuestion): Promise<AvailabilityScore> => {
    const { root, nodes: urls, samples, seed, answerMs } = asked;
    const client = createClient({ nodes: urls });
    try {
      const options = { nodes: urls, samples, answerMs, seed: fromHex(seed) };
      return await client.files.proveAvailability(root, options);
    } finally {
      await client.close();
    }
  };

  /** All that a score says but when. */
  const found = ({ timeMs, ...score }: AvailabilityScore): unknown => score;

  it('says what Node says on the same seed, and signs it', async () => {
    const asked = question([whole, even, odd]);
    const signed = await inBrowser(asked);
    const { score } = signed;
    assert.equal(score.verdict, 'available');
    assert.deepEqual([score.leastReplicas, score.mostReplicas], [2, 2]);
    for (const node of score.nodes) {
      assert.deepEqual([node.asked, node.answered, node.passed], [30, 30, true]);
    }
    assert.equal(score.seed, SEED);
    assert.ok(Math.abs(score.lossBound.share - (1 - 2 ** (-10 / 30))) < 1e-12);
    assert.deepEqual(found(score), found(await inNode(asked)));
    assert.equal(signerOfScore(signed), signerFromKey(KEY).address);
    assert.equal(signerOfScore({ ...signed, score: { ...score, samples: 31 } }), undefined);
  });

  it('is asked again by the command with the seed of the score', async () => {
    const { score } = await inBrowser(question([whole]));
    const words = ['--node', whole, '--samples', '30', '--seed', score.seed, '--json'];
    const { status, stdout, stderr } = await cairn(['prove', 'availability', file.root, ...words]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(found(JSON.parse(String(stdout)).score), found(score));
  });

  it('says unavailable of nodes that keep a half, or lack a segment', async () => {
    const half = (await inBrowser(question([odd]))).score;
    assert.equal(half.verdict, 'unavailable');
    assert.equal(half.nodes[0]?.passed, true);
    const asked = question([lossy]);
    const { score } = await inBrowser(asked);
    const [node] = score.nodes;
    assert.equal(score.verdict, 'unavailable');
    assert.equal(node?.passed, false);
    assert.equal(node?.lossBound, undefined);
    assert.ok((node?.silent ?? 0) > 0);
    assert.deepEqual(node?.reasons, { SEGMENT_NOT_HELD: node?.silent });
    assert.deepEqual(found(score), found(await inNode(asked)));
  });

  it('tells a node that lies and one that is silent from one that has the file', async () => {
    const asked = { ...question([whole, liar, mute], 4), answerMs: SHORT_ANSWER_MS };
    const { score } = await inBrowser(asked);
    const of = (url: string) => score.nodes.find((node) => node.url === url);
    assert.equal(score.verdict, 'available');
    assert.deepEqual([score.leastReplicas, score.mostReplicas], [1, 1]);
    assert.equal(of(whole)?.passed, true);
    assert.deepEqual(of(liar)?.reasons, { PROOF_WRONG_ROOT: 4 });
    assert.equal(of(liar)?.wrong, 4);
    assert.deepEqual(of(mute)?.reasons, { DEADLINE_PASSED: 4 });
    // Not the silent one again: that would be awaited again.
    const again = await inNode({ ...asked, nodes: [whole, liar] });
    const others = score.nodes.filter(({ url }) => url !== mute);
    assert.deepEqual(again.nodes, others);
  });
});

/** A node seen through something that spoils its sectors, or keeps them back. */
function behind(
  target: string,
  sector: (bytes: Uint8Array) => Uint8Array | undefined,
): RequestListener {
  return (request, response) => {
    const pass = async (): Promise<void> => {
      const { method = 'GET', url = '/' } = request;
      const sent = Buffer.concat(await request.toArray());
      const names = ['content-type', 'origin', 'access-control-request-method'];
      names.push('access-control-request-headers');
      const headers = names.flatMap((name) => {
        const value = request.headers[name];
        return value === undefined ? [] : [[name, String(value)] as [string, string]];
      });
      const body = method === 'POST' ? { body: sent } : {};
      const reply = await fetch(`${target}${url}`, { method, headers, ...body });
      const bytes = new Uint8Array(await reply.arrayBuffer());
      const isSector = method === 'GET' && url.startsWith('/v1/sectors/');
      const given = isSector ? sector(bytes) : bytes;
      if (given === undefined) return; // the asker waits
      response.statusCode = reply.status;
      for (const [name, value] of reply.headers) {
        if (name === 'content-type' || name.startsWith('access-control-')) {
          response.setHeader(name, value);
        }
      }
      response.end(given);
    };
    pass().catch(() => response.destroy());
  };
}
