import assert from 'node:assert/strict';
import type { Hasher } from '@cairn/commitments';
import {
  equalBytes,
  isFault,
  memoryFileStore,
  memoryKeyValueStore,
  type Rng,
  SEGMENT_BYTES,
  seededRng,
  systemClock,
} from '@cairn/primitives';
import { ownedSegments } from '@cairn/wire-protocol';
import { UploadCache } from '../src/upload-cache.ts';
import { Crash, FaultyDisk } from './support/faulty-disk.ts';
import { fileOf, metrics, randomFile, type TestFile, testHasher } from './support/files.ts';
import {
  entryOf,
  followerOf,
  never,
  openNode,
  syncNode,
  type TestNode,
  upload,
} from './support/node.ts';
import { TestChain } from './support/test-chain.ts';

const signal = never;
const plain = () => ({ files: memoryFileStore(), kv: memoryKeyValueStore() });

function shuffled<Item>(items: readonly Item[], rng: Rng): Item[] {
  const pool = [...items];
  const result: Item[] = [];
  while (pool.length > 0) result.push(...pool.splice(rng.below(pool.length), 1));
  return result;
}

async function assertFinalised(
  node: TestNode,
  sequence: number,
  file: TestFile,
  why = '',
): Promise<void> {
  const entry = await entryOf(node, sequence);
  assert.equal(entry.root, file.root);
  assert.equal(
    (await node.log.stateOf(entry.sequence)).finalized,
    true,
    `entry ${sequence} ${why}`,
  );
  for (const segment of file.segments) {
    const got = await node.segments.get(entry, segment.index, { signal });
    assert.ok(
      got !== undefined && equalBytes(got.data, segment.data),
      `${sequence}/${segment.index} ${why}`,
    );
  }
}

describe('finalising', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await testHasher();
  });

  it('is immediate where the shard owns nothing, and otherwise waits for what it owns', async () => {
    const single = randomFile(hasher, 1000, 1);
    const triple = randomFile(hasher, 2 * SEGMENT_BYTES + 9, 2);
    const chain = new TestChain();
    chain.mine(single, triple);
    const shard = { id: 1, count: 2 };
    const node = await openNode(plain(), { shard });
    await syncNode(node, chain);
    assert.equal((await node.log.stateOf(0 as never)).finalized, true, 'segment 0 is not ours');
    const entry = await entryOf(node, 1);
    assert.equal((await node.log.stateOf(1 as never)).finalized, false);
    for (const index of ownedSegments(shard, entry.startSector, entry.sizeBytes)) {
      const segment = triple.segments[index];
      assert.ok(segment);
      await node.segments.put(entry, segment, { signal });
    }
    assert.equal(await node.finaliser.consider(entry, signal), true);
  });

  it('copies a file to every place its root has, before and after the upload', async () => {
    const file = randomFile(hasher, SEGMENT_BYTES + 600, 3);
    const other = randomFile(hasher, 100, 4);
    const chain = new TestChain();
    chain.mine(file, other, file);
    const node = await openNode(plain());
    await syncNode(node, chain);
    await upload(node, file, 0);
    await assertFinalised(node, 2, file, 'was known before');
    chain.mine(file);
    await syncNode(node, chain);
    await assertFinalised(node, 3, file, 'came later');
    assert.equal((await node.log.stateOf(1 as never)).finalized, false);
  });

  it('copies between files that share a root but not their length', async () => {
    const long = fileOf(hasher, new Uint8Array(1024).fill(7, 0, 700));
    const short = fileOf(hasher, new Uint8Array(800).fill(7, 0, 700));
    assert.equal(long.root, short.root);
    const chain = new TestChain();
    chain.mine(long, short);
    const node = await openNode(plain());
    await syncNode(node, chain);
    await upload(node, short, 1);
    await assertFinalised(node, 1, short);
    await assertFinalised(node, 0, long);
  });
});

