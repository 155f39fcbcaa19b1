import assert from 'node:assert/strict';
import { fileShape, type Hasher, verifySegment, zeroSubtreeRoot } from '@cairn/commitments';
import {
  concatBytes,
  equalBytes,
  isFault,
  memoryFileStore,
  memoryKeyValueStore,
  type Rng,
  rootOf,
  SEGMENT_BYTES,
  seededRng,
  systemClock,
} from '@cairn/primitives';
import { ownedSegments } from '@cairn/wire-protocol';
import { Finaliser } from '../src/finaliser.ts';
import { KEY, rangeOf } from '../src/keyspace.ts';
import { LogFollower } from '../src/log-follower.ts';
import { UploadCache } from '../src/upload-cache.ts';
import { Crash, FaultyDisk } from './support/faulty-disk.ts';
import { fileOf, logger, metrics, randomFile, type TestFile, testHasher } from './support/files.ts';
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

  it('spends little on a file that claims to have a petabyte', async () => {
    const sizeBytes = 2 ** 50;
    const data = new Uint8Array(SEGMENT_BYTES).fill(5);
    const siblings = fileShape(sizeBytes).nodes.flatMap(({ height }) =>
      Array.from({ length: height - 10 }, (_, level) => zeroSubtreeRoot(10 + level)),
    );
    const segmentRoot = hasher.segmentRoot(data, 1024);
    const root = siblings.reduce(
      (node, sibling) => hasher.hashMany(concatBytes(node, sibling), 64),
      segmentRoot,
    );
    const segment = verifySegment({ root, sizeBytes, index: 0, data, proof: { siblings } }, hasher);
    const nodes = [{ height: 42, root }];
    const file = { bytes: { length: sizeBytes }, root: rootOf(root), commitment: { nodes } };
    const chain = new TestChain();
    chain.mine(file as never, file as never);
    const node = await openNode(plain());
    await syncNode(node, chain);
    const [first, second] = [await entryOf(node, 0), await entryOf(node, 1)];
    await node.segments.put(first, segment, { signal });
    assert.equal(await node.finaliser.consider(second, signal), false);
    assert.equal(await node.segments.heldCount(second, { signal }), 1, 'one piece can be copied');
    await assert.rejects(node.segments.held(first, { signal }), (error) =>
      isFault(error, 'SEGMENT_BITMAP_TOO_LARGE'),
    );
  });

  it('takes the mark back if a piece was damaged between the look and the mark', async () => {
    const file = randomFile(hasher, 2 * SEGMENT_BYTES, 5);
    const chain = new TestChain();
    chain.mine(file);
    const disk = new FaultyDisk();
    const node = await openNode(disk);
    await syncNode(node, chain);
    const entry = await entryOf(node, 0);
    for (const segment of file.segments) await node.segments.put(entry, segment, { signal });
    const segments = {
      get: node.segments.get.bind(node.segments),
      getStashed: node.segments.getStashed.bind(node.segments),
      put: node.segments.put.bind(node.segments),
      heldSegments: async (...args: Parameters<typeof node.segments.heldSegments>) => {
        const seen = await node.segments.heldSegments(...args);
        await disk.flip(entry.startSector * 256 + 9, 1);
        assert.equal(await node.segments.get(entry, 0, { signal }), undefined);
        return seen;
      },
    };
    const { log } = node;
    const deps = { log, segments, hasher, logger, metrics, shard: () => ({ id: 0, count: 1 }) };
    assert.equal(await new Finaliser(deps).consider(entry, signal), false);
    assert.equal((await log.stateOf(entry.sequence)).finalized, false);
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

  it('keep all that was uploaded, whatever order it comes back in', async () => {
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

  it('do not bring back what was found damaged meanwhile', async () => {
    const [a, b] = [randomFile(hasher, 1000, 7), randomFile(hasher, 1000, 8)];
    const chain = new TestChain();
    chain.mine();
    chain.mine(a);
    const disk = new FaultyDisk();
    const node = await openNode(disk);
    await syncNode(node, chain);
    await upload(node, a, 0);
    const { startSector } = await entryOf(node, 0);
    chain.takeBack(1);
    chain.mine(b);
    chain.mine();
    await syncNode(node, chain);
    await disk.flip(startSector * 256, 0);
    assert.equal((await node.segments.scrub(0, 10, { signal })).damaged, 1);
    chain.takeBack(2);
    chain.mine(a);
    chain.mine();
    chain.mine();
    await syncNode(node, chain);
    assert.equal((await node.log.stateOf(0 as never)).finalized, false);
    await upload(node, a, 0);
    await assertFinalised(node, 0, a);
  });

  it('leave a damaged record of what was set aside behind, and go on', async () => {
    const [a, b] = [randomFile(hasher, 1000, 7), randomFile(hasher, 1000, 8)];
    const chain = new TestChain();
    chain.mine();
    chain.mine(a);
    const disk = plain();
    const node = await openNode(disk);
    await syncNode(node, chain);
    await upload(node, a, 0);
    chain.takeBack(1);
    chain.mine(b);
    chain.mine();
    await syncNode(node, chain);
    await upload(node, b, 0);
    for await (const [key, value] of disk.kv.entries(rangeOf(KEY.stash), { signal })) {
      value[40] = (value[40] ?? 0) ^ 1;
      await disk.kv.write([{ type: 'put', key, value }]);
    }
    const entryOfA = { ...(await entryOf(node, 0)), root: a.root, sizeBytes: 1000 };
    assert.equal(await node.segments.getStashed(entryOfA, 0), undefined);
    await openNode(disk);
    for (const letter of [KEY.stash, KEY.stashData]) {
      for await (const [key] of disk.kv.entries(rangeOf(letter), { signal })) assert.fail(`${key}`);
    }
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

  it('lose nothing acknowledged, wherever the machine stops', async () => {
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
        await node.finaliser.considerPending(signal, () => assert.fail('finalising failed'));
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

  it('never waits for finalising, and finds again what did not fit into its queue', async () => {
    const entries = 10_005;
    const applied = { added: [] as { sequence: number }[], removed: [] };
    for (let sequence = 0; sequence < entries; sequence += 1) applied.added.push({ sequence });
    const taken: number[] = [];
    let pending = 0;
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const follower = new LogFollower({
      chainLog: {
        async *follow() {
          yield { kind: 'advance', through: { number: 1 }, entries: [], head: 9 };
          taken.push(1);
          await new Promise(() => undefined);
        },
      },
      log: {
        marks: () => [],
        nextSequence: 0,
        apply: async () => applied,
        entryAt: async (sequence: number) => ({ sequence }),
      },
      finaliser: {
        consider: () => finished,
        considerPending: async () => {
          pending += 1;
        },
      },
      clock: systemClock(),
      logger,
      metrics,
    } as never);
    const stop = new AbortController();
    follower.run(stop.signal).catch(() => undefined);
    await until(async () => taken.length === 1);
    assert.equal(pending, 1, 'at the start');
    finish();
    await until(async () => pending === 2);
    stop.abort(new Error('test over'));
  });

  it('goes on when the chain does not tell the flow root, and asks at the next step', async () => {
    const [a] = files;
    assert.ok(a);
    const chain = new TestChain();
    chain.mine(a);
    const asked: number[] = [];
    const silent = {
      chainId: chain.chainId,
      flow: chain.flow,
      follow: chain.follow.bind(chain),
      flowRootAt: async (sequence: number) => {
        asked.push(sequence);
        if (asked.length === 1) throw new Error('the chain does not answer');
        return chain.flowRootAt(sequence as never);
      },
    };
    const node = await openNode(plain());
    const stop = new AbortController();
    const running = followerOf(node, silent as never).run(stop.signal);
    running.catch(() => undefined);
    await until(async () => asked.length === 1);
    chain.mine();
    await until(async () => node.log.newestBlock?.number === 1 && asked.length === 2);
    chain.mine();
    await until(async () => node.log.newestBlock?.number === 2);
    assert.deepEqual(asked, [0, 0]);
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
