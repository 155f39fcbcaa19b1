import { equal, notEqual, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { RunMemory } from '../src/doors/run-memory.ts';

const RUN_BYTES = 1_000_000;
/** Replies that hold memory at once, as the doc comment says: 64 MiB of 2 MiB each. */
const MOST_LENT = 32;

describe('memory of runs', () => {
  let server: Server;
  let replies: ServerResponse[];
  beforeEach(async () => {
    replies = [];
    server = createServer((_, reply) => void replies.push(reply));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A connection on which `count` requests are sent at once, and the replies to them. */
  const ask = async (count: number): Promise<{ client: Socket; asked: ServerResponse[] }> => {
    const first = replies.length;
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
    while (replies.length < first + count) await new Promise((resolve) => setImmediate(resolve));
    return { client, asked: replies.slice(first) };
  };
  const lend = (memory: RunMemory, raw: ServerResponse): Uint8Array | undefined =>
    memory.lendTo({ raw })?.(RUN_BYTES);

  it('is used again once a reply is sent', async () => {
    const memory = new RunMemory();
    const { client, asked } = await ask(2);
    const [first, second] = asked as [ServerResponse, ServerResponse];
    const lent = lend(memory, first);
    client.resume();
    first.end(lent);
    await once(first, 'close');
    equal(lend(memory, second)?.buffer, lent?.buffer);
  });

  it('is not used again when its reply broke off: something may still be reading it', async () => {
    const memory = new RunMemory();
    const { client, asked } = await ask(1);
    const lent = lend(memory, asked[0] as ServerResponse);
    client.destroy();
    await once(asked[0] as ServerResponse, 'close');
    const { asked: later } = await ask(1);
    notEqual(lend(memory, later[0] as ServerResponse)?.buffer, lent?.buffer);
  });

  it('is lent to so many at once, and free again when clients leave replies that wait', async () => {
    const memory = new RunMemory();
    const { client, asked } = await ask(MOST_LENT + 1);
    for (const reply of asked.slice(1)) ok(lend(memory, reply) !== undefined);
    equal(lend(memory, asked[0] as ServerResponse), undefined, 'all of it is in use');
    client.destroy();
    await once(asked[0] as ServerResponse, 'close');
    const { asked: later } = await ask(MOST_LENT);
    for (const reply of later) ok(lend(memory, reply) !== undefined);
  });

  it('is not lent to a client that is gone', async () => {
    const { client, asked } = await ask(2);
    client.destroy();
    await once(asked[0] as ServerResponse, 'close');
    for (const reply of asked) equal(lend(new RunMemory(), reply), undefined);
  });
});
