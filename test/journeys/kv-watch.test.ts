import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Client, createClient, type KvEvent, type KvStream } from '@cairn/client-sdk';
import { encodeIndexDefinition, indexKey, parseStreamId } from '@cairn/kv-layer';
import { isFault, utf8Text } from '@cairn/primitives';
import { KvWorld } from '../support/kv-world.ts';
import { until } from '../support/wait.ts';

const STREAM = parseStreamId(`0x${'6a'.repeat(32)}`);
const LONG = 'x'.repeat(9_000_000);

/** Two key-value nodes over one simulated log, seen through connections that can be cut. */
describe('watching a stream', () => {
  let world: KvWorld;
  let client: Client;
  let stream: KvStream;
  const cables: Cable[] = [];

  beforeEach(async () => {
    world = await KvWorld.make(19, [STREAM]);
    for (let index = 0; index < 2; index += 1) await world.start();
    for (const url of world.urls) cables.push(await Cable.to(url));
    client = createClient({ nodes: ['http://127.0.0.1:1'], kv: cables.map(({ url }) => url) });
    stream = client.kv.stream(STREAM);
  });
  afterEach(async () => {
    await client?.close();
    for (const cable of cables.splice(0)) cable.close();
    await world?.end();
  });

  const keysOf = (event: KvEvent): string =>
    event.kind === 'change'
      ? event.keys.map(({ key, size }) => `${size === 0 ? '-' : '+'}${utf8Text(key)}`).join(' ')
      : event.kind;

  it('tells every entry once and in order, though connections break and a node is gone', async () => {
    const first = await world.write(STREAM, { a: '1' });
    await world.settled();
    const stop = new AbortController();
    const heard: string[] = [];
    const watching = (async () => {
      for await (const event of stream.watch({ after: first, signal: stop.signal })) {
        if (event.kind === 'progress') continue;
        heard.push(keysOf(event));
        if (heard.length === 30) return;
      }
    })();
    for (let at = 0; at < 30; at += 1) {
      await world.write(STREAM, { [`key ${at}`]: 'v' });
      if (at % 5 === 0) await until('it is heard', () => heard.length > at);
      if (at % 7 === 3) for (const cable of cables) cable.cut();
      if (at === 20) await world.nodes[0]?.stop(); // the other one goes on
    }
    await watching;
    assert.deepEqual(
      heard,
      Array.from({ length: 30 }, (_, at) => `+key ${at}`),
    );
  });

  it('goes on behind what was seen last, with values and by prefix', async () => {
    const first = await world.write(STREAM, { 'p/a': 'one', q: 'no' });
    await world.write(STREAM, { 'p/b': 'two', 'p/a': '' });
    const third = await world.write(STREAM, { 'p/c': 'three' });
    const seen: KvEvent[] = [];
    for await (const event of stream.watch({ after: first, prefix: 'p/', values: true })) {
      seen.push(event);
      if (seen.length === 2) break;
    }
    assert.deepEqual(seen.map(keysOf), ['-p/a +p/b', '+p/c']);
    const last = seen[1];
    assert.ok(last?.kind === 'change');
    assert.equal(last.sequence, third);
    assert.equal(utf8Text(last.keys[0]?.value ?? new Uint8Array()), 'three');
    await world.write(STREAM, { 'p/d': 'four' });
    for await (const event of stream.watch({ after: last.position })) {
      assert.equal(keysOf(event), '+p/d');
      break;
    }
  });

  it('tells what the chain takes back', async () => {
    await world.write(STREAM, { kept: '1' });
    await world.settled();
    const heard: string[] = [];
    const watching = (async () => {
      for await (const event of stream.watch({ after: 0 })) {
        if (event.kind === 'progress') continue;
        heard.push(keysOf(event));
        if (heard.at(-1) === '+instead') return;
        if (heard.at(-1) === '+gone') {
          world.world.chain.reorg(1, false);
          await world.write(STREAM, { instead: '1' });
        }
      }
    })();
    await world.write(STREAM, { gone: '1' });
    await watching;
    assert.deepEqual(heard, ['+gone', 'revert', '+instead']);
  });

  it('ends with its signal, and says when nobody answers', async () => {
    await world.write(STREAM, { a: '1' });
    await world.settled();
    const stop = new AbortController();
    const reason = new Error('enough');
    const ended = (async () => {
      for await (const event of stream.watch({ signal: stop.signal })) {
        if (event.kind !== 'progress') assert.fail(keysOf(event));
      }
    })();
    setTimeout(() => stop.abort(reason), 300);
    await assert.rejects(ended, reason);
    for (const cable of cables) cable.close();
    await assert.rejects(stream.watch()[Symbol.asyncIterator]().next(), (error) =>
      isFault(error, 'SDK_KV_NODE'),
    );
    await assert.rejects(
      stream.watch({ after: 'nowhere' })[Symbol.asyncIterator]().next(),
      (error) => isFault(error, 'SDK_OPTION'),
    );
  });

  it('is one of many questions: many keys, differences, versions, and fields of values', async () => {
    const people = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`p/${at}`, JSON.stringify({ age: at % 10 })]),
    );
    const definition = encodeIndexDefinition({ field: ['age'], prefix: 'p/' });
    await world.write(STREAM, people);
    const since = await world.write(STREAM, { [utf8Text(indexKey('by-age'))]: definition });
    await world.write(STREAM, { 'p/1': 'changed' });
    await world.write(STREAM, { 'p/1': 'again', 'p/2': '', long: LONG });
    await world.settled();
    const many = await stream.getMany(['p/1', 'p/2', 'never', 'long']);
    assert.deepEqual(
      many.map((found) => found && utf8Text(found.value)),
      ['again', undefined, undefined, LONG],
    );
    const kvAttest = { keys: world.keys, threshold: 2 };
    const careful = createClient({ nodes: ['http://127.0.0.1:1'], kv: world.urls, kvAttest });
    try {
      assert.deepEqual(
        await careful.kv.stream(STREAM).getMany(['p/1', 'p/2', 'never', 'long']),
        many,
      );
    } finally {
      await careful.close();
    }
    const changes: string[] = [];
    for await (const { key, size } of stream.changes({ since })) {
      changes.push(`${utf8Text(key)} ${size}`);
    }
    assert.deepEqual(changes, [`long ${LONG.length}`, 'p/1 5', 'p/2 0']);
    const versions = await stream.history('p/1');
    assert.deepEqual(
      versions.map(({ version, value }) => [version, value && utf8Text(value)]),
      [
        [since + 2, 'again'],
        [since + 1, 'changed'],
        [0, '{"age":1}'],
      ],
    );
    const found: string[] = [];
    for await (const { key } of stream.find({ index: 'by-age', from: 8, through: 9, limit: 7 })) {
      found.push(utf8Text(key));
    }
    assert.equal(found.length, 7);
    for (const name of found) assert.match(name, /^p\/\d?[89]$/);
  });
});

/** A connection to a port that can be cut, all at once, and taken up again. */
class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async to(url: string): Promise<Cable> {
    const port = Number(new URL(url).port);
    const server = createServer();
    const cable = new Cable(server);
    server.on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        cable.#sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          cable.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return cable;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
