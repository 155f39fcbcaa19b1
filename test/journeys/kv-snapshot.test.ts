import assert from 'node:assert/strict';
import { createClient } from '@cairn/client-sdk';
import { parseStreamId } from '@cairn/kv-layer';
import { type Root, seededRng } from '@cairn/primitives';
import type { WorldNode } from '../../kv-layer/node/test/support/log-world.ts';
import { KvWorld } from '../support/kv-world.ts';
import { seedOf } from '../support/soak.ts';
import { until } from '../support/wait.ts';

const [ONE, TWO, NEVER] = ['7a', '7b', '7c'].map((byte) =>
  parseStreamId(`0x${byte.repeat(32)}`),
) as [
  ReturnType<typeof parseStreamId>,
  ReturnType<typeof parseStreamId>,
  ReturnType<typeof parseStreamId>,
];
const STREAMS = [ONE, TWO, NEVER];
const SEED = seedOf(90_211);

interface Begun {
  readonly phase: string;
  readonly code?: string;
  readonly version?: number;
  readonly reason?: string;
}

/** Nodes that begin with a snapshot from the log layer, by the word of two others. */
describe('key-value nodes that begin with a snapshot', () => {
  let world: KvWorld;
  const rng = seededRng(SEED);

  beforeEach(async () => {
    world = await KvWorld.make(SEED, STREAMS);
    for (let index = 0; index < 2; index += 1) await world.start();
    for (let entry = 0; entry < 6; entry += 1) {
      const pairs = Array.from({ length: 200 }, (): [string, string | Uint8Array] => [
        `key ${rng.below(400)}`,
        rng.below(6) === 0
          ? rng.fill(new Uint8Array(1500 + rng.below(1000)))
          : `v ${rng.below(99)}`,
      ]);
      await world.write(entry % 2 === 0 ? ONE : TWO, Object.fromEntries(pairs));
    }
    await world.settled();
  });
  afterEach(() => world?.end());

  /** The snapshot of the nodes as they are now, as bytes. */
  const snapshot = async (): Promise<{ bytes: Uint8Array; version: number }> => {
    const kvAttest = { keys: world.keys, threshold: 2 };
    const client = createClient({ nodes: ['http://127.0.0.1:1'], kv: world.urls, kvAttest });
    try {
      const { pieces, version, signers } = await client.kv.snapshot();
      assert.equal(signers.length, 2);
      const parts: Uint8Array[] = [];
      for await (const piece of pieces) parts.push(piece);
      return { bytes: new Uint8Array(Buffer.concat(parts)), version };
    } finally {
      await client.close();
    }
  };
  const stored = async (bytes: Uint8Array): Promise<Root> => {
    const root = await world.world.store(bytes);
    world.world.chain.mine();
    return root;
  };
  const begin = (
    file: string,
    { ids = STREAMS, ...more }: { ids?: readonly string[]; [name: string]: unknown } = {},
    directory?: string,
  ): Promise<WorldNode> =>
    world.world.start(
      { streams: { ids }, bootstrap: { file, keys: world.keys, ...more } },
      directory,
    );
  const begunOf = async (node: WorldNode): Promise<Begun> => {
    const { replay } = await node.get('/v1/status');
    return (replay as { bootstrap: Begun }).bootstrap;
  };
  const decided = (node: WorldNode): Promise<void> =>
    until('every entry is decided', async () => {
      const count = world.world.chain.entries().length;
      return node.node.status.nextSequence >= count;
    });
  const isAsTheOthers = async (node: WorldNode): Promise<void> => {
    await decided(node);
    await world.settled();
    assert.deepEqual(await node.roots(), await world.nodes[0]?.roots());
  };

  it('hold what the others hold, without fetching what came before, and go on', async () => {
    for (let gone = 0; gone < 5; gone += 1) {
      const leaving = new AbortController();
      const asked = fetch(`${world.urls[0]}/v1/snapshot`, { signal: leaving.signal });
      setTimeout(() => leaving.abort(), gone);
      await asked.then((reply) => reply.body?.cancel()).catch(() => undefined);
    }
    const { bytes, version } = await snapshot(); // who left takes nobody's place
    assert.equal(version, 5);
    const file = await stored(bytes);
    await world.write(ONE, { 'key 1': 'after', 'key 2': '' });
    world.world.opened = 0;
    const node = await begin(file);
    await decided(node);
    assert.deepEqual(await begunOf(node), { phase: 'done', version: 5 });
    assert.ok(world.world.opened < 6, `${world.world.opened} files were fetched`);
    await isAsTheOthers(node);
    assert.equal(await node.text(ONE, 'key 1'), 'after');
    const value = (await node.rpc(
      'kv_getValue',
      TWO,
      Buffer.from('key 9').toString('base64'),
      0,
      9,
    )) as {
      version: number;
    };
    assert.ok(value.version <= version);
    await world.write(TWO, { 'key 3': 'later' });
    await isAsTheOthers(node);
    // The past is not there, and what was not replayed is not vouched for.
    await assert.rejects(
      node.rpc('kvx_getRoot', { stream: ONE, version: 2 }),
      /older than the snapshot/,
    );
    await node.stop();
    const again = await begin(file, {}, node.directory);
    assert.deepEqual(await begunOf(again), { phase: 'done', version: 5 });
    await isAsTheOthers(again);
  });

  it('vouch for nothing unless they are told to', async () => {
    const file = await stored((await snapshot()).bytes);
    const key = await world.keyFile('21');
    const start = (vouch: boolean): Promise<WorldNode> =>
      world.world.start({
        streams: { ids: STREAMS },
        attest: { key },
        bootstrap: { file, keys: world.keys, vouch },
      });
    const careful = await start(false);
    await decided(careful);
    await assert.rejects(careful.rpc('kvx_getStatement', { stream: ONE }), /did not replay/);
    const bold = await start(true);
    await decided(bold);
    await until('the snapshot is proven', async () => bold.node.status.unread === 0);
    const { root } = (await bold.rpc('kvx_getStatement', { stream: ONE })) as { root: string };
    assert.equal(root, (await bold.roots())[ONE]);
  });

  it('refuse a snapshot that lies, by name, and replay from the first entry instead', async () => {
    const { bytes } = await snapshot();
    const value = Buffer.from(bytes).lastIndexOf(Buffer.from('v '));
    const changed = bytes.slice();
    changed[value + 2] = (changed[value + 2] ?? 0) ^ 1;
    const cases: [string, Uint8Array, Record<string, unknown>][] = [
      ['KV_SNAPSHOT_ROOT', changed, {}],
      ['KV_SNAPSHOT_MALFORMED', bytes.subarray(0, bytes.length - 1000), {}],
      ['KV_SNAPSHOT_MALFORMED', rng.fill(new Uint8Array(5000)), {}],
      ['KV_SNAPSHOT_UNATTESTED', bytes, { keys: [`0x${'ee'.repeat(20)}`] }],
      [
        'KV_SNAPSHOT_UNATTESTED',
        bytes,
        { keys: [...world.keys, `0x${'ee'.repeat(20)}`], agree: 3 },
      ],
      ['KV_WRONG_STATE', bytes, { ids: [ONE, TWO] }],
    ];
    for (const [code, file, settings] of cases) {
      const node = await begin(await stored(file), settings);
      await until('it is refused', async () => (await begunOf(node)).phase === 'refused');
      await decided(node);
      assert.equal((await begunOf(node)).code, code);

      if (settings['ids'] === undefined) await isAsTheOthers(node);
      const { reasons } = (await node.get('/health/ready')) as { reasons: readonly string[] };
      assert.ok(
        reasons.some((reason) => reason.includes(code)),
        reasons.join(),
      );
      await node.stop();
    }
  });

  it('do not wait for ever for a file that nobody has', async () => {
    const node = await begin(`0x${'99'.repeat(32)}`, { wait_s: 1 });
    await until('it is given up', async () => (await begunOf(node)).phase === 'refused');
    await isAsTheOthers(node);
  });

  it('refuse a snapshot of a branch that the chain left', async () => {
    await world.write(ONE, { branch: 'gone' });
    await world.settled();
    const { bytes, version } = await snapshot();
    world.world.chain.reorg(1, false);
    await world.write(ONE, { branch: 'instead' });
    await world.settled();
    assert.equal(version, 6);
    const node = await begin(await stored(bytes));
    await isAsTheOthers(node);
    assert.equal((await begunOf(node)).code, 'KV_SNAPSHOT_BRANCH');
    assert.equal(await node.text(ONE, 'branch'), 'instead');
  });

  it('begin anew where the chain takes back what their snapshot was of', async () => {
    const { bytes } = await snapshot();
    const file = await stored(bytes);
    const node = await begin(file);
    await isAsTheOthers(node);
    assert.equal((await begunOf(node)).phase, 'done');
    world.world.chain.reorg(3, false); // the file, and two entries that the snapshot counts
    await world.write(ONE, { branch: 'on another branch' });
    await world.write(TWO, { 'key 2': 'too' });
    await world.write(ONE, { 'key 3': 'and more' });
    for (const one of [node, ...world.nodes]) {
      await until(
        'the other branch is replayed',
        async () => (await one.text(ONE, 'branch')) === 'on another branch',
      );
    }
    await isAsTheOthers(node);
    // From the first entry on: the past is there again.
    const root = (await node.rpc('kvx_getRoot', { stream: ONE, version: 0 })) as {
      stateRoot: string;
    };
    assert.match(root.stateRoot, /^0x/);
    await node.stop();
    const again = await begin(file, {}, node.directory);
    await isAsTheOthers(again);
  });
});
