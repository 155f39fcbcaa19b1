import assert from 'node:assert/strict';
import type { StreamId } from '@cairn/kv-layer';
import { parseAddress, utf8Bytes } from '@cairn/primitives';
import { until } from '../../../../test/support/wait.ts';
import { LogWorld, type WorldNode } from '../support/log-world.ts';
import { ALICE, streamNumber } from '../support/replayed.ts';

const [ONE, TWO, THREE] = [streamNumber(1), streamNumber(2), streamNumber(3)];
const BOB = parseAddress(`0x${'b0'.repeat(20)}`);

/** A node that follows a chain, reads files and keeps everything on a real disk. */
describe('a key-value node', () => {
  let world: LogWorld;

  beforeEach(async () => {
    world = await LogWorld.make(11);
  });

  afterEach(() => world.end());

  const put = (key: string, value: string, stream: StreamId = ONE) =>
    world.batch([stream], (batch) => void batch.put(stream, utf8Bytes(key), utf8Bytes(value)));

  /** Waits until a node has decided every entry of the chain. */
  const decided = async ({ node }: WorldNode): Promise<void> => {
    const count = world.chain.entries().length;
    await until(`${count} entries to be decided`, () => node.status.nextSequence === count);
  };

  /** What a node that never saw anything else makes of the log as it is now. */
  const freshRoots = async (streams: readonly StreamId[]) => {
    const fresh = await world.start({ streams: { ids: streams } });
    await decided(fresh);
    const roots = await fresh.roots();
    await fresh.stop();
    return roots;
  };

  it('replays what is there, goes on where it stopped, and reads nothing twice', async () => {
    const first = await world.start({ streams: { ids: [ONE] } });
    for (let index = 0; index < 20; index += 1) {
      await world.file(`an ordinary file ${index}`);
      await put(`key ${index}`, `value ${index}`);
      world.chain.mine();
    }
    await decided(first);
    assert.equal(await first.text(ONE, 'key 7'), 'value 7');
    const roots = await first.roots();
    await first.stop();
    const { opened } = world;
    assert.equal(opened, 20);
    const again = await world.start({ streams: { ids: [ONE] } }, first.directory);
    assert.deepEqual(await again.roots(), roots);
    await put('key 7', 'changed');
    world.chain.mine();
    await decided(again);
    assert.equal(await again.text(ONE, 'key 7'), 'changed');
    assert.equal(world.opened, opened + 1);
  });

  for (const depth of [1, 3, 20]) {
    it(`takes ${depth} blocks back with the chain, running or stopped meanwhile`, async () => {
      const settings = { streams: { ids: [ONE, TWO] } };
      const running = await world.start(settings);
      const stopped = await world.start(settings);
      for (let index = 0; index < 25; index += 1) {
        await put(`key ${index % 4}`, `value ${index}`, index % 3 === 0 ? TWO : ONE);
        world.chain.mine();
      }
      await decided(running);
      await decided(stopped);
      await stopped.stop();
      const before = await running.roots();
      world.chain.reorg(depth, depth !== 3);
      const back = await world.start(settings, stopped.directory);
      for (const node of [running, back]) {
        await until('the other branch', async () => {
          const { block } = node.node.status;
          return block === world.chain.head.number;
        });
        await decided(node);
      }
      const fresh = await freshRoots([ONE, TWO]);
      assert.deepEqual(await running.roots(), fresh);
      assert.deepEqual(await back.roots(), fresh);
      if (depth > 1) assert.notDeepEqual(fresh, before);
    });
  }

  it('waits for a file that nobody serves, says for which and since when, and goes on by itself', async () => {
    const one = await world.start({ streams: { ids: [ONE] } });
    await put('a', 'first');
    world.chain.mine();
    await decided(one);
    const root = await put('b', 'second');
    world.hidden.add(root);
    await put('c', 'third');
    world.chain.mine();
    await until('the node to wait', () => (one.node.status.wait?.tries ?? 0) > 1);
    const { wait, nextSequence } = one.node.status;
    assert.deepEqual([wait?.kind, wait?.sequence, wait?.root, nextSequence], ['file', 1, root, 1]);
    assert.match(wait?.reason ?? '', /nobody has/);
    const { replay } = (await one.get('/v1/status')) as { replay: { waits: { sentence: string } } };
    assert.match(replay.waits.sentence, /waits for the file of entry 1 .* once any of the storage/);
    assert.equal(await one.text(ONE, 'a'), 'first'); // reads go on
    world.hidden.delete(root);
    await decided(one);
    assert.equal(await one.text(ONE, 'c'), 'third');
    assert.equal(one.node.status.wait, undefined);
  });

  it('does not wait for what strangers store', async () => {
    const one = await world.start({ streams: { ids: [ONE] } });
    await put('a', 'by the owner');
    world.chain.mine();
    const foreign = (batch: { put: (...args: [StreamId, Uint8Array, Uint8Array]) => unknown }) =>
      void batch.put(ONE, utf8Bytes('a'), utf8Bytes('by a stranger'));
    world.hidden.add(await world.batch([ONE], foreign, { sender: BOB }));
    await put('b', 'after it');
    world.chain.mine();
    await decided(one);
    assert.equal(await one.rpc('kv_getTransactionResult', 1), 'SenderNoWritePermission');
    assert.deepEqual(
      [await one.text(ONE, 'a'), await one.text(ONE, 'b')],
      ['by the owner', 'after it'],
    );
  });

  it('gives a file up where it is told to, says so, and heals when the file is there', async () => {
    const skipping = { missing: 'skip', skip_after_s: 1, max_holes: 1, heal_every_s: 1 };
    const one = await world.start({ streams: { ids: [ONE] }, replay: skipping });
    await put('a', '1');
    const root = await put('b', '2');
    world.hidden.add(root);
    await put('c', '3');
    world.chain.mine();
    await decided(one);
    assert.equal(await one.rpc('kv_getTransactionResult', 1), 'DownloadFailed');
    assert.deepEqual([await one.text(ONE, 'b'), await one.text(ONE, 'c')], ['', '3']);
    assert.equal(one.node.status.holes, 1);
    const { reasons } = (await one.get('/health/ready')) as { reasons: string[] };
    assert.match(reasons.join(), /1 entries were given up/);
    // One hole is the most allowed here: the next missing file is waited for.
    const next = await put('d', '4');
    world.hidden.add(next);
    world.chain.mine();
    await until('the node to wait', () => one.node.status.wait?.sequence === 3);
    world.hidden.clear();
    await decided(one);
    await until('the hole to heal', () => one.node.status.holes === 0);
    await decided(one);
    assert.equal(await one.rpc('kv_getTransactionResult', 1), 'Commit');
    assert.deepEqual(await one.roots(), await freshRoots([ONE]));
  });

  it('answers for a stream that was added late as if it had been watched from the start', async () => {
    const one = await world.start({ streams: { ids: [ONE] } });
    const both = (batch: { put: (...args: [StreamId, Uint8Array, Uint8Array]) => unknown }) => {
      batch.put(ONE, utf8Bytes('both'), utf8Bytes('x'));
      batch.put(TWO, utf8Bytes('both'), utf8Bytes('x'));
    };
    await put('a', '1');
    await put('b', '2', TWO);
    await world.batch([ONE, TWO], both);
    world.chain.mine();
    await decided(one);
    assert.equal(await one.rpc('kv_getTransactionResult', 2), null); // not all of it is watched
    await one.stop();
    const more = await world.start({ streams: { ids: [ONE, TWO] } }, one.directory);
    await until('both streams', () => more.node.status.streams.length === 2);
    assert.equal(await more.rpc('kv_getTransactionResult', 2), 'Commit');
    assert.deepEqual(await more.roots(), await freshRoots([ONE, TWO]));
  });

  it('watches every stream that the log names where it is told to, as many as it may', async () => {
    const one = await world.start({ streams: { discover: true, limit: 2 } });
    await put('a', '1', ONE);
    world.chain.mine();
    await put('b', '2', TWO);
    await put('c', '3', THREE);
    world.chain.mine();
    await decided(one);
    // Nothing that names a new stream is passed over on the way: whoever waits for it sees it decided.
    assert.equal(await one.rpc('kv_getTransactionResult', 0), 'Commit');
    assert.equal(one.node.status.streams.length, 2);
    assert.deepEqual([await one.text(ONE, 'a'), await one.text(TWO, 'b')], ['1', '2']);
    assert.deepEqual(await one.roots(), await freshRoots([ONE, TWO]));
    await one.stop();
    const again = await world.start({ streams: { discover: true, limit: 2 } }, one.directory);
    assert.equal(again.node.status.streams.length, 2);
  });

  it('waits for a chain that does not tell who sent an entry, and answers meanwhile', async () => {
    const one = await world.start({ streams: { ids: [ONE] } });
    await put('a', '1');
    world.chain.mine();
    await decided(one);
    world.isChainSilent = true;
    await put('b', '2');
    world.chain.mine();
    await until('the node to wait', () => one.node.status.wait?.kind === 'chain');
    assert.equal(await one.text(ONE, 'a'), '1');
    world.isChainSilent = false;
    await decided(one);
    assert.equal(await one.text(ONE, 'b'), '2');
  });

  it('asks the chain no more for entries that it takes back while it does not tell of them', async () => {
    for (let index = 0; index < 5; index += 1) {
      await put(`key ${index}`, 'of the branch before');
      world.chain.mine();
    }
    // The log is read, and for these streams nobody needs to know who sent what.
    const other = await world.start({ streams: { ids: [TWO] } });
    await decided(other);
    await other.stop();
    world.isChainSilent = true;
    const node = await world.start({ streams: { ids: [ONE] } }, other.directory);
    const waitOf = () => node.node.status.pending?.wait;
    await until('the chain to be waited for', () => waitOf()?.kind === 'chain');
    const wait = waitOf();
    world.chain.reorg(2, false);
    await put('key 3', 'of this branch');
    world.chain.mine();
    world.isChainSilent = false;
    await until('the other streams', () => node.node.status.streams.includes(ONE));
    await decided(node);
    assert.equal(wait?.sequence, 0, 'what it waited for is there still');
    assert.equal(await node.text(ONE, 'key 3'), 'of this branch');
    assert.deepEqual(await node.roots(), await freshRoots([ONE]));
  });

  it('stops replaying while the disk is full, answers, and goes on with room', async () => {
    const one = await world.start({ streams: { ids: [ONE] }, node: { reserve_bytes: 1000 } });
    await put('a', '1');
    world.chain.mine();
    await decided(one);
    world.freeBytes = 999;
    await new Promise((resolve) => setTimeout(resolve, 1100)); // a measurement counts for a second
    await put('b', '2');
    world.chain.mine();
    await until('the node to say so', () => one.node.status.diskReason !== undefined);
    assert.equal((await fetch(`${one.node.url}/health/ready`)).status, 503);
    assert.equal(await one.text(ONE, 'a'), '1');
    world.freeBytes = 1_000_000;
    await decided(one);
    assert.equal(await one.text(ONE, 'b'), '2');
  });

  it('replays identical bytes that were stored again as an entry of their own', async () => {
    const one = await world.start({ streams: { ids: [ONE] } });
    for (const value of ['A', 'B', 'A']) {
      await put('key', value);
      world.chain.mine();
    }
    await decided(one);
    assert.equal(await one.text(ONE, 'key'), 'A');
    const value = await one.rpc('kv_getValue', ONE, Buffer.from('key').toString('base64'), 0, 0);
    assert.equal((value as { version: number }).version, 2);
    assert.equal(await one.rpc('kv_isAdmin', ALICE, ONE), true);
  });
});
