import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { encodeIndexDefinition, indexKey, type StreamId, verifyStateProof } from '@cairn/kv-layer';
import { fromHex, utf8Bytes, utf8Text } from '@cairn/primitives';
import { until } from '../../../../test/support/wait.ts';
import { LogWorld, type WorldNode } from '../support/log-world.ts';
import { streamNumber } from '../support/replayed.ts';

const [ONE, TWO] = [streamNumber(1), streamNumber(2)];
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = (text: unknown): string => Buffer.from(String(text), 'base64').toString();

/** How many values a node has given at once. */
async function quickReads(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^cairn_kv_quick_reads_total (\d+)$/m.exec(text)?.[1]);
}

/** A client that shares no code with the server; Node 20 has none of its own. */
const { WebSocket } = createRequire(import.meta.url)('ws') as {
  WebSocket: new (url: string) => Pick<globalThis.WebSocket, 'addEventListener' | 'send'>;
};

interface Page {
  readonly version: number;
  readonly keys: readonly { key: string; version: number; size: number; data?: string }[];
  readonly cursor?: string;
}

interface Heard {
  readonly id: string;
  readonly event: string;
  readonly data: {
    sequence: number;
    keys?: readonly { key: string; size: number; data?: string }[];
  };
}

/** Reads server-sent events until it is closed. */
class Listener {
  readonly heard: Heard[] = [];
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  static async open(url: string, headers: Record<string, string> = {}): Promise<Listener> {
    const listener = new Listener();
    const reply = await fetch(url, { headers, signal: listener.#stop.signal });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.get('content-type'), 'text/event-stream');
    listener.#ended = listener.#read(reply).catch(() => undefined);
    return listener;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #read(reply: Response): Promise<void> {
    let text = '';
    for await (const part of reply.body ?? []) {
      text += utf8Text(part as Uint8Array);
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = new Map(
          block.split('\n').map((line) => {
            const at = line.indexOf(': ');
            return [line.slice(0, at), line.slice(at + 2)] as const;
          }),
        );
        // Where nothing comes for ten seconds, that is told as well.
        if (!fields.has('event') || fields.get('event') === 'progress') continue;
        this.heard.push({
          id: fields.get('id') ?? '',
          event: fields.get('event') ?? '',
          data: JSON.parse(fields.get('data') ?? '{}') as Heard['data'],
        });
      }
    }
  }
}

describe('what a key-value node answers beyond the official one', () => {
  let world: LogWorld;
  let one: WorldNode;
  const listeners: Listener[] = [];

  beforeEach(async () => {
    world = await LogWorld.make(17);
    one = await world.start({ streams: { ids: [ONE, TWO] } });
  });

  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close();
    await world.end();
  });

  const write = async (pairs: Readonly<Record<string, string>>, stream: StreamId = ONE) => {
    await world.batch([stream], (batch) => {
      for (const [key, value] of Object.entries(pairs)) {
        if (value === '') batch.delete(stream, utf8Bytes(key));
        else batch.put(stream, utf8Bytes(key), utf8Bytes(value));
      }
    });
    world.chain.mine();
    const count = world.chain.entries().length;
    await until('the entry to be decided', () => one.node.status.nextSequence === count);
  };

  const listen = async (query = '', headers = {}): Promise<Listener> => {
    const url = `${one.node.url}/v1/streams/${ONE}/events${query}`;
    const listener = await Listener.open(url, headers);
    listeners.push(listener);
    return listener;
  };

  const hears = (listener: Listener, count: number): Promise<void> =>
    until(`${count} events`, () => listener.heard.length >= count);