describe('reorgs', () => {
  let hasher: Hasher;
  let pool: TestFile[];
  before(async () => {
    hasher = await testHasher();
    const sizes = [100, 300, 600, 257, 1500, 5000, 70_000, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3000];
    pool = sizes.map((size, seed) => randomFile(hasher, size, seed + 50));
  });

  it('keep all that was uploaded, whatever order it comes back in', async function () {
    this.timeout(30_000);
    for (const depth of [1, 2, 3, 5, 8, 16, 32]) {
      for (let seed = 0; seed < (depth < 8 ? 2 : 1); seed += 1) {
        const rng = seededRng(depth * 1000 + seed);
        const chain = new TestChain(1 + rng.below(4));
        const disk = plain();
        let node = await openNode(disk);
        for (let block = 0; block < depth + 2; block += 1) {
          chain.mine(...(rng.below(2) === 0 ? [] : shuffled(pool, rng).slice(0, 1 + rng.below(2))));
        }
        await syncNode(node, chain);
        await uploadAll(node, chain);
        for (let round = 0; round < 2; round += 1) {
          const back = shuffled(chain.takeBack(depth), rng);
          while (back.length > 0) chain.mine(...back.splice(0, 1 + rng.below(3)));
          chain.mine();
          if (rng.below(2) === 0) node = await openNode(disk); // a restart between
          await syncNode(node, chain);
          for (const [sequence, file] of chain.blocks.flatMap((b) => b.files).entries()) {
            await assertFinalised(
              node,
              sequence,
              file,
              `depth ${depth}, seed ${seed}, round ${round}`,
            );
          }
        }
      }
    }
  });

  it('bring a file back even when others took its place for a while', async () => {
    const [a, b] = [randomFile(hasher, 1000, 7), randomFile(hasher, 1000, 8)];
    const chain = new TestChain();
    chain.mine();
    chain.mine(a);
    const node = await openNode(plain());
    await syncNode(node, chain);
    await upload(node, a, 0);
    chain.takeBack(1);
    chain.mine(b);
    chain.mine();
    await syncNode(node, chain);
    await upload(node, b, 0); // stands where a stood, so a is set aside
    chain.takeBack(2);
    chain.mine(a);
    chain.mine(b);
    chain.mine();
    await syncNode(node, chain);
    await assertFinalised(node, 0, a);
    await assertFinalised(node, 1, b);
  });

  it('drop the oldest of what was set aside when room is short', async () => {
    const [a, b] = [randomFile(hasher, 1024, 7), randomFile(hasher, 1024, 8)];
    const chain = new TestChain();
    chain.mine();
    chain.mine(a);
    const node = await openNode(plain(), { stashBytes: 1000 });
    await syncNode(node, chain);
    await upload(node, a, 0);
    chain.takeBack(1);
    chain.mine(b);
    chain.mine();
    await syncNode(node, chain);
    await upload(node, b, 0);
    await assertFinalised(node, 0, b);
    chain.mine(a);
    await syncNode(node, chain);
    assert.equal((await node.log.stateOf(1 as never)).finalized, false, 'there was no room for it');
  });

  it('lose nothing acknowledged, wherever the machine stops', async function () {
    this.timeout(30_000);
    const [a, b, c] = [600, 1000, 300].map((size, seed) => randomFile(hasher, size, seed + 30));
    assert.ok(a && b && c);
    /** Uploads, a reorg that puts b where a and c were, an upload, and a reorg that mixes all. */
    const live = async (disk: FaultyDisk, chain: TestChain, kept: Set<TestFile>): Promise<void> => {
      const node = await openNode(disk);
      chain.mine();
      chain.mine(a, c);
      await syncNode(node, chain);
      for (const [sequence, file] of [a, c].entries()) {
        await upload(node, file, sequence);
        kept.add(file);
      }
      chain.takeBack(1);
      chain.mine(b);
      chain.mine();
      await syncNode(node, chain);
      await upload(node, b, 0);
      kept.add(b);
      finalBranch(chain);
      await syncNode(node, chain);
    };
    const finalBranch = (chain: TestChain): void => {
      chain.takeBack(chain.blocks.length - 1);
      for (const file of [c, b, a]) chain.mine(file);
    };
    const whole = new FaultyDisk();
    const everything = new Set<TestFile>();
    await live(whole, new TestChain(), everything);
    assert.equal(everything.size, 3);
    for (let at = 0; at < whole.operations; at += 1) {
      for (let seed = 0; seed < 2; seed += 1) {
        const disk = new FaultyDisk(at);
        const chain = new TestChain();
        const kept = new Set<TestFile>();
        await assert.rejects(live(disk, chain, kept), Crash);
        if (chain.blocks.length === 0) chain.mine();
        finalBranch(chain);
        const next = await disk.afterCrash(seededRng(at * 10 + seed));
        const node = await openNode(next);
        await syncNode(node, chain);
        await node.finaliser.considerPending(signal);
        for (const [sequence, file] of [c, b, a].entries()) {
          if (kept.has(file))
            await assertFinalised(node, sequence, file, `stop at ${at}, seed ${seed}`);
        }
      }
    }
  });

  async function uploadAll(node: TestNode, chain: TestChain): Promise<void> {
    for (const [sequence, file] of chain.blocks.flatMap((b) => b.files).entries()) {
      await upload(node, file, sequence);
    }
  }
});

