import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { connect } from 'node:net';
import { type RpcOutcome, TestNode } from './harness.ts';

describe('json-rpc framing as 0G nodes do it', () => {
  let node: TestNode;
  before(async () => {
    node = await TestNode.start();
  });
  after(() => node.remove());

  const shard = { shardId: 0, numShard: 1 };

  it('answers without params, with empty params and with null params', async () => {
    deepEqual((await node.rpc('zgs_getShardConfig')).result, shard);
    deepEqual((await node.rpc('zgs_getShardConfig', [])).result, shard);
    deepEqual((await node.rpc('zgs_getShardConfig', null)).result, shard);
  });

  it('echoes ids: above 2^53, text and null', async () => {
    const ask = async (id: string): Promise<unknown> => {
      const body = `{"jsonrpc":"2.0","method":"zgs_getShardConfig","id":${id}}`;
      return JSON.parse((await node.post(body)).text).id;
    };
    equal(await ask('18014398509481984'), 18014398509481984);
    equal(await ask('"abc"'), 'abc');
    equal(await ask('null'), null);
  });

  it('ignores the path', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'zgs_getShardConfig' });
    deepEqual((await node.post(body, { path: '/any/path?x=1' })).result, shard);
  });

  it('writes result null out and never beside an error', async () => {
    const { text } = await node.rpc('zgs_getFileInfoByTxSeq', [99]);
    equal(text, '{"jsonrpc":"2.0","result":null,"id":1}');
    const refused = JSON.parse((await node.rpc('zgs_nothing')).text);
    deepEqual(Object.keys(refused), ['jsonrpc', 'error', 'id']);
  });

  it('answers errors with HTTP 200', async () => {
    const unknown = await node.rpc('zgs_nothing');
    equal(unknown.status, 200);
    deepEqual(unknown.error, { code: -32601, message: 'Method not found' });
    const wrong = await node.rpc('zgs_getFileInfo', ['0x12', true]);
    equal(wrong.status, 200);
    equal(wrong.error.code, -32602);
    equal(wrong.error.message, 'Invalid params');
    equal(typeof wrong.error.data, 'string');
  });

  it('refuses what is not JSON-RPC with the right number', async () => {
    const cases: readonly (readonly [string, number, number])[] = [
      ['hello', 400, -32700],
      ['', 400, -32700],
      ['{"jsonrpc":"2.0",', 200, -32700],
      ['{"jsonrpc":"2.0","id":1}', 200, -32600],
      ['{"method":"zgs_getStatus","id":1}', 200, -32600],
      ['[]', 200, -32600],
      ['[1]', 200, -32600],
      [`${'['.repeat(40)}${']'.repeat(40)}`, 200, -32700],
    ];
    for (const [body, status, code] of cases) {
      const outcome = await node.post(body);
      equal(outcome.status, status, body);
      const [first] = [JSON.parse(outcome.text)].flat() as RpcOutcome[];
      equal(first?.error.code, code, body);
    }
  });

  it('does not run notifications and answers them with nothing', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', method: 'zgs_nothing' });
    const outcome = await node.post(body);
    equal(outcome.status, 200);
    equal(outcome.text, '');
  });

  it('answers batches in order, notifications left out', async () => {
    const call = (id: number | undefined, method: string): unknown => ({
      jsonrpc: '2.0',
      method,
      ...(id === undefined ? {} : { id }),
    });
    const batch = [
      call(1, 'zgs_getShardConfig'),
      call(undefined, 'zgs_getShardConfig'),
      call(2, 'zgs_nothing'),
    ];
    const replies = JSON.parse((await node.post(JSON.stringify(batch))).text);
    deepEqual(
      replies.map(({ id }: { id: number }) => id),
      [1, 2],
    );
    deepEqual(replies[0].result, shard);
    equal(replies[1].error.code, -32601);
    equal((await node.post(JSON.stringify([batch[1]]))).text, '');
  });

  it('takes named parameters', async () => {
    const params = { tx_seq: 4 };
    equal((await node.rpc('zgs_getFileInfoByTxSeq', params)).result, null);
  });

  it('takes three content types and refuses others with 415', async () => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'zgs_getShardConfig' });
    for (const contentType of [
      'application/json',
      'application/json; charset=utf-8',
      'application/json;charset=utf-8',
    ]) {
      equal((await node.post(body, { contentType })).status, 200);
    }
    equal((await node.post(body, { contentType: 'text/plain' })).status, 415);
    equal((await node.post(body, { contentType: 'application/octet-stream' })).status, 415);
  });

  it('refuses other methods with 405', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      equal((await fetch(`${node.url}/`, { method })).status, 405, method);
    }
  });

  it('answers OPTIONS, with and without a preflight', async () => {
    const plain = await fetch(`${node.url}/`, { method: 'OPTIONS' });
    ok(plain.ok);
    equal(plain.headers.get('access-control-allow-origin'), '*');
    const preflight = await fetch(`${node.url}/`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://example.org',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });
    ok(preflight.ok);
    equal(preflight.headers.get('access-control-allow-origin'), '*');
    match(preflight.headers.get('access-control-allow-headers') ?? '', /content-type/);
    const reply = await fetch(`${node.url}/`, {
      method: 'POST',
      headers: { origin: 'https://example.org', 'content-type': 'application/json' },
      body: '{}',
    });
    equal(reply.headers.get('access-control-allow-origin'), '*');
  });

  it('refuses a body over 100 MiB before reading it', async () => {
    const { port } = node.node.address;
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${100 * 1024 ** 2 + 1}\r\n\r\n{`,
    );
    let text = '';
    for await (const piece of socket) {
      text += String(piece);
      if (text.includes('"id":null')) break;
    }
    socket.destroy();
    match(text, /^HTTP\/1\.1 413 /);
    match(text, /"code":-32701,"message":"Request is too big"/);
  });
});
