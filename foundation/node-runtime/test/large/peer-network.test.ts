import assert from 'node:assert/strict';
import { isFault, type PeerNetwork, silentLogger, systemClock } from '@cairn/primitives';
import { createPeerNetwork, type PeerNetworkOptions, randomP2pKey } from '../../src/p2p/index.ts';
import { AMPLE, ECHO, signal } from './p2p-hosts.ts';

const TOPIC = '/cairn/test/topic/1';
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytesOf = (words: string): Uint8Array => new TextEncoder().encode(words);

describe('a network of peers on libp2p', () => {
  const open: PeerNetwork[] = [];
  const start = async (options: Partial<PeerNetworkOptions> = {}): Promise<PeerNetwork> => {
    const network = await createPeerNetwork({
      key: randomP2pKey(),
      clock: systemClock(),
      logger: silentLogger(),
      topics: [TOPIC],
      ...options,
      limits: { connectionsPerSecond: 1000, drainMs: 500, ...options.limits },
    });
    open.push(network);
    return network;
  };
  /** Waits for what the network brings about by itself. */
  const until = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
    const clock = systemClock();
    while (!(await isTrue())) await clock.sleep(50, signal);
  };
  const addressOf = ({ addresses: [first = ''] }: PeerNetwork): string => first;

  afterEach(async () => {
    await Promise.all(open.splice(0).map((network) => network.stop()));
  });

  it('hears what a peer of a peer publishes, under the name of who published it', async () => {
    const [a, b, c] = [await start(), await start(), await start()];
    const heard: string[] = [];
    for (const network of [a, b]) network.subscribe(TOPIC, () => 'accept');
    c.subscribe(TOPIC, ({ from, bytes }) => {
      heard.push(`${from} ${text(bytes)}`);
      return 'accept';
    });
    await a.connect(addressOf(b), { signal });
    await c.connect(addressOf(b), { signal });
    await until(async () => {
      await a.publish(TOPIC, bytesOf('news'));
      return heard.length > 0;
    });
    assert.equal(heard[0], `${a.self} news`);
    assert.deepEqual(a.peers(), [b.self]);
  });

  it('does not pass on what its listener does not accept', async () => {
    const [a, b, c] = [await start(), await start(), await start()];
    const heard: string[] = [];
    let seen = 0;
    a.subscribe(TOPIC, () => 'accept');
    b.subscribe(TOPIC, ({ bytes }) => {
      seen += 1;
      return text(bytes).startsWith('bad') ? 'ignore' : 'accept';
    });
    c.subscribe(TOPIC, ({ bytes }) => {
      heard.push(text(bytes));
      return 'accept';
    });
    await a.connect(addressOf(b), { signal });
    await c.connect(addressOf(b), { signal });
    let round = 0;
    await until(async () => {
      round += 1;
      await a.publish(TOPIC, bytesOf(`bad ${round}`));
      await a.publish(TOPIC, bytesOf(`good ${round}`));
      return heard.length > 2 && seen > 4;
    });
    assert.deepEqual(
      heard.filter((words) => words.startsWith('bad')),
      [],
    );
  });

  it('finds the address of a peer that only its peer knows', async () => {
    const [a, b, c] = [await start(), await start(), await start()];
    await c.connect(addressOf(b), { signal });
    await a.connect(addressOf(b), { signal });
    let found: readonly string[] = [];
    await until(async () => {
      found = await a.discover({ signal });
      return found.some((address) => address.endsWith(c.self));
    });
    const address = found.find((one) => one.endsWith(c.self)) ?? '';
    assert.equal(await a.connect(address, { signal }), c.self);
  });

  it('asks a peer that cannot be dialled over the connection which that peer opened', async () => {
    const [listening, hidden] = [await start(), await start({ listen: [] })];
    await hidden.handle(ECHO, { quota: AMPLE }, async (request) => request);
    await hidden.connect(addressOf(listening), { signal });
    assert.deepEqual(hidden.addresses, []);
    await until(() => listening.peers().includes(hidden.self));
    const reply = await listening.request(hidden.self, ECHO, bytesOf('hello'), { signal });
    assert.equal(text(reply), 'hello');
  });

  it('keeps out whom it dropped, until the time is over', async () => {
    let nowMs = 0;
    const clock = { ...systemClock(), monotonic: () => nowMs };
    const [a, b] = [await start({ clock }), await start()];
    await b.connect(addressOf(a), { signal });
    await until(() => a.peers().length === 1);
    await a.drop(b.self, 60_000);
    await until(() => a.peers().length === 0 && b.peers().length === 0);
    await assert.rejects(a.connect(addressOf(b), { signal }), (error) =>
      isFault(error, 'P2P_UNREACHABLE'),
    );
    await b.connect(addressOf(a), { signal }).catch(() => undefined); // closed once it is known
    await until(() => b.peers().length === 0);
    assert.deepEqual(a.peers(), []);
    nowMs = 60_001;
    assert.equal(await a.connect(addressOf(b), { signal }), b.self);
  });

  it('signs what others can hold it to, and nobody else can', async () => {
    const [a, b] = [await start({ listen: [] }), await start({ listen: [] })];
    const bytes = bytesOf('a record');
    const signature = await a.sign(bytes);
    assert.equal(signature.length, 64);
    assert.equal(await b.verify(a.self, bytes, signature), true);
    assert.equal(await b.verify(b.self, bytes, signature), false);
    assert.equal(await b.verify(a.self, bytesOf('a recorD'), signature), false);
    assert.equal(await b.verify('no peer id', bytes, signature), false);
    assert.equal(await b.verify(a.self, bytes, signature.subarray(1)), false);
  });
});
