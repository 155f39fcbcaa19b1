import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { isFault, seededRng, toHex } from '@cairn/primitives';
import { multiaddr } from '@multiformats/multiaddr';
import { createMetrics } from '../../src/observe/create-metrics.ts';
import { encodeFrame, encodeOk } from '../../src/p2p/frames.ts';
import {
  createP2pHost,
  openP2pKey,
  type P2pHost,
  P2pRefusal,
  randomP2pKey,
} from '../../src/p2p/index.ts';
import { firstOutput, runChild } from '../child.ts';
import { inTemporaryDirectory } from '../temporary-directory.ts';
import { AMPLE, addressOf, ECHO, Hosts, signal, until } from './p2p-hosts.ts';

const isCode = (code: string) => (error: unknown) => isFault(error, code);
const ask = (host: P2pHost, to: string, bytes = Uint8Array.of(1), timeoutMs = 120_000) =>
  host.request(to, ECHO, bytes, { signal, timeoutMs });

describe('libp2p host', () => {
  const hosts = new Hosts();
  afterEach(() => hosts.stop());

  for (const listen of ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']) {
    it(`asks and answers over ${listen}, up to a mebibyte`, async () => {
      const server = await hosts.open({ listen: [listen] });
      const whole = seededRng(26).fill(new Uint8Array(ECHO.maxReplyBytes));
      let peer = '';
      await server.handle(ECHO, { quota: AMPLE }, async (request, call) => {
        peer = call.peer;
        return whole.subarray(0, (request[0] ?? 0) * 4096);
      });
      const client = await hosts.open({ listen: [] });
      const to = addressOf(server);
      assert.ok(to.endsWith(`/p2p/${server.peerId}`));
      for (const parts of [0, 1, 255]) {
        const reply = await ask(client, to, Uint8Array.of(parts));
        assert.deepEqual(reply, whole.subarray(0, parts * 4096));
      }
      assert.equal(peer, client.peerId);
      assert.deepEqual(client.addresses, []);
      // The other way over the same connection, with no address to dial.
      await client.handle(ECHO, { quota: AMPLE }, async (request) => request);
      assert.deepEqual(await ask(server, client.peerId, Uint8Array.of(9)), Uint8Array.of(9));
      assert.equal(server.counts.connections, 1);
    });
  }

  it('refuses requests that are too long before they leave, and replies that are', async () => {
    const server = await hosts.open();
    await server.handle(ECHO, { quota: AMPLE }, async () => new Uint8Array(2000));
    const client = await hosts.open({ listen: [] });
    const to = addressOf(server);
    await assert.rejects(ask(client, to, new Uint8Array(1025)), isCode('P2P_TOO_LONG'));
    await assert.rejects(ask(client, to, new Uint8Array(0)), isCode('P2P_TOO_LONG'));
    const narrow = { ...ECHO, maxReplyBytes: 1000 };
    await assert.rejects(
      client.request(to, narrow, Uint8Array.of(1), { signal }),
      isCode('P2P_TOO_LONG'),
    );
  });

  it('tells a refusal with its code, and anything else as internal', async () => {
    const server = await hosts.open();
    await server.handle(ECHO, { quota: AMPLE }, async (request) => {
      if (request[0] === 1) throw new P2pRefusal('ROWS_NOT_HELD', 'no row is held');
      throw new Error('a secret path');
    });
    const client = await hosts.open({ listen: [] });
    await assert.rejects(ask(client, addressOf(server)), (error) => {
      assert.ok(isFault(error, 'P2P_REFUSED') && 'reply' in error.facts);
      assert.equal(error.facts.reply, 'ROWS_NOT_HELD');
      return error.message === 'no row is held';
    });
    await assert.rejects(ask(client, addressOf(server), Uint8Array.of(2)), (error) => {
      assert.ok(isFault(error, 'P2P_REFUSED') && 'reply' in error.facts);
      assert.equal(error.facts.reply, 'INTERNAL');
      return !error.message.includes('secret');
    });
    assert.equal(client.counts.streams, 1); // a refusal is an answer: the stream is kept
  });

  it('meters what each peer asks for, by the items it names', async () => {
    const server = await hosts.open();
    const quota = { burstItems: 10, itemsPerSecond: 0.001 };
    const itemsOf = (request: Uint8Array): number => request[0] ?? 0;
    await server.handle(ECHO, { quota, itemsOf }, async (request) => request);
    const [client, other] = [await hosts.open({ listen: [] }), await hosts.open({ listen: [] })];
    const to = addressOf(server);
    await ask(client, to, Uint8Array.of(7));
    await assert.rejects(ask(client, to, Uint8Array.of(4)), isCode('P2P_QUOTA'));
    await ask(client, to, Uint8Array.of(3));
    await assert.rejects(ask(client, to, Uint8Array.of(1)), isCode('P2P_QUOTA'));
    await ask(other, to, Uint8Array.of(10));
  });

  it('gives up on a slow peer in time, which hears of it', async () => {
    const server = await hosts.open();
    let aborted = 0;
    await server.handle(ECHO, { quota: AMPLE }, async (request, call) => {
      if (request[0] === 0) return request;
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      aborted += 1;
      return request;
    });
    const client = await hosts.open({ listen: [] });
    const to = addressOf(server);
    await ask(client, to, Uint8Array.of(0)); // so that they are connected
    await assert.rejects(ask(client, to, Uint8Array.of(1), 300), isCode('P2P_TIMEOUT'));
    await until(() => aborted === 1 && server.counts.streams === 0);
    const own = new AbortController();
    const asked = client.request(to, ECHO, Uint8Array.of(1), { signal: own.signal });
    own.abort(new Error('no longer wanted'));
    await assert.rejects(asked, /no longer wanted/);
    await until(() => client.counts.streams === 0);
  });

  it('carries many requests at once on a few streams, and lets those beyond its bounds wait', async () => {
    const server = await hosts.open({ limits: { maxServing: 2 } });
    let running = 0;
    let most = 0;
    await server.handle(ECHO, { quota: AMPLE }, async (request) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return request;
    });
    const client = await hosts.open({ listen: [], limits: { maxWaitingToPeer: 96 } });
    const to = addressOf(server);
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const asked = numbers.map((index) => ask(client, to, Uint8Array.of(index)));
    await assert.rejects(ask(client, to), isCode('QUEUE_FULL'));
    const replies = await Promise.all(asked);
    assert.deepEqual(
      replies.map((reply) => reply[0]),
      numbers,
    );
    assert.equal(client.counts.streams, 4);
    assert.equal(server.counts.streams, 4);
    assert.equal(most, 2);
  });

  it('leaves no stream open after a thousand requests, and closes quiet connections', async () => {
    const limits = { pooledMs: 30, tidyMs: 10, connectionIdleMs: 30 };
    const registry = createMetrics({ processMetrics: false });
    const server = await hosts.echo({ metrics: registry.metrics });
    const client = await hosts.open({ listen: [], limits });
    const to = addressOf(server);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => ask(client, to)));
    }
    await until(() => client.counts.streams === 0 && server.counts.streams === 0);
    await until(() => client.counts.connections === 0 && server.counts.connections === 0);
    await ask(client, to);
    const { body } = await registry.render();
    const labels = `direction="in",protocol="${ECHO.id}",outcome="ok"`;
    assert.ok(body.includes(`cairn_p2p_requests_total{${labels}} 1001`), body);
    assert.ok(body.includes(`protocol="${ECHO.id}"} ${1001 * 6}`), body);
  });

  it('takes a kept stream that the peer has ended for what it is, and asks on a new one', async () => {
    const server = await hosts.echo({ limits: { streamIdleMs: 400 } });
    const client = await hosts.open({ listen: [] });
    await ask(client, addressOf(server));
    await until(() => server.counts.streams === 0);
    assert.deepEqual(await ask(client, addressOf(server)), Uint8Array.of(1));
  });

  it('says who cannot be reached, is somebody else, or does not speak the protocol', async () => {
    const server = await hosts.open();
    const client = await hosts.open({ listen: [] });
    const to = addressOf(server);
    await assert.rejects(ask(client, to), isCode('P2P_PROTOCOL_UNKNOWN'));
    const other = await hosts.open({ listen: [] });
    const posed = to.replace(server.peerId, other.peerId);
    await assert.rejects(ask(await hosts.open({ listen: [] }), posed), isCode('P2P_UNREACHABLE'));
    await assert.rejects(ask(client, other.peerId), isCode('P2P_UNREACHABLE'));
    await server.stop();
    await assert.rejects(ask(client, to), isCode('P2P_UNREACHABLE'));
    for (const address of [
      'http://127.0.0.1',
      '/ip4/127.0.0.1/tcp/1',
      `/unix/a/p2p/${other.peerId}`,
      `/ip4/127.0.0.1/udp/1/p2p/${other.peerId}`,
      `/ip4/127.0.0.1/tcp/1/p2p/${server.peerId}/p2p-circuit/p2p/${other.peerId}`,
      `/dnsaddr/example.org/p2p/${other.peerId}`,
    ]) {
      await assert.rejects(ask(client, address), isCode('P2P_ADDRESS'), address);
    }
  });

  it('lets what is at work end when it stops, and takes nothing new', async () => {
    const server = await hosts.open();
    let release: (() => void) | undefined;
    await server.handle(ECHO, { quota: AMPLE }, async (request) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return request;
    });
    const client = await hosts.open({ listen: [] });
    const to = addressOf(server);
    const asked = ask(client, to);
    await until(() => release !== undefined);
    const stopping = server.stop();
    release?.();
    assert.deepEqual(await asked, Uint8Array.of(1));
    await stopping;
    await assert.rejects(ask(server, to), isCode('P2P_STOPPED'));
    await assert.rejects(ask(client, to), isCode('P2P_UNREACHABLE'));
  });

  it('cuts what does not end in the drain time', async () => {
    const server = await hosts.open({ limits: { drainMs: 50 } });
    await server.handle(ECHO, { quota: AMPLE }, async (_, call) => {
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      throw new Error('given up');
    });
    const client = await hosts.open({ listen: [] });
    const asked = assert.rejects(ask(client, addressOf(server)), isCode('P2P_UNREACHABLE'));
    await until(() => server.counts.streams === 1);
    await server.stop();
    await asked;
  });

  it('holds to its bounds on connections, and on those of one peer', async () => {
    const server = await hosts.echo({ limits: { maxConnections: 3 } });
    const to = addressOf(server);
    const node = await hosts.rogue();
    for (let at = 0; at < 4; at += 1) {
      await node.dial(multiaddr(to), { force: true }).catch(() => undefined);
    }
    await until(() => server.counts.connections <= 2);
    const answers = [];
    for (let at = 0; at < 3; at += 1) {
      const client = await hosts.open({ listen: [] });
      answers.push(await ask(client, to, Uint8Array.of(1), 2000).catch(() => 'refused'));
      assert.ok(server.counts.connections <= 3);
    }
    assert.deepEqual(answers, [Uint8Array.of(1), 'refused', 'refused']);
  });

  it('keeps one key in a file for its owner, and with it one peer id', async () => {
    await inTemporaryDirectory(async (directory) => {
      const path = join(directory, 'p2p.key');
      const key = await openP2pKey(path);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      assert.deepEqual(await openP2pKey(path), key);
      const [first, second] = [await hosts.open({ key }), await hosts.open({ key })];
      assert.equal(first.peerId, second.peerId);
      await writeFile(join(directory, 'short'), toHex(key.subarray(1)), { mode: 0o600 });
      await assert.rejects(openP2pKey(join(directory, 'short')), isCode('P2P_KEY'));
      await writeFile(join(directory, 'open'), toHex(key), { mode: 0o644 });
      await assert.rejects(openP2pKey(join(directory, 'open')), isCode('KEY_FILE_PERMISSIONS'));
    });
  });

  it('is not loaded before a host is made', async () => {
    const child = runChild(`
      import { Session } from 'node:inspector';
      import '@cairn/node-runtime/p2p';
      const session = new Session();
      const loaded = [];
      session.connect();
      session.on('Debugger.scriptParsed', ({ params }) => loaded.push(params.url));
      session.post('Debugger.enable', () => {
        const entry = loaded.some((url) => url.includes('src/p2p/index.ts'));
        const libp2p = loaded.filter((url) => /node_modules\\/(@libp2p|libp2p|@multiformats)\\//.test(url));
        console.log(JSON.stringify({ entry, libp2p: libp2p.length }));
      });
    `);
    assert.deepEqual(JSON.parse(await firstOutput(child)), { entry: true, libp2p: 0 });
  });
});

