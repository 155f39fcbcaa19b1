import { deepEqual, equal, ok } from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { TestNode, testFile, until } from './harness.ts';

describe('the admin door', () => {
  let node: TestNode;
  let stops = 0;
  before(async () => {
    const onShutdown = (): void => {
      stops += 1;
    };
    node = await TestNode.start({ admin: { enabled: true }, node: { onShutdown } });
  });
  after(() => node.remove());

  const ask = (
    method: string,
    path: string,
    body?: unknown,
    // biome-ignore lint/suspicious/noExplicitAny: replies of many shapes
  ): Promise<{ readonly status: number; readonly json: any }> =>
    new Promise((resolve, reject) => {
      const { adminSocket: socketPath } = node.node.address;
      const headers = { 'content-type': 'application/json' };
      const asked = request({ socketPath, method, path, headers } as never, (reply) => {
        let text = '';
        reply.on('data', (piece) => {
          text += String(piece);
        });
        reply.on('end', () => resolve({ status: reply.statusCode ?? 0, json: JSON.parse(text) }));
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const rpc = async (method: string, params: readonly unknown[] = []) =>
    (await ask('POST', '/', { jsonrpc: '2.0', id: 1, method, params })).json;

  it('is a socket that only its owner can use', async () => {
    const { mode } = await stat(String(node.node.address.adminSocket));
    equal(mode & 0o777, 0o600);
  });

  it('tells the status and sets the log level', async () => {
    const { json } = await ask('GET', '/v1/admin/status');
    equal(json.status.chainId, 31337);
    equal(json.logLevel, 'info');
    deepEqual((await ask('PUT', '/v1/admin/log-level', { level: 'debug' })).json, {
      level: 'debug',
    });
    deepEqual((await ask('GET', '/v1/admin/log-level')).json, { level: 'debug' });
    equal((await ask('PUT', '/v1/admin/log-level', { level: 'loud' })).status, 400);
  });

  it('answers the admin methods of 0G nodes', async () => {
    deepEqual((await rpc('admin_getPeers')).result, {});
    equal((await rpc('admin_getNetworkInfo')).result.connectedPeers, 0);
    equal((await rpc('admin_getSyncServiceState')).result.numSyncing, 0);
    const metrics = (await rpc('admin_getMetrics', ['cairn_log_'])).result;
    ok(Object.keys(metrics).length > 0);
    for (const name of Object.keys(metrics)) ok(name.startsWith('cairn_log_'));
    const unknown = await rpc('admin_getFileLocation', [9, false]);
    deepEqual(unknown.error, { code: -32603, message: 'Internal error', data: 'tx not found' });
    const file = await testFile(10, 91);
    const [sequence = -1] = await node.announce(file);
    deepEqual((await rpc('admin_getFileLocation', [sequence, false])).result, []);
    equal((await rpc('admin_getFileLocation', [sequence, true])).result, null);
    await node.upload(file, sequence);
    deepEqual((await rpc('admin_getFileLocation', [sequence, true])).result, [
      { ip: '127.0.0.1', shardConfig: { shardId: 0, numShard: 1 } },
    ]);
    equal((await rpc('admin_startSyncFile', [sequence])).error.code, -32000);
    equal((await rpc('zgs_getStatus')).error.code, -32601);
  });

  it('stops the node, by route and by method', async () => {
    equal((await ask('POST', '/v1/admin/shutdown')).status, 202);
    equal((await rpc('admin_shutdown')).result, null);
    equal(stops, 2);
  });

  it('cannot be reached over TCP', async () => {
    equal((await node.get('/v1/admin/status')).status, 404);
    equal((await node.rpc('admin_getMetrics')).error.code, -32601);
    const posted = await fetch(`${node.url}/v1/admin/shutdown`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    equal((await posted.json()).error.code, -32600, 'it is JSON-RPC like any other path');
    equal(stops, 2);
  });

  it('begins a scrub and a change of the shard', async () => {
    equal((await ask('POST', '/v1/admin/scrub', { bytesPerSecond: -1 })).status, 400);
    equal((await ask('POST', '/v1/admin/scrub', { bytesPerSecond: 1e9 })).status, 202);
    await until(async () => (await ask('GET', '/v1/admin/scrub')).json.lastPass !== null);
    deepEqual((await ask('GET', '/v1/admin/shard')).json, {
      shard: '0/1',
      move: null,
      fault: null,
    });
    equal((await ask('PUT', '/v1/admin/shard', { shard: '2/3' })).status, 400);
    equal((await ask('PUT', '/v1/admin/shard', { shard: '0/1' })).status, 200, 'nothing to do');
    equal((await ask('PUT', '/v1/admin/shard', { shard: '3/4' })).status, 202);
    await until(async () => (await ask('GET', '/v1/admin/shard')).json.move === null);
    equal((await ask('GET', '/v1/admin/status')).json.upkeep.shard.shard, '3/4');
    deepEqual((await rpc('admin_getSyncServiceState')).result.catchedUp, true);
  });
});
