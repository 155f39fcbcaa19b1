import { equal, ok } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { MIB } from '@cairn/primitives';
import { UnsentReplies } from '../src/unsent-replies.ts';

const REPLY_BYTES = 24 * MIB; // more than the system's own buffers take

describe('replies on their way', () => {
  let server: Server;
  let unsent: UnsentReplies;
  let url: string;
  before(async () => {
    const body = Buffer.alloc(REPLY_BYTES);
    server = createServer((_, reply) => {
      unsent.add(reply, body.length);
      reply.end(body);
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

  it('cut the client that does not read once others need the memory, and only then', async () => {
    const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
    silent.on('error', () => undefined);
    silent.pause();
    silent.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    while (unsent.bytes === 0) await new Promise((resolve) => setImmediate(resolve));
    equal(unsent.bytes, REPLY_BYTES);
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
    while (unsent.bytes > 0) await new Promise((resolve) => setImmediate(resolve));
    unsent.add({ once: () => undefined, destroy: () => undefined }, 65_536);
    equal(unsent.bytes, 0);
  });
});
