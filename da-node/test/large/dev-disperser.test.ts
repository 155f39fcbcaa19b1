import { deepEqual, equal, ok } from 'node:assert/strict';
import { silentLogger, toHex } from '@cairn/primitives';
import { createDevDisperser, type DevDisperser, SWITCHES_OFF } from '../../src/dev/index.ts';
import { payloadOf } from '../dispersal/harness.ts';

const MEMORY_BYTES = 2 ** 22;
const TOKEN = 'token-of-a-test-here';

describe('a disperser without a chain', () => {
  let dev: DevDisperser;
  let seed = 0;

  before(async () => {
    const latencyMs = { accepted: 0, dispersed: 0, confirmed: 0, final: 0, read: 0 };
    dev = await createDevDisperser(
      {
        host: '127.0.0.1',
        port: 0,
        grpcPort: 0,
        nitroPort: 0,
        adminPort: 0,
        adminToken: TOKEN,
        switches: { ...SWITCHES_OFF, latencyMs },
        memoryBytes: MEMORY_BYTES,
        putTimeoutMs: 1500,
        putWait: 'dispersed',
      },
      { logger: silentLogger(), signal: new AbortController().signal },
    );
  });
  afterEach(() => dev.switches.reset());
  after(() => dev?.stop());

  const post = async (path: string, payload: Uint8Array): Promise<[number, Buffer]> => {
    const reply = await fetch(`${dev.rest}${path}`, { method: 'POST', body: Buffer.from(payload) });
    return [reply.status, Buffer.from(await reply.arrayBuffer())];
  };
  const get = async (path: string): Promise<[number, Buffer]> => {
    const reply = await fetch(`${dev.rest}${path}`);
    return [reply.status, Buffer.from(await reply.arrayBuffer())];
  };
  const next = (length = 300): Uint8Array => {
    seed += 1;
    return payloadOf(length, seed);
  };
  const admin = async (
    path: string,
    change?: unknown,
    token = TOKEN,
  ): Promise<[number, Record<string, unknown>]> => {
    const reply = await fetch(`${dev.admin}/admin/${path}`, {
      method: change === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}` },
      ...(change === undefined ? {} : { body: JSON.stringify(change) }),
    });
    return [reply.status, (await reply.json()) as Record<string, unknown>];
  };
  const turn = async (change: unknown): Promise<void> => {
    const [status, body] = await admin('switches', change);
    equal(status, 200, JSON.stringify(body));
  };

  it('gives OP Stack commitments, and payloads back for them', async () => {
    const payload = next();
    const [status, commitment] = await post('/put', payload);
    equal(status, 200);
    const [read, body] = await get(`/get/0x${commitment.toString('hex')}`);
    equal(read, 200);
    deepEqual(body, Buffer.from(payload));
  });

  it('brings blobs to the end by REST, by promise and paid first', async () => {
    for (const query of ['', '&order=chain']) {
      const [status, body] = await post(`/v1/blobs?wait=final&timeout=10${query}`, next());
      equal(status, 200, query);
      equal(JSON.parse(body.toString()).stage, 'final');
    }
  });

  it('gives EigenDA certificates that stand for their payloads', async () => {
    const payload = next();
    const [status, certificate] = await post('/put?commitment_mode=standard', payload);
    equal(status, 200, certificate.toString());
    const path = `/get/0x${certificate.toString('hex')}?commitment_mode=standard`;
    deepEqual(await get(path), [200, Buffer.from(payload)]);
    await turn({ gets: { answer: 'null', next: 1 } });
    const [dropped, body] = await get(path);
    equal(dropped, 418, body.toString());
  });

  it('stores and recovers messages of Arbitrum nodes', async () => {
    const ask = async (method: string, params: readonly string[]): Promise<unknown> => {
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: `daprovider_${method}`,
        params,
      });
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(dev.nitro, { method: 'POST', headers, body });
      const { result, error } = (await reply.json()) as { result: unknown; error: unknown };
      equal(error, undefined, JSON.stringify(error));
      return result;
    };
    const message = Buffer.from(next());
    const until = Math.floor(Date.now() / 1000) + 15 * 86_400;
    const stored = await ask('store', [toHex(message), `0x${until.toString(16)}`]);
    const certificate = (stored as Record<string, string>)['serialized-da-cert'] ?? '';
    const framed = `0x${'00'.repeat(40)}${certificate.slice(2)}`;
    const recovered = await ask('recoverPayload', ['0x1', `0x${'11'.repeat(32)}`, framed]);
    deepEqual(Buffer.from((recovered as { Payload: string }).Payload, 'base64'), message);
  });

  it('fails over for as many puts as it is told', async () => {
    await turn({ puts: { answer: 'unavailable', next: 2 } });
    equal((await post('/put', next()))[0], 503);
    equal((await post('/v1/blobs', next()))[0], 503);
    equal((await post('/put', next()))[0], 200);
    await turn({ puts: 'limited' });
    equal((await post('/v1/blobs', next()))[0], 429);
    equal((await admin('reset', {}))[0], 200);
    equal((await post('/v1/blobs', next()))[0], 202);
  });

  it('answers gets as it is told', async () => {
    const [, commitment] = await post('/put', next());
    const path = `/get/0x${commitment.toString('hex')}`;
    for (const [answer, expected] of [
      ['unavailable', 503],
      ['absent', 404],
      ['null', 404],
      ['ok', 200],
    ] as const) {
      await turn({ gets: answer });
      equal((await get(path))[0], expected, answer);
    }
  });

  it('takes the time that each stage is given', async () => {
    await turn({ latencyMs: { accepted: 100, dispersed: 150, confirmed: 150, final: 150 } });
    const began = performance.now();
    const stages: string[] = [];
    const [, body] = await post('/v1/blobs', next());
    ok(performance.now() - began >= 95, 'the answer itself waits');
    const { id } = JSON.parse(body.toString());
    for (const stage of ['dispersed', 'confirmed', 'final']) {
      const [, receipt] = await get(`/v1/blobs/${id}?wait=${stage}&timeout=5`);
      stages.push(JSON.parse(receipt.toString()).stage);
    }
    deepEqual(stages, ['dispersed', 'confirmed', 'final']);
    ok(performance.now() - began >= 540);
    await turn({ latencyMs: { read: 200 } });
    const asked = performance.now();
    equal((await get(`/v1/blobs/${id}/payload`))[0], 200);
    ok(performance.now() - asked >= 195);
  });

  it('forgets final blobs when others need their room', async () => {
    const large = (): Uint8Array => next(Math.floor(MEMORY_BYTES / 3));
    const [, first] = await post('/v1/blobs?wait=final&timeout=10', large());
    const { id } = JSON.parse(first.toString());
    equal((await get(`/v1/blobs/${id}/payload`))[0], 200);
    for (let more = 0; more < 3; more += 1) {
      equal((await post('/v1/blobs?wait=final&timeout=10', large()))[0], 200);
    }
    equal((await get(`/v1/blobs/${id}`))[0], 404);
  });

  it('has no quorum while two members are silent, and goes on when they answer', async () => {
    await turn({ silentSigners: 2 });
    const payload = next();
    equal((await post('/put', payload))[0], 503);
    const [, body] = await post('/v1/blobs', payload);
    equal(JSON.parse(body.toString()).trouble.code, 'INSUFFICIENT_SIGNATURES');
    await turn({ silentSigners: 1 });
    let status = 503;
    for (let tries = 0; tries < 5 && status === 503; tries += 1)
      [status] = await post('/put', payload);
    equal(status, 200);
  });

  it('turns no switch without the token, nor one that is not there', async () => {
    equal((await admin('switches', { puts: 'unavailable' }, 'another'))[0], 401);
    equal((await get('/admin/switches'))[0], 404, 'not on the listener of the doors');
    for (const change of [{ put: 'ok' }, { puts: 'no' }, { latencyMs: { read: -1 } }, [], 1]) {
      const [status, body] = await admin('switches', change);
      equal(status, 400);
      equal(body['code'], 'DEV_SWITCH');
    }
    equal((await admin('epochs/9'))[0], 404);
    deepEqual((await admin('epochs/1'))[1], JSON.parse(JSON.stringify(await dev.epochFile())));
  });
});
