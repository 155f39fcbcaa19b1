import assert from 'node:assert/strict';
import { Fault, labelledMetrics, silentLogger } from '@cairn/primitives';
import { acceptStreams, bodyStream } from '../../src/http/body.ts';
import {
  createHttpHost,
  type HttpHost,
  type HttpHostOptions,
} from '../../src/http/create-http-host.ts';
import { mountHosts } from '../../src/http/mount-hosts.ts';
import { createMetrics, type MetricsRegistry } from '../../src/observe/create-metrics.ts';

class Unknown extends Fault<{ readonly code: 'NAME_UNKNOWN'; readonly name: string }> {}

function hostOf(metrics: MetricsRegistry, options: Partial<HttpHostOptions>): HttpHost {
  return createHttpHost({
    ...{ name: 'test-node', version: '1.2.3', logger: silentLogger(), metrics },
    describeProblem: (error) => ({
      status: error instanceof Unknown ? 404 : 418,
      title: 'a fault',
      code: error instanceof Fault ? error.code : 'OTHER',
      detail: String(error),
    }),
    ...options,
  });
}

describe('hosts below another host', () => {
  const registry = createMetrics({ processMetrics: false });
  const labelled = (place: string): MetricsRegistry => ({
    metrics: labelledMetrics(registry.metrics, { place }),
    render: () => registry.render(),
  });
  const inner = hostOf(labelled('inner'), {
    mountPath: '/parts/one',
    ready: () => ({ ok: false, reasons: ['inner'] }),
    routes: [
      (app) => {
        acceptStreams(app, { maxBytes: 100_000 });
        app.post('/', async (request) => {
          let length = 0;
          for await (const piece of bodyStream(request)) length += piece.length;
          return { length, query: request.query };
        });
        app.get('/fail', async () => {
          throw new Error('inside');
        });
      },
    ],
  });
  const outer = hostOf(labelled('outer'), {
    routes: [
      mountHosts({
        base: '/parts',
        hostOf: (name) => {
          if (name === 'one') return inner;
          throw new Unknown({ code: 'NAME_UNKNOWN', name }, `there is no ${name}`);
        },
      }),
    ],
  });
  let url: string;
  before(async () => {
    await inner.open();
    await outer.start();
    url = outer.address.url;
  });
  after(async () => {
    await outer.stop();
    await inner.stop();
  });

  it('answer with their own routes, bodies, bounds and faults', async () => {
    const post = (path: string, body: Uint8Array) =>
      fetch(`${url}${path}`, { method: 'POST', body: body as never });
    for (const path of ['/parts/one', '/parts/one/']) {
      assert.equal((await (await post(path, new Uint8Array(90_000))).json()).length, 90_000);
    }
    assert.deepEqual(await (await post('/parts/one?a=1', new Uint8Array(1))).json(), {
      length: 1,
      query: { a: '1' },
    });
    assert.equal((await post('/parts/one', new Uint8Array(100_001))).status, 413);
    assert.equal((await fetch(`${url}/parts/one/health/ready`)).status, 503);
    assert.equal((await fetch(`${url}/health/ready`)).status, 200);
    const failed = await fetch(`${url}/parts/one/fail`);
    assert.equal(failed.status, 418);
    assert.equal(failed.headers.get('access-control-allow-origin'), '*');
    const { servers } = await (await fetch(`${url}/parts/one/openapi.json`)).json();
    assert.deepEqual(servers, [{ url: '/parts/one' }]);
  });

  it('are refused by name where there is none, and not found below themselves', async () => {
    for (const path of ['/parts/two', '/parts/two/health/ready', '/parts/onee']) {
      const reply = await fetch(`${url}${path}`);
      assert.equal(reply.status, 404);
      assert.equal((await reply.json()).code, 'NAME_UNKNOWN');
    }
    const nested = await fetch(`${url}/parts/one/parts/one/health/ready`);
    assert.equal((await nested.json()).code, 'ROUTE_UNKNOWN');
  });

  it('count their requests once, under their own labels', async () => {
    const { body } = await registry.render();
    const counts = body.split('\n').filter((line) => line.includes('_seconds_count'));
    const has = (...parts: readonly string[]): boolean =>
      counts.some((line) => parts.every((part) => line.includes(part)));
    assert.ok(has('route="/"', 'place="inner"'));
    assert.ok(!has('route="/parts/:name'), counts.join('\n'));
  });
});
