import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { concatBytes, isFault, seededRng, utf8Bytes, utf8Text } from '@cairn/primitives';
import { createNodeTransport } from '../../src/transport/node-transport.ts';

const { signal } = new AbortController();
const segment = seededRng(5).fill(new Uint8Array(262_144));
const fault = (code: string) => (error: unknown) => isFault(error, code);

interface Site {
  readonly url: string;
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

async function withServer(answer: RequestListener, test: (site: Site) => Promise<void>) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    await test({ url: `http://127.0.0.1:${port}`, server, sockets });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('node transport', () => {
  it('sends bodies and reads replies whole or as they arrive, over one connection', async () => {
    const answer: RequestListener = (request, reply) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        reply.setHeader('X-Method', request.method ?? '');
        const body = request.method === 'PUT' ? Buffer.concat(pieces) : segment;
        reply.setHeader('content-length', body.length); // a HEAD without one ends the connection
        reply.end(body);
      });
    };
    await withServer(answer, async ({ url, sockets }) => {
      const transport = createNodeTransport();
      for (let round = 0; round < 3; round += 1) {
        const put = await transport.send({ method: 'PUT', url, body: segment, signal });
        assert.deepEqual([put.status, put.headers['x-method']], [200, 'PUT']);
        assert.deepEqual(await put.bytes(segment.length), segment);
        const got = await transport.send({ method: 'GET', url, signal });
        const pieces: Uint8Array[] = [];
        for await (const piece of got.stream()) pieces.push(piece);
        assert.deepEqual(concatBytes(...pieces), segment);
        const head = await transport.send({ method: 'HEAD', url, signal });
        assert.equal((await head.bytes(0)).length, 0);
      }
      assert.equal(sockets.size, 1, 'one connection served all');
      await transport.close();
    });
  });

  it('keeps to its connections a host', async () => {
    await withServer(
      (_, reply) => setTimeout(() => reply.end('x'), 5),
      async ({ url, sockets }) => {
        const transport = createNodeTransport({ maxSocketsPerHost: 3 });
        await Promise.all(
          Array.from({ length: 12 }, async () => {
            const reply = await transport.send({ method: 'GET', url, signal });
            assert.equal(utf8Text(await reply.bytes(10)), 'x');
          }),
        );
        assert.equal(sockets.size, 3);
        await transport.close();
      },
    );
  });

  it('refuses replies over the bound, announced or not', async () => {
    const answer: RequestListener = (request, reply) => {
      if (request.url === '/announced') reply.setHeader('content-length', segment.length);
      reply.write(segment.subarray(0, 200_000));
      reply.end(segment.subarray(200_000));
    };
    await withServer(answer, async ({ url }) => {
      const transport = createNodeTransport();
      for (const path of ['/announced', '/chunked']) {
        const reply = await transport.send({ method: 'GET', url: url + path, signal });
        await assert.rejects(
          reply.bytes(segment.length - 1),
          fault('TRANSPORT_REPLY_TOO_LARGE'),
          path,
        );
        const whole = await transport.send({ method: 'GET', url: url + path, signal });
        assert.deepEqual(await whole.bytes(segment.length), segment);
      }
      await transport.close();
    });
  });

  it('gives up on a silent head and a silent body', async () => {
    const answer: RequestListener = (request, reply) => {
      if (request.url === '/head') return;
      reply.writeHead(200, { 'content-length': '100' });
      reply.write('some');
    };
    await withServer(answer, async ({ url }) => {
      const transport = createNodeTransport({ idleTimeoutMs: 60 });
      const get = (path: string, timeoutMs: number) =>
        transport.send({ method: 'GET', url: url + path, signal, timeoutMs });
      await assert.rejects(get('/head', 40), fault('TRANSPORT_TIMEOUT'));
      await assert.rejects((await get('/body', 5000)).bytes(100), fault('TRANSPORT_TIMEOUT'));
      await assert.rejects(async () => {
        for await (const _ of (await get('/body', 5000)).stream());
      }, fault('TRANSPORT_TIMEOUT'));
      await transport.close();
    });
  });

  it('tells a body that was cut short', async () => {
    const answer: RequestListener = (request, reply) => {
      reply.writeHead(200, { 'content-length': '100' });
      reply.write('some');
      setTimeout(() => request.socket.destroy(), 10);
    };
    await withServer(answer, async ({ url }) => {
      const transport = createNodeTransport();
      const get = () => transport.send({ method: 'GET', url: `${url}/cut`, signal });
      await assert.rejects((await get()).bytes(100), fault('TRANSPORT_BROKEN_REPLY'));
      await assert.rejects(async () => {
        for await (const _ of (await get()).stream());
      }, fault('TRANSPORT_BROKEN_REPLY'));
      await transport.close();
    });
  });

  it('hands on the reason of its signal, before, during and after the head', async () => {
    const answer: RequestListener = (request, reply) => {
      if (request.url === '/head') return;
      reply.writeHead(200);
      reply.write('some');
    };
    await withServer(answer, async ({ url }) => {
      const transport = createNodeTransport();
      const reason = new Error('not wanted any more');
      const stopped = AbortSignal.abort(reason);
      const get = (path: string, stop: AbortSignal) =>
        transport.send({ method: 'GET', url: url + path, signal: stop });
      await assert.rejects(get('/head', stopped), reason);
      const during = new AbortController();
      const waiting = get('/head', during.signal);
      setImmediate(() => during.abort(reason));
      await assert.rejects(waiting, reason);
      const after = new AbortController();
      const reply = await get('/body', after.signal);
      const reading = reply.bytes(1000);
      setImmediate(() => after.abort(reason));
      await assert.rejects(reading, reason);
      await transport.close();
    });
  });

  it('tries once more when a kept connection turns out closed, but never a POST', async () => {
    let requests = 0;
    const answer: RequestListener = (request, reply) => {
      requests += 1;
      if (requests % 2 === 0) request.socket.destroy();
      else reply.end('x');
    };
    await withServer(answer, async ({ url }) => {
      const transport = createNodeTransport();
      const ask = async (method: 'GET' | 'POST') => {
        const reply = await transport.send({ method, url, signal, body: utf8Bytes('b') });
        return utf8Text(await reply.bytes(10));
      };
      assert.equal(await ask('GET'), 'x');
      assert.equal(await ask('GET'), 'x');
      assert.equal(requests, 3);
      await assert.rejects(ask('POST'), fault('TRANSPORT_UNREACHABLE'));
      assert.equal(requests, 4);
      await transport.close();
    });
  });

  it('says where nobody listens, without the password in the address', async () => {
    const transport = createNodeTransport();
    for (const url of ['http://user:canary@127.0.0.1:1/x?token=canary', 'no address', 'ftp://a/']) {
      await assert.rejects(transport.send({ method: 'GET', url, signal }), (error) => {
        assert.ok(isFault(error, 'TRANSPORT_UNREACHABLE'));
        assert.ok(!JSON.stringify([error.message, error.facts]).includes('canary'));
        return true;
      });
    }
    await transport.close();
  });

  it('keeps the connection of a reply that has no body', async () => {
    await withServer(
      (request, reply) => {
        request.resume().on('end', () => reply.writeHead(204).end());
      },
      async ({ url, sockets }) => {
        const transport = createNodeTransport();
        for (let round = 0; round < 5; round += 1) {
          const reply = await transport.send({ method: 'PUT', url, body: segment, signal });
          await reply.discard();
        }
        assert.equal(sockets.size, 1, 'one connection served all');
        await transport.close();
      },
    );
  });

  it('frees the connection of a reply that is given up', async () => {
    await withServer(
      (request, reply) => reply.end(request.url === '/large' ? segment : 'small'),
      async ({ url, sockets }) => {
        const transport = createNodeTransport({ maxSocketsPerHost: 1 });
        for (const path of ['/small', '/small', '/large', '/small']) {
          const reply = await transport.send({ method: 'GET', url: url + path, signal });
          await reply.discard();
        }
        assert.equal(sockets.size, 2, 'only the large reply cost its connection');
        await transport.close();
      },
    );
  });
});
