import assert from 'node:assert/strict';
import { get } from 'node:http';
import { parseAddress } from '@cairn/primitives';
import { freePort } from '../../../test/support/free-port.ts';
import { PageServer } from '../../src/page-server.ts';

const network = {
  rpc: 'http://127.0.0.1:1',
  entrance: parseAddress(`0x${'22'.repeat(20)}`),
  rest: 'http://127.0.0.1:2',
};

describe('the page of a devnet', () => {
  let server: PageServer;
  before(async () => {
    server = await PageServer.load(await freePort(), network);
    await server.start();
  });
  after(async () => server?.stop());

  it('is served with what it stands in and where its network is', async () => {
    for (const [path, type, part] of [
      ['/', 'text/html', '<form'],
      ['/style.css', 'text/css', 'canvas'],
      ['/page.js', 'text/javascript', 'eth_getProof'],
      ['/network.json', 'application/json', network.rest],
    ] as const) {
      const reply = await fetch(`${server.url}${path}`);
      assert.equal(reply.status, 200);
      assert.match(reply.headers.get('content-type') ?? '', new RegExp(`^${type}`));
      assert.ok((await reply.text()).includes(part), path);
      assert.match(reply.headers.get('content-security-policy') ?? '', /script-src 'self'/);
    }
    const head = await fetch(server.url, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), '');
  });

  it('answers paths that are no URL, and goes on', async () => {
    const { hostname, port } = new URL(server.url);
    for (const path of ['//[', '/%', '/a:b', 'x']) {
      const status = await new Promise((resolve, reject) => {
        const request = get({ hostname, port, path }, (reply) => {
          reply.resume();
          resolve(reply.statusCode);
        });
        request.once('error', reject);
      });
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
    }
    assert.equal((await fetch(server.url)).status, 200);
  });

  it('has nothing else, and takes nothing', async () => {
    assert.equal((await fetch(`${server.url}/../package.json`)).status, 404);
    assert.equal((await fetch(`${server.url}/page.js/`)).status, 404);
    const posted = await fetch(server.url, { method: 'POST', body: 'x'.repeat(100_000) });
    assert.equal(posted.status, 405);
    await server.stop();
    await server.stop();
  });
});