  it('gives a value at once as it gives it in its turn, by method and by address', async () => {
    await write({ there: 'a value', gone: 'x', long: 'y'.repeat(5000), 'ключ?': 'ü' });
    await write({ gone: '', there: 'another' });
    const urlText = (key: string): string => Buffer.from(key).toString('base64url');
    const address = `${one.node.url}/v1/streams/${ONE}/value`;
    const get = async (query: string): Promise<[number, unknown]> => {
      const reply = await fetch(`${address}?${query}`);
      assert.equal(reply.headers.get('access-control-allow-origin'), '*');
      assert.equal(reply.headers.get('cache-control'), 'no-store');
      return [reply.status, await reply.json()];
    };
    const quickBefore = await quickReads(one.node.url);
    for (const key of ['there', 'gone', 'long', 'never', 'ключ?']) {
      const asked = [ONE, base64(key), 0, 262_144];
      const value = await one.rpc('kv_getValue', ...asked);
      const inItsTurn = await one.rpc('kv_getValue', ...asked, 1000, 'ignored');
      assert.deepEqual(value, inItsTurn);
      const list = await fetch(one.node.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([{ jsonrpc: '2.0', id: 7, method: 'kv_getValue', params: asked }]),
      });
      assert.deepEqual(await list.json(), [{ jsonrpc: '2.0', result: value, id: 7 }]);
      assert.deepEqual(await get(`key=${urlText(key)}`), [200, value]);
      assert.deepEqual(await get(`key=${urlText(key)}&length=262144`), [200, value]);
    }
    const quick = (await quickReads(one.node.url)) - quickBefore;
    assert.ok(quick >= 10, `${quick} values were given at once`);
    const old = await one.rpc('kv_getValue', ONE, base64('gone'), 0, 9, 0);
    assert.deepEqual(old, { version: 0, data: base64('x'), size: 1 });
    assert.deepEqual(await get(`key=${urlText('gone')}&version=0`), [200, old]);
    const part = { version: 0, data: base64('yy'), size: 5000 };
    assert.deepEqual(await get(`key=${urlText('long')}&start=1&length=2`), [200, part]);
    for (const bad of ['key=', 'key=a', 'key=aGVsbG9', 'key=!!!!', '', 'key=YQ&length=262145']) {
      assert.equal((await get(bad))[0], 400, bad);
    }
  });

  it('scans by prefix, in pages that stay at one version, by method and by address', async () => {
    await write({ 'a/1': '1', 'b/1': '1', 'b/2': '2', 'b/3': '3', 'c/1': '1' });
    const asked = { stream: ONE, prefix: base64('b/'), limit: 2 };
    const first = (await one.rpc('kvx_scan', asked)) as Page;
    assert.deepEqual(
      first.keys.map(({ key }) => plain(key)),
      ['b/1', 'b/2'],
    );
    await write({ 'b/3': 'changed', 'b/4': '4' });
    const second = (await one.rpc('kvx_scan', { ...asked, cursor: first.cursor })) as Page;
    assert.deepEqual(
      second.keys.map(({ key, data }) => [plain(key), plain(data)]),
      [['b/3', '3']],
    );
    assert.equal(second.version, first.version);
    const url = `/v1/streams/${ONE}/keys?prefix=${base64('b/').replaceAll('=', '')}&reverse=true`;
    const reversed = (await one.get(url)) as unknown as Page;
    assert.deepEqual(
      reversed.keys.map(({ key }) => plain(key)),
      ['b/4', 'b/3', 'b/2', 'b/1'],
    );
  });

  it('gives many keys at once, what changed between versions, and what a key was', async () => {
    await write({ a: '1', b: '1' });
    await write({ a: '2', c: '1' });
    await write({ a: '' });
    const keys = ['a', 'b', 'x'].map(base64);
    const many = (await one.rpc('kvx_multiGet', { stream: ONE, keys, version: 1 })) as {
      keys: readonly ({ data: string; version: number } | null)[];
    };
    assert.deepEqual(
      many.keys.map((found) => found && [plain(found.data), found.version]),
      [['2', 1], ['1', 0], null],
    );
    const changed = (await one.rpc('kvx_diff', { stream: ONE, since: 0, version: 2 })) as Page;
    assert.deepEqual(
      changed.keys.map(({ key, size }) => [plain(key), size]),
      [
        ['a', 0],
        ['c', 1],
      ],
    );
    const { versions } = (await one.rpc('kvx_history', { stream: ONE, key: base64('a') })) as {
      versions: Page['keys'];
    };
    assert.deepEqual(
      versions.map(({ version, size }) => [version, size]),
      [
        [2, 0],
        [1, 1],
        [0, 1],
      ],
    );
  });

  it('finds keys by a field of their values, through an index of the stream', async () => {
    const definition = encodeIndexDefinition({ field: ['age'] });
    await world.batch([ONE], (batch) => {
      batch.put(ONE, indexKey('by-age'), definition);
      for (const [name, age] of [
        ['ann', 31],
        ['bob', 17],
        ['eve', 64],
      ] as const) {
        batch.put(ONE, utf8Bytes(name), utf8Bytes(JSON.stringify({ age })));
      }
    });
    world.chain.mine();
    const found = (await one.rpc('kvx_find', {
      stream: ONE,
      index: 'by-age',
      from: 18,
      minSequence: 0,
    })) as Page;
    assert.deepEqual(
      found.keys.map(({ key }) => plain(key)),
      ['ann', 'eve'],
    );
    const path = `/v1/streams/${ONE}/find?index=by-age&through=31`;
    const young = (await one.get(path)) as unknown as Page;
    assert.deepEqual(
      young.keys.map(({ key }) => plain(key)),
      ['bob', 'ann'],
    );
    const none = await fetch(`${one.node.url}/v1/streams/${ONE}/find?index=by-name`);
    assert.equal(none.status, 404);
  });

  it('keeps what an index knows of older versions when the chain takes entries back', async () => {
    await write({ ann: JSON.stringify({ age: 31 }) });
    await world.batch([ONE], (batch) => {
      batch.put(ONE, indexKey('by-age'), encodeIndexDefinition({ field: ['age'] }));
    });
    world.chain.mine();
    const find = async (query: object): Promise<string[]> => {
      const asked = { stream: ONE, index: 'by-age', ...query };
      const { keys } = (await one.rpc('kvx_find', asked)) as Page;
      return keys.map(({ key }) => plain(key));
    };
    assert.deepEqual(await find({ minSequence: 1 }), ['ann']);
    await write({ bob: JSON.stringify({ age: 17 }), ann: JSON.stringify({ age: 64 }) });
    assert.deepEqual(await find({}), ['bob', 'ann']);
    world.chain.reorg(1, false);
    await until('the entry to be taken back', () => one.node.status.nextSequence === 2);
    await write({ eve: JSON.stringify({ age: 5 }) });
    assert.deepEqual(await find({}), ['eve', 'ann']);
    assert.deepEqual(await find({ version: 1 }), ['ann']);
  });

  it('proves what is there and what is not under a root that anyone can compare', async () => {
    await write({ a: '1', b: '2', d: '4' });
    const keys = ['b', 'c'].map(base64);
    const proven = (await one.rpc('kvx_getProof', { stream: ONE, keys })) as {
      stateRoot: string;
      proof: string;
      version: number;
    };
    const root = (await one.rpc('kvx_getRoot', { stream: ONE })) as {
      stateRoot: string;
      domain: string;
    };
    assert.equal(proven.stateRoot, root.stateRoot);
    const proof = new Uint8Array(Buffer.from(proven.proof, 'base64'));
    const expected = {
      stateRoot: fromHex(root.stateRoot),
      stream: ONE,
    };
    const shown = verifyStateProof(proof, expected, world.hasher);
    assert.equal(shown.get(utf8Bytes('b'))?.version, 0);
    assert.equal(shown.get(utf8Bytes('c')), undefined); // proven to be absent: others are refused
    const spoilt = proof.slice();
    spoilt[spoilt.length - 1] = (spoilt[spoilt.length - 1] ?? 0) ^ 1;
    assert.throws(() => verifyStateProof(spoilt, expected, world.hasher));
  });

  it('waits with a read until an entry is decided, and says when it gives up', async () => {
    await write({ a: '1' });
    const reading = one.rpc('kvx_scan', { stream: ONE, minSequence: 1, waitMs: 30_000 });
    await write({ a: '2' });
    assert.equal(plain(((await reading) as Page).keys[0]?.data), '2');
    await assert.rejects(
      one.rpc('kvx_scan', { stream: ONE, minSequence: 9, waitMs: 50 }),
      /entry 9 is not decided yet: entry 2 is next/,
    );
    const late = await fetch(`${one.node.url}/v1/streams/${ONE}/keys?minSequence=9&waitMs=10`);
    assert.equal(late.status, 504);
  });

  it('refuses what it cannot answer with a code', async () => {
    await write({ a: '1' });
    const codeAt = async (path: string): Promise<[number, unknown]> => {
      const reply = await fetch(`${one.node.url}/v1/streams/${path}`);
      return [reply.status, ((await reply.json()) as { code: string }).code];
    };
    assert.deepEqual(await codeAt(`${ONE}/keys?limit=99999`), [400, 'KV_TOO_MUCH']);
    assert.deepEqual(await codeAt(`${ONE}/keys?cursor=AAAA`), [400, 'KV_CURSOR']);
    assert.deepEqual(await codeAt(`${ONE}/keys?limit=x`), [400, 'WIRE_FIELD']);
    assert.deepEqual(await codeAt(`0x12/keys`), [400, 'WIRE_FIELD']);
    assert.deepEqual(await codeAt(`${TWO}/proof?keys=${base64('a')}`), [404, 'KV_STREAM_UNKNOWN']);
    assert.deepEqual(await codeAt(`${ONE}/proof?version=9`), [409, 'KV_VERSION_AHEAD']);
    assert.deepEqual(await codeAt(`${ONE}/events?after=x`), [400, 'KV_POSITION']);
  });

  it('tells changes as they come, entry by entry, and those of other streams to others', async () => {
    const [all, some] = [await listen('?values=true'), await listen(`?prefix=${base64('b')}`)];
    await write({ a: '1', b: '1' });
    await write({ x: '1' }, TWO);
    await write({ a: '' });
    await write({ b: '2' });
    await hears(all, 3);
    const told = all.heard.map(({ event, data }) => [
      event,
      data.sequence,
      data.keys?.map((key) => `${plain(key.key)}=${plain(key.data ?? '')}`).join(),
    ]);
    assert.deepEqual(told, [
      ['change', 0, 'a=1,b=1'],
      ['change', 2, 'a='],
      ['change', 3, 'b=2'],
    ]);
    await hears(some, 2);
    assert.deepEqual(
      some.heard.map(({ data }) => data.sequence),
      [0, 3],
    );
    assert.equal(some.heard[0]?.data.keys?.[0]?.data, undefined);
  });

  it('goes on behind the last event of a listener that was away, and tells what was taken back', async () => {
    const first = await listen();
    for (const value of ['1', '2', '3']) await write({ a: value });
    await hears(first, 3);
    await first.close();
    await write({ a: '4' });
    const second = await listen('', { 'last-event-id': first.heard[1]?.id ?? '' });
    await hears(second, 2);
    assert.deepEqual(
      second.heard.map(({ data }) => data.sequence),
      [2, 3],
    );
    world.chain.reorg(2, false);
    await until('the other branch', () => one.node.status.nextSequence === 2);
    await hears(second, 3);
    const { event, data } = second.heard[2] ?? { event: '', data: { sequence: -1 } };
    assert.deepEqual([event, data.sequence], ['revert', 1]);
    await write({ a: 'other' });
    await hears(second, 4);
    assert.deepEqual([second.heard[3]?.event, second.heard[3]?.data.sequence], ['change', 2]);
    // Who heard entries that are gone is told to read anew.
    const lost = await listen('', { 'last-event-id': second.heard[1]?.id ?? '' });
    await hears(lost, 1);
    assert.equal(lost.heard[0]?.event, 'reset');
  });

  it('tells the same over a WebSocket', async () => {
    for (const value of ['1', '2']) await write({ a: value });
    const url = `${one.node.url.replace('http', 'ws')}/v1/streams/${ONE}/events?after=0&values=true`;
    const told: Record<string, unknown>[] = [];
    const socket = new WebSocket(url);
    let closedWith = 0;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Record<string, unknown>;
      if (message['event'] !== 'progress') told.push(message);
    });
    socket.addEventListener('close', ({ code }) => {
      closedWith = code;
    });
    await until('the entry behind', () => told.length === 1);
    await write({ a: 'x'.repeat(100_000) }); // a frame with a long length
    await until('one more', () => told.length === 2);
    assert.deepEqual(
      told.map(({ event, sequence }) => [event, sequence]),
      [
        ['change', 1],
        ['change', 2],
      ],
    );
    const keys = told[1]?.['keys'] as { data: string }[] | undefined;
    assert.equal(plain(keys?.[0]?.data).length, 100_000);
    socket.send('nobody listens to this');
    await one.stop();
    await until('the goodbye', () => closedWith !== 0);
    assert.equal(closedWith, 1001);
    one = await world.start({ streams: { ids: [ONE] } });
    const refused = new WebSocket(`${one.node.url.replace('http', 'ws')}/v1/streams/0x12/events`);
    await new Promise((resolve) => refused.addEventListener('error', resolve, { once: true }));
  });

  it('does not wait for listeners when it stops', async () => {
    await one.stop();
    one = await world.start({ streams: { ids: [ONE] }, limits: { drain_ms: 3_600_000 } });
    await listen();
    await one.stop(); // within an hour
  });
});
