import assert from 'node:assert/strict';
import { LogWorld, type WorldNode } from '../support/log-world.ts';
import { streamNumber } from '../support/replayed.ts';

const ONE = streamNumber(1);
const MIB = 1024 ** 2;
const TYPE = { 'content-type': 'application/json' };

describe('the JSON-RPC door', () => {
  let world: LogWorld;
  let one: WorldNode;

  before(async () => {
    world = await LogWorld.make(19);
    one = await world.start({ streams: { ids: [ONE] } });
  });

  after(() => world.end());

  const post = async (
    body: string,
    { path = '/', headers = TYPE }: { path?: string; headers?: Record<string, string> } = {},
  ): Promise<[number, string]> => {
    const reply = await fetch(`${one.node.url}${path}`, { method: 'POST', body, headers });
    return [reply.status, await reply.text()];
  };
  const call = (method: string, params: unknown = []): string =>
    JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

  it('answers at every path, small calls and large ones alike', async () => {
    const answer = '{"jsonrpc":"2.0","result":true,"id":1}';
    const large = call('kv_getStatus', ['x'.repeat(100_000)]);
    for (const path of ['/', '/rpc/v1']) {
      assert.deepEqual(await post(call('kv_getStatus'), { path }), [200, answer]);
      assert.deepEqual(await post(large, { path }), [200, answer]);
    }
    const charset = { 'content-type': 'application/json; charset=utf-8' };
    assert.deepEqual(await post(call('kv_getStatus'), { headers: charset }), [200, answer]);
  });

  it('takes questions for keys of any length, and refuses bodies that no key fits', async () => {
    const key = Buffer.alloc(2 ** 24 - 1, 7).toString('base64');
    const [status, text] = await post(call('kv_getValue', [ONE, key, 0, 1]));
    const { result } = JSON.parse(text) as { result: unknown };
    assert.deepEqual([status, result], [200, { version: 0, data: '', size: 0 }]);
    const [tooLong] = await post(call('kv_getStatus', ['x'.repeat(33 * MIB)]));
    assert.equal(tooLong, 413);
  });

  it('keeps errors at 200, and other manners at what 0G nodes answer', async () => {
    const [status, text] = await post(call('kv_unknown'));
    assert.equal(status, 200);
    assert.equal((JSON.parse(text) as { error: { code: number } }).error.code, -32601);
    assert.equal((await post('{'))[0], 200);
    assert.equal((await post(''))[0], 400);
    assert.equal((await post('[]'))[0], 200);
    assert.equal((await post('x', { headers: { 'content-type': 'text/plain' } }))[0], 415);
    assert.equal((await fetch(one.node.url)).status, 405);
    assert.deepEqual(await post('{"jsonrpc":"2.0","method":"kv_getStatus"}'), [200, '']);
  });

  it('lets scripts of any origin ask', async () => {
    const reply = await fetch(one.node.url, {
      method: 'POST',
      body: call('kv_getStatus'),
      headers: TYPE,
    });
    assert.equal(reply.headers.get('access-control-allow-origin'), '*');
    const asked = await fetch(one.node.url, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    assert.equal(asked.status, 204);
    assert.match(asked.headers.get('access-control-allow-methods') ?? '', /POST/);
    assert.equal((await fetch(one.node.url, { method: 'OPTIONS' })).status, 204);
  });

  it('answers many at once, in a list too', async () => {
    const calls = Array.from({ length: 200 }, () => post(call('kv_getHoldingStreamIds')));
    for (const [status, text] of await Promise.all(calls)) {
      assert.equal(status, 200);
      assert.ok(text.includes(ONE));
    }
    const [, text] = await post(`[${call('kv_getStatus')},${call('kv_unknown')}]`);
    assert.equal((JSON.parse(text) as unknown[]).length, 2);
  });
});
