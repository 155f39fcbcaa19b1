import { equal, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { MIB } from '@cairn/primitives';
import { UnsentReplies } from '../src/unsent-replies.ts';

const REPLY_BYTES = 24 * MIB; // more than the system's own buffers take
const SMALL_BYTES = 65_536;

describe('replies on their way', () => {
  let server: Server;
  let unsent: UnsentReplies;
  let url: string;
  before(async () => {
    const body = Buffer.alloc(REPLY_BYTES);
    server = createServer((request, reply) => {
      const sent = request.url === '/small' ? body.subarray(0, SMALL_BYTES) : body;
      unsent.add(reply, sent.length);
      reply.setHeader('x-counted', unsent.bytes);
      reply.end(sent);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    unsent = new UnsentReplies({ maxBytes: 30 * MIB });
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A client that asks `count` times at once and reads nothing. */
  const silentClient = (count: number): Socket => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
    return socket;
  };
  const counted = async (bytes: number): Promise<void> => {
    while (unsent.bytes !== bytes) await new Promise((resolve) => setImmediate(resolve));
  };

  it('cut the client that does not read once others need the memory, and only then', async () => {
    const silent = silentClient(1);
    await counted(REPLY_BYTES);
    const reader = await fetch(url);
    equal((await reader.arrayBuffer()).byteLength, REPLY_BYTES);
    let received = 0;
    silent.on('data', (piece) => {
      received += piece.length;
    });
    silent.resume();
    await once(silent, 'close');
    ok(received < REPLY_BYTES, `${received} bytes`);
  });

  it('are forgotten when they are through, and small ones never counted', async () => {
    await (await fetch(url)).arrayBuffer();
    await counted(0);
    const small = await fetch(`${url}/small`);
    equal((await small.arrayBuffer()).byteLength, SMALL_BYTES);
    equal(small.headers.get('x-counted'), '0');
  });

  it('are forgotten with their connection, also those that wait behind others', async () => {
    unsent = new UnsentReplies({ maxBytes: 5 * REPLY_BYTES });
    const silent = silentClient(4);
    await counted(4 * REPLY_BYTES);
    silent.destroy();
    await counted(0);
  });

  it('are cut with all that waits on their connection, before any other is', async () => {
    unsent = new UnsentReplies({ maxBytes: 3.5 * REPLY_BYTES });
    const greedy = silentClient(2);
    await counted(2 * REPLY_BYTES);
    const patient = silentClient(1);
    await counted(3 * REPLY_BYTES);
    await (await fetch(url)).arrayBuffer();
    await counted(REPLY_BYTES);
    patient.destroy();
    greedy.destroy();
    await counted(0);
  });
});
