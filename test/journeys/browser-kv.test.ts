import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseStreamId } from '@cairn/kv-layer';
import type { Browser } from 'playwright-core';
import { bundlePage, newPage, sharedBrowser } from '../support/browser.ts';
import type { PageFindings, PageReads } from '../support/browser-kv.ts';
import { KvWorld } from '../support/kv-world.ts';

const STREAM = parseStreamId(`0x${'5c'.repeat(32)}`);

/** What a web page can read of streams without trusting the nodes that it asks. */
describe('proven reads of keys and values in headless Chromium', () => {
  let browser: Browser;
  let world: KvWorld;
  let server: Server | undefined;
  let page: string;

  before(async function () {
    const found = await sharedBrowser();
    if (found === undefined) this.skip();
    browser = found;
    world = await KvWorld.make(41, [STREAM]);
    for (let index = 0; index < 2; index += 1) await world.start();
    const pairs = Array.from({ length: 60 }, (_, at): [string, string] => [
      `page ${String(at).padStart(2, '0')}`,
      `text ${at}`,
    ]);
    await world.write(STREAM, Object.fromEntries(pairs));
    await world.write(STREAM, { 'page 07': 'rewritten', 'page 31': '' });
    await world.settled();
    const script = await bundlePage('test/support/browser-kv.ts');
    server = createServer((request, response) => {
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    page = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server?.closeAllConnections();
    server?.close();
    await world?.end();
  });

  const inBrowser = async (more: Partial<PageReads> = {}): Promise<PageFindings> => {
    const asked: PageReads = {
      ...{ kv: world.urls, keys: world.keys, threshold: 2, stream: STREAM, stale: 0 },
      ...{ present: 'page 07', absent: 'page 31', gte: 'page 29', lt: 'page 33' },
      ...{ neighbours: ['page 29', 'page 30'], ...more },
    };
    const tab = await newPage(browser);
    try {
      await tab.goto(page);
      return (await tab.evaluate(`readInPage(${JSON.stringify(asked)})`)) as PageFindings;
    } finally {
      await tab.close();
    }
  };

  it('shows a value, an absence and a whole range under roots that two nodes vouch for', async () => {
    const found = await inBrowser();
    assert.equal(found.value, 'rewritten');
    assert.equal(found.absent, true);
    assert.deepEqual(found.range, ['page 29', 'page 30', 'page 32']);
    assert.deepEqual(found.scanned, found.range);
    // Whatever a liar changes is refused by name.
    assert.ok(found.bits > 300, `${found.bits} bits`);
    for (const code of found.codes) assert.match(code, /^KV_(PROOF|STATEMENT)_/);
    assert.match(found.reordered, /^KV_PROOF_/);
    assert.equal(found.staleRoot, 'KV_PROOF_WRONG_ROOT');
    assert.equal(found.otherValue, 'KV_PROOF_VALUE');
  });

  it('reads nothing where too few vouch', async () => {
    const strangers = [`0x${'ee'.repeat(20)}`, world.keys[0] ?? ''];
    await assert.rejects(inBrowser({ keys: strangers }), /accounts vouch for one root/);
  });
});