describe('libp2p hosts among peers that do as they like', () => {
  const hosts = new Hosts();
  afterEach(() => hosts.stop());

  /** Bytes on a stream of their own, and whether the host ended it. */
  async function throwAt(server: P2pHost, pieces: readonly Uint8Array[]): Promise<boolean> {
    const node = await hosts.rogue();
    const stream = await node.dialProtocol(multiaddr(addressOf(server)), ECHO.id);
    let isEnded = false;
    stream.addEventListener('close', () => {
      isEnded = true;
    });
    for (const piece of pieces) stream.send(piece);
    await until(() => isEnded);
    return isEnded;
  }

  it('ends streams with requests that are too long, empty, or more than one at a time', async () => {
    const server = await hosts.echo();
    for (const pieces of [
      [Uint8Array.of(0, 0, 4, 1)],
      [Uint8Array.of(255, 255, 255, 255), new Uint8Array(100_000)],
      [Uint8Array.of(0, 0, 0, 0)],
      [new Uint8Array([...encodeFrame(Uint8Array.of(1)), ...encodeFrame(Uint8Array.of(2))])],
    ]) {
      assert.ok(await throwAt(server, pieces));
    }
    await until(() => server.counts.streams === 0);
    assert.deepEqual(
      await ask(await hosts.open({ listen: [] }), addressOf(server)),
      Uint8Array.of(1),
    );
  });

  it('ends streams on which a request begins and does not end', async () => {
    const server = await hosts.echo({ limits: { streamIdleMs: 100 } });
    assert.ok(await throwAt(server, [Uint8Array.of(0, 0, 0)]));
    await until(() => server.counts.streams === 0);
  });

  it('ends streams whose peer does not take its reply', async () => {
    const server = await hosts.open({ limits: { replyMs: 150 } });
    await server.handle(ECHO, { quota: AMPLE }, async () => new Uint8Array(ECHO.maxReplyBytes));
    const node = await hosts.rogue();
    const stream = await node.dialProtocol(multiaddr(addressOf(server)), ECHO.id);
    stream.pause();
    stream.send(encodeFrame(Uint8Array.of(1)));
    await until(() => server.counts.streams === 1);
    await until(() => server.counts.streams === 0);
  });

  it('refuses replies that are too long, in no form, or cut short', async () => {
    const client = await hosts.open({ listen: [] });
    const answer = (...pieces: readonly Uint8Array[]): Promise<string> =>
      hosts.rogueServer(async (stream) => {
        for (const piece of pieces) stream.send(piece);
        await stream.close();
      });
    const tooLong = await answer(Uint8Array.of(0, 16, 0, 2), new Uint8Array(1000));
    await assert.rejects(ask(client, tooLong), isCode('P2P_TOO_LONG'));
    await assert.rejects(
      ask(client, await answer(encodeFrame(Uint8Array.of(7)))),
      isCode('P2P_FRAME'),
    );
    const half = encodeFrame(encodeOk(new Uint8Array(1000))).subarray(0, 500);
    await assert.rejects(ask(client, await answer(half)), isCode('P2P_FRAME'));
    await assert.rejects(ask(client, await answer()), isCode('P2P_UNREACHABLE'));
    assert.equal(client.counts.streams, 0);
  });

  it('go on after whatever comes on their sockets', async () => {
    const server = await hosts.echo({
      listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'],
      limits: { connectMs: 300 },
    });
    const rng = seededRng(3311);
    const upgrade =
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    const starts = [
      '',
      '\u0013/multistream/1.0.0\n',
      '\u0013/multistream/1.0.0\n\u0007/noise\n',
      upgrade,
    ];
    for (const address of server.addresses) {
      const port = Number(/tcp\/(\d+)/.exec(address)?.[1]);
      const closed = Array.from({ length: 24 }, (_, index) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined).resume();
        socket.write(starts[index % starts.length] ?? '');
        socket.write(rng.fill(new Uint8Array(rng.below(3000))));
        if (index % 3 === 0) setImmediate(() => socket.destroy());
        return new Promise((resolve) => socket.on('close', resolve));
      });
      await Promise.all(closed);
    }
    const client = await hosts.open({ listen: [] });
    for (const address of server.addresses) await ask(client, address);
  });

  it('says so when a peer dies in the middle of its reply', async () => {
    const client = await hosts.open({ listen: [] });
    const half = encodeFrame(encodeOk(new Uint8Array(100_000))).subarray(0, 50_000);
    const to = await hosts.rogueServer(async (stream, connection) => {
      stream.send(half);
      await new Promise((resolve) => setTimeout(resolve, 20));
      connection.abort(new Error('it died'));
    });
    const startedMs = performance.now();
    await assert.rejects(ask(client, to), isFault);
    assert.ok(performance.now() - startedMs < 60_000, 'long before an answer is given up');
    assert.equal(client.counts.streams, 0);
  });
});