describe('LogFollower', () => {
  let hasher: Hasher;
  let files: TestFile[];
  before(async () => {
    hasher = await testHasher();
    files = [100, 300, SEGMENT_BYTES + 5].map((size, seed) => randomFile(hasher, size, seed + 90));
  });

  const until = async (what: () => Promise<boolean>): Promise<void> => {
    for (let turn = 0; turn < 10_000; turn += 1) {
      if (await what()) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    throw new Error('it did not happen');
  };

  it('stores entries, flushes what waited for them, finalises, and unwinds', async () => {
    const [a, b, c] = files;
    assert.ok(a && b && c);
    const chain = new TestChain();
    chain.mine(a);
    const node = await openNode(plain());
    const cache = new UploadCache({ clock: systemClock(), metrics });
    for (const segment of [...a.segments, ...c.segments]) cache.add(segment);
    const follower = followerOf(node, chain, {
      onEntry: async (entry) => {
        await cache.flush(entry, (e, segment) => node.segments.put(e, segment, { signal }));
      },
    });
    const stop = new AbortController();
    const running = follower.run(stop.signal);
    const finalised = async (sequence: number): Promise<boolean> =>
      (await node.log.stateOf(sequence as never)).finalized;
    await until(() => finalised(0));
    assert.equal(follower.progress.isCaughtUp, true);
    chain.mine(b, c);
    await until(() => finalised(2));
    assert.equal(await finalised(1), false);
    assert.equal(cache.sizeBytes, 0);
    chain.takeBack(1);
    chain.mine(c);
    chain.mine(b);
    await until(
      async () => (await node.log.entryAt(1 as never))?.root === c.root && (await finalised(1)),
    );
    stop.abort(new Error('test over'));
    await assert.rejects(running, /test over/);
  });

  it('goes on when finalising fails, and tries again', async () => {
    const [a, b] = files;
    assert.ok(a && b);
    const chain = new TestChain();
    chain.mine(a, b);
    const node = await openNode(plain());
    const tried: number[] = [];
    const sleeps: number[] = [];
    const follower = followerOf(
      {
        ...node,
        finaliser: {
          considerPending: async () => undefined,
          consider: async ({ sequence }: { sequence: number }) => {
            tried.push(sequence);
            if (tried.length < 3) throw new Error('disk on fire');
            return true;
          },
        } as never,
      },
      chain,
      { clock: { ...systemClock(), sleep: async (ms) => void sleeps.push(ms) } },
    );
    const stop = new AbortController();
    const running = follower.run(stop.signal);
    await until(async () => tried.length === 4);
    assert.deepEqual(tried, [0, 1, 0, 1]);
    assert.deepEqual(sleeps, [1000, 2000]);
    stop.abort(new Error('test over'));
    await assert.rejects(running, /test over/);
  });

  it('stops with both roots when the contract keeps disagreeing', async () => {
    const [a] = files;
    assert.ok(a);
    const chain = new TestChain();
    chain.mine(a);
    chain.flowRootOverride = new Uint8Array(32).fill(9);
    const node = await openNode(plain());
    const running = followerOf(node, chain).run(signal);
    running.catch(() => undefined);
    await until(async () => node.log.nextSequence === 1);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    chain.mine();
    await assert.rejects(running, (error) => {
      assert.ok(isFault(error, 'LOG_FLOW_MISMATCH'));
      assert.match(error.message, /0x0909/);
      return true;
    });
  });
});
