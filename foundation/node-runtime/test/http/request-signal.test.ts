import { equal, ok } from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { ClientGone, requestSignal } from '../../src/http/request-signal.ts';

describe('the signal of a request', () => {
  let server: Server;
  const replies: ServerResponse[] = [];
  before(async () => {
    server = createServer((_, reply) => void replies.push(reply));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  it('aborts when the client leaves, also for requests it sent ahead, and forgets the node', async () => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    while (replies.length < 3) await new Promise((resolve) => setImmediate(resolve));
    const { signal: stopping } = new AbortController();
    const signals = replies.map((raw) => requestSignal({ raw }, stopping));
    equal(getEventListeners(stopping, 'abort').length, 3);
    client.destroy();
    await once(replies[0] as ServerResponse, 'close');
    for (const signal of signals) ok(signal.reason instanceof ClientGone);
    equal(getEventListeners(stopping, 'abort').length, 0);
  });
});
