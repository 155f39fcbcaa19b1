import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request as rawRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { Fault, isRecord, silentLogger } from '@cairn/primitives';
import {
  acceptBytes,
  acceptStreams,
  bodyBytes,
  bodyStream,
  readableFrom,
} from '../../src/http/body.ts';
import {
  createHttpHost,
  type HttpHost,
  type HttpHostOptions,
} from '../../src/http/create-http-host.ts';
import { createMetrics } from '../../src/observe/create-metrics.ts';
import { createNodeTransport } from '../../src/transport/node-transport.ts';
import { firstOutput, killHard, runChild } from '../child.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';

const segment = new Uint8Array(262_144).fill(7);

async function withHost(
  options: Partial<HttpHostOptions>,
  test: (url: string, host: HttpHost) => Promise<void>,
): Promise<void> {
  const host = createHttpHost({
    name: 'test-node',
    version: '1.2.3',
    logger: silentLogger(),
    metrics: createMetrics({ processMetrics: false }),
    ...options,
  });
  await host.start();
  try {
    await test(host.address.url, host);
  } finally {
    await host.stop();
  }
}

async function problem(reply: Response): Promise<Record<string, unknown>> {
  assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/);
  const value: unknown = await reply.json();
  assert.ok(isRecord(value));
  assert.equal(value['status'], reply.status);
  assert.equal(value['requestId'], reply.headers.get('x-cairn-request-id'));
  return value;
}