describe('libp2p host on WebSockets', () => {
  const hosts = new Hosts();
  afterEach(() => hosts.stop());

  it('ends one with a message too long to be of libp2p, before it is all there', async () => {
    const server = await hosts.echo({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] });
    const [, port] = /tcp\/(\d+)/.exec(addressOf(server)) ?? [];
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve));
    socket.addEventListener('open', () => socket.send(new Uint8Array(1024 ** 2 + 1)));
    await closed;
  });
});

describe('libp2p hosts that cannot be', () => {
  it('refuse a place that is taken and bounds that are none', async () => {
    const hosts = new Hosts();
    try {
      const host = await hosts.echo();
      const listen = [addressOf(host).replace(/\/p2p\/.*/, '')];
      await assert.rejects(hosts.open({ listen }));
      const quota = AMPLE;
      const handler = async (request: Uint8Array): Promise<Uint8Array> => request;
      for (const protocol of [
        ECHO,
        { ...ECHO, id: 'echo' },
        { ...ECHO, id: '/cairn/b/1', maxReplyBytes: 1024 ** 2 + 1 },
        { ...ECHO, id: '/cairn/b/1', maxRequestBytes: 0 },
      ]) {
        await assert.rejects(host.handle(protocol, { quota }, handler), isCode('P2P_SETTING'));
      }
      await assert.rejects(
        host.handle({ ...ECHO, id: '/cairn/b/1' }, { quota: { ...quota, burstItems: 0 } }, handler),
        isCode('P2P_SETTING'),
      );
    } finally {
      await hosts.stop();
    }
    assert.equal(typeof createP2pHost, 'function');
    assert.equal(randomP2pKey().length, 32);
  });
});