/** Sends text over a plain socket and gives back all that comes until it is closed. */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(text);
  let reply = '';
  socket.on('data', (piece: Buffer) => {
    reply += piece.toString();
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return reply;
}

describe('http host', () => {
  it('serves health, version, metrics and every route in its description', async () => {
    let ready = false;
    const options: Partial<HttpHostOptions> = {
      commit: 'abc',
      ready: () => (ready ? { ok: true, reasons: [] } : { ok: false, reasons: ['syncing'] }),
      routes: [
        (app) => {
          app.get('/segments/:root/:index', { schema: { summary: 'a segment' } }, () => 'x');
          app.post('/segments', () => 'y');
        },
      ],
    };
    await withHost(options, async (url) => {
      const get = async (path: string) => {
        const reply = await fetch(url + path);
        return [reply.status, await reply.json()];
      };
      assert.deepEqual(await get('/health/live'), [200, { live: true, reasons: [] }]);
      assert.deepEqual(await get('/health/ready'), [503, { ready: false, reasons: ['syncing'] }]);
      ready = true;
      assert.deepEqual(await get('/health/ready'), [200, { ready: true, reasons: [] }]);
      assert.deepEqual(await get('/version'), [
        200,
        { name: 'test-node', version: '1.2.3', commit: 'abc', node: process.versions.node },
      ]);
      const [, description] = (await get('/openapi.json')) as [
        number,
        { openapi: string; paths: Record<string, Record<string, unknown>> },
      ];
      assert.equal(description.openapi, '3.1.0');
      const listed = Object.entries(description.paths).flatMap(([path, verbs]) =>
        Object.keys(verbs)
          .filter((verb) => verb !== 'head')
          .map((verb) => `${verb} ${path}`),
      );
      assert.deepEqual(listed.sort(), [
        'get /health/live',
        'get /health/ready',
        'get /metrics',
        'get /openapi.json',
        'get /segments/{root}/{index}',
        'get /version',
        'post /segments',
      ]);
      await fetch(`${url}/segments/0x${'a'.repeat(64)}/3`);
      await fetch(`${url}/nowhere/${'b'.repeat(64)}`);
      const metrics = await fetch(`${url}/metrics`);
      assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain/);
      const body = await metrics.text();
      assert.ok(
        body.includes(
          'cairn_http_duration_seconds_count{route="/segments/:root/:index",code="200"} 1',
        ),
      );
      assert.ok(body.includes('cairn_http_duration_seconds_count{route="none",code="404"} 1'));
      assert.ok(!body.includes('aaaa') && !body.includes('bbbb'), 'no outside text in labels');
    });
  });

  it('answers faults as problems, and keeps what it did not foresee to itself', async () => {
    await withHost(
      {
        describeProblem: (error) =>
          error instanceof Fault
            ? {
                status: 503,
                title: 'Busy',
                code: error.code,
                detail: error.message,
                retryAfterSeconds: 2.5,
              }
            : { status: 500, title: 'Internal error', code: 'INTERNAL', detail: 'Internal error' },
        routes: [
          (app) => {
            app.get('/busy', () => {
              throw new Fault({ code: 'CACHE_FULL' }, '64 MiB wait');
            });
            app.get('/bug', async () => {
              throw new Error('canary /secret/path');
            });
            app.get(
              '/typed/:index',
              {
                schema: { params: { type: 'object', properties: { index: { type: 'integer' } } } },
              },
              () => 'x',
            );
            app.post('/json', () => 'x');
          },
        ],
      },
      async (url) => {
        const busy = await fetch(`${url}/busy`);
        assert.equal(busy.headers.get('retry-after'), '3');
        const { type, code, detail, retry } = await problem(busy);
        assert.deepEqual(
          [type, code, detail, retry],
          ['urn:cairn:fault:CACHE_FULL', 'CACHE_FULL', '64 MiB wait', 'later'],
        );
        const bug = await problem(await fetch(`${url}/bug`));
        assert.equal(bug['code'], 'INTERNAL');
        assert.ok(!JSON.stringify(bug).includes('canary'));
        assert.equal((await problem(await fetch(`${url}/typed/x`)))['status'], 400);
        assert.equal((await problem(await fetch(`${url}/none`)))['code'], 'ROUTE_UNKNOWN');
        const headers = { 'content-type': 'application/json' };
        const broken = await fetch(`${url}/json`, { method: 'POST', headers, body: '{"a":' });
        assert.equal((await problem(broken))['code'], 'WIRE_MALFORMED');
        const xml = { 'content-type': 'application/xml' };
        const media = await fetch(`${url}/json`, { method: 'POST', headers: xml, body: '<a/>' });
        assert.equal((await problem(media))['code'], 'MEDIA_TYPE');
        const path = await fetch(`${url}/%ff`);
        assert.equal((await problem(path))['status'], 400);
      },
    );
  });

  it('takes bodies as bytes or as streams, each up to its bound', async () => {
    const options: Partial<HttpHostOptions> = {
      routes: [
        (app) => {
          acceptBytes(app, { maxBytes: 300_000 });
          app.put('/bytes', (request, reply) => reply.send(String(bodyBytes(request).length)));
          app.put('/small', { bodyLimit: 10 }, (request, reply) =>
            reply.send(String(bodyBytes(request).length)),
          );
          app.get('/segment', (_, reply) => reply.send(segment));
        },
        (app) => {
          acceptStreams(app, { maxBytes: 300_000 });
          app.put('/stream', async (request) => {
            let length = 0;
            for await (const piece of bodyStream(request)) length += piece.length;
            return String(length);
          });
          app.put('/stream-small', { bodyLimit: 10 }, async (request) => {
            for await (const _ of bodyStream(request));
            return 'all';
          });
          app.get('/stream', (_, reply) =>
            reply.send(
              readableFrom(
                (async function* () {
                  yield segment;
                  yield segment;
                })(),
              ),
            ),
          );
        },
        (app) => {
          app.post('/json', (request) => request.body);
        },
      ],
    };
    await withHost(options, async (url) => {
      const put = (path: string, body: Uint8Array | ReadableStream) =>
        fetch(url + path, { method: 'PUT', body, duplex: 'half' } as RequestInit);
      const chunked = (length: number): ReadableStream =>
        new ReadableStream({
          start(controller) {
            for (let sent = 0; sent < length; sent += 50_000) {
              controller.enqueue(new Uint8Array(Math.min(50_000, length - sent)));
            }
            controller.close();
          },
        });
      for (const path of ['/bytes', '/stream']) {
        assert.equal(await (await put(path, segment)).text(), '262144', path);
        assert.equal(await (await put(path, chunked(262_144))).text(), '262144', path);
        assert.equal((await problem(await put(path, chunked(300_001))))['code'], 'WIRE_TOO_LONG');
      }
      assert.equal((await problem(await put('/small', new Uint8Array(11))))['status'], 413);
      assert.equal((await put('/small', new Uint8Array(10))).status, 200);
      assert.equal((await put('/stream-small', new Uint8Array(10))).status, 200);
      assert.equal((await problem(await put('/stream-small', new Uint8Array(11))))['status'], 413);
      const whole = await fetch(`${url}/segment`);
      assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), segment);
      assert.equal(whole.headers.get('content-length'), '262144');
      assert.equal((await (await fetch(`${url}/stream`)).arrayBuffer()).byteLength, 524_288);
      const headers = { 'content-type': 'application/json' };
      const json = await fetch(`${url}/json`, { method: 'POST', headers, body: '{"a":1}' });
      assert.deepEqual(await json.json(), { a: 1 }, 'other groups keep their parsers');
    });
  });

  it('refuses an announced oversize before a byte of the body is sent', async () => {
    const routes: HttpHostOptions['routes'] = [
      (app) => {
        acceptBytes(app, { maxBytes: 1000 });
        app.put('/bytes', () => 'x');
      },
      (app) => {
        acceptStreams(app, { maxBytes: 1000 });
        app.put('/stream', () => 'x');
      },
    ];
    await withHost({ routes }, async (url) => {
      for (const path of ['/bytes', '/stream']) {
        const reply = await raw(
          url,
          `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 1000000000\r\n\r\n`,
        );
        assert.match(reply, /^HTTP\/1\.1 413 /);
        assert.match(reply, /connection: close/i);
      }
    });
  });

  it('lets pages of every origin ask and read the headers they need', async () => {
    const routes: HttpHostOptions['routes'] = [(app) => void app.put('/x', () => 'x')];
    await withHost({ routes, exposedHeaders: ['x-cairn-sequence'] }, async (url) => {
      const asked = await fetch(`${url}/x`, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://page.example',
          'access-control-request-method': 'PUT',
          'access-control-request-headers': 'content-type,x-own',
        },
      });
      assert.equal(asked.status, 204);
      assert.equal(asked.headers.get('access-control-allow-origin'), '*');
      assert.match(asked.headers.get('access-control-allow-methods') ?? '', /PUT/);
      assert.match(asked.headers.get('access-control-allow-headers') ?? '', /x-own/);
      for (const path of ['/version', '/none']) {
        const reply = await fetch(url + path, { headers: { origin: 'https://page.example' } });
        const exposed = reply.headers.get('access-control-expose-headers') ?? '';
        for (const name of ['ETag', 'Content-Range', 'x-cairn-request-id', 'x-cairn-sequence']) {
          assert.ok(exposed.includes(name), `${name} on ${path}`);
        }
      }
    });
  });

  it('ends slow headers, oversized headers, malformed requests and surplus connections', async () => {
    const limits = { headersTimeoutMs: 100, checkIntervalMs: 30, maxConnections: 3 };
    await withHost({ limits }, async (url) => {
      const slow = await raw(url, 'GET /version HTTP/1.1\r\nHost: x\r\nX-Slow: ');
      assert.match(slow, /^HTTP\/1\.1 408 /);
      const large = `GET /version HTTP/1.1\r\nHost: x\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`;
      assert.match(await raw(url, large), /^HTTP\/1\.1 431 /);
      assert.match(await raw(url, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*problem\+json/);
      const { hostname, port } = new URL(url);
      const held = [1, 2, 3].map(() =>
        connect(Number(port), hostname).on('error', () => undefined),
      );
      await Promise.all(held.map((socket) => once(socket, 'connect')));
      assert.equal(await raw(url, 'GET /version HTTP/1.1\r\nHost: x\r\n\r\n'), '');
      // The held connections stay silent: they must not hold up the stop either.
    });
  });

  it('closes a refused connection though its client keeps its own side open', async () => {
    const limits = { headersTimeoutMs: 100, checkIntervalMs: 30 };
    await withHost({ limits }, async (url, { app: { server } }) => {
      const { hostname, port } = new URL(url);
      for (const text of ['nonsense\r\n\r\n', 'GET /version HTTP/1.1\r\nX-Slow: ']) {
        const closed = new Promise((resolve) =>
          server.once('connection', (accepted: Socket) => accepted.once('close', resolve)),
        );
        const client = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
        client.on('error', () => undefined);
        client.write(text);
        let reply = '';
        client.on('data', (piece: Buffer) => {
          reply += piece.toString();
        });
        await closed;
        if (!client.readableEnded) await once(client, 'end');
        assert.match(reply, /^HTTP\/1\.1 40[08] [\s\S]*\}$/);
        client.destroy();
      }
    });
  });

  it('lets a running request end when it stops, and takes no new one', async () => {
    let finish = (): void => undefined;
    let arrived = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const routes: HttpHostOptions['routes'] = [
      (app) => {
        app.get('/slow', async () => {
          arrived();
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          return 'whole';
        });
      },
    ];
    await withHost({ routes }, async (url, host) => {
      const slow = fetch(`${url}/slow`);
      await running;
      const stopped = host.stop();
      await assert.rejects(fetch(`${url}/version`, { headers: { connection: 'close' } }));
      finish();
      assert.equal(await (await slow).text(), 'whole');
      await stopped;
    });
  });

  it('cuts a request that outlasts the drain time', async () => {
    let arrived = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const never = new Promise<void>(() => undefined);
    const handler = (): Promise<void> => {
      arrived();
      return never;
    };
    const routes: HttpHostOptions['routes'] = [(app) => void app.get('/never', handler)];
    await withHost({ routes, limits: { drainMs: 50 } }, async (url, host) => {
      const asked = fetch(`${url}/never`).catch((error: unknown) => error);
      await running;
      await host.stop();
      assert.ok((await asked) instanceof Error);
    });
  });

  it('listens on a unix socket for its owner only, also over one left by a killed process', async () => {
    await inTemporaryDirectory(async (directory) => {
      const socketPath = join(directory, 'admin.sock');
      const child = runChild(
        `import { createServer } from 'node:net';
         createServer().listen(${JSON.stringify(socketPath)}, () => console.log('up'));`,
      );
      await firstOutput(child);
      await killHard(child);
      await withHost({ socketPath }, async (url) => {
        assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
        const transport = createNodeTransport({ socketPath });
        const { signal } = new AbortController();
        const reply = await transport.send({ method: 'GET', url: `${url}/version`, signal });
        assert.equal(reply.status, 200);
        await reply.discard();
        await transport.close();
        const second = createHttpHost({
          name: 'second',
          version: '1',
          logger: silentLogger(),
          metrics: createMetrics({ processMetrics: false }),
          socketPath,
        });
        await assert.rejects(second.start(), /EADDRINUSE/);
        await second.stop();
      });
    });
  });

  it('does not listen in the place of a file, and leaves it as it is', async () => {
    await inTemporaryDirectory(async (directory) => {
      const socketPath = join(directory, 'admin.sock');
      await writeFile(socketPath, 'precious');
      await assert.rejects(
        withHost({ socketPath }, async () => undefined),
        /EADDRINUSE/,
      );
      assert.equal(await readFile(socketPath, 'utf8'), 'precious');
    });
  });

  it('tells a handler that its stream was cut short', async () => {
    let told: unknown;
    const seen = new Promise<void>((resolve) => {
      void withHostForCut(resolve, (error) => {
        told = error;
      });
    });
    await seen;
    assert.ok(told instanceof Fault && told.code === 'BODY_CUT_SHORT');
  });
});

async function withHostForCut(done: () => void, tell: (error: unknown) => void): Promise<void> {
  let noted = (): void => undefined;
  const handled = new Promise<void>((resolve) => {
    noted = resolve;
  });
  const routes: HttpHostOptions['routes'] = [
    (app) => {
      acceptStreams(app, { maxBytes: 1_000_000 });
      app.put('/stream', async (request) => {
        try {
          for await (const _ of bodyStream(request));
        } catch (error) {
          tell(error);
          throw error;
        } finally {
          noted();
        }
      });
    },
  ];
  await withHost({ routes }, async (url) => {
    const sent = rawRequest(`${url}/stream`, {
      method: 'PUT',
      headers: { 'content-length': '100000', 'content-type': 'a/b' },
    });
    sent.on('error', () => undefined);
    sent.write(new Uint8Array(1000), () => setTimeout(() => sent.destroy(), 20));
    await handled;
  });
  done();
}
