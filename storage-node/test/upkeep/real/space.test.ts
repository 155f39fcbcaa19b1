import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault, MIB, memoryKeyValueStore, seededRng } from '@cairn/primitives';
import { ownsSegment, parseSegmentMessage, parseShardText } from '@cairn/wire-protocol';
import { ShardKeeper } from '../../../src/upkeep/shard-keeper.ts';
import { segmentData, type TestFile, TestNode, testFile, until } from '../../harness.ts';

const SEGMENT = 262_144;

/** Bytes that segment files take on the disk. */
async function occupied(node: TestNode): Promise<number> {
  const folder = join(node.directory, 'segments');
  let bytes = 0;
  for (const name of await readdir(folder)) bytes += (await stat(join(folder, name))).blocks * 512;
  return bytes;
}

interface Stored {
  readonly file: TestFile;
  readonly sequence: number;
  /** Global number of its first segment. */
  readonly first: number;
}

async function store(
  node: TestNode,
  count: number,
  segments: number,
  seed: number,
): Promise<Stored[]> {
  const files = await Promise.all(
    Array.from({ length: count }, (_, at) => testFile(segments * SEGMENT - 300, seed + at)),
  );
  const sequences = await node.announce(...files);
  const stored: Stored[] = [];
  for (const [at, file] of files.entries()) {
    const sequence = sequences[at] ?? -1;
    for (let index = 0; index < segments; index += 1) {
      ok((await node.put(file, index, sequence)).ok);
    }
    const { result } = await node.rpc('zgs_getFileInfoByTxSeq', [sequence]);
    stored.push({ file, sequence, first: Math.floor(result.tx.startEntryIndex / 1024) });
  }
  return stored;
}

const isFinalized = async (node: TestNode, { sequence }: Stored): Promise<boolean> =>
  (await node.rpc('zgs_getFileInfoByTxSeq', [sequence])).result.finalized;

const shardOf = async (node: TestNode): Promise<unknown> => (await node.json('/v1/status')).shard;

/** Indexes of segments of a file that are served. */
async function served(
  node: TestNode,
  { file, sequence }: Stored,
  segments: number,
): Promise<number[]> {
  const found: number[] = [];
  for (let index = 0; index < segments; index += 1) {
    const reply = await node.get(`/v1/segments/${file.root}/${index}?seq=${sequence}`);
    await reply.arrayBuffer();
    if (reply.ok) found.push(index);
  }
  return found;
}

const settled = (node: TestNode): Promise<void> =>
  until(async () => {
    const text = await (await node.get('/metrics')).text();
    const { shard, prune } = JSON.parse(JSON.stringify(node.node.upkeep.statusJson()));
    return (
      shard.move === null &&
      (prune.stage === 'done' || prune.belowSector === 0) &&
      /^cairn_space_work_active 0$/m.test(text)
    );
  });

describe('a shard that changes', () => {
  let node: TestNode;
  afterEach(() => node.remove());

  const owned = (text: string, { first }: Stored, segments: number): number[] =>
    Array.from({ length: segments }, (_, at) => at).filter((at) =>
      ownsSegment(parseShardText(text), first + at),
    );

  it('to one of its halves keeps every file final, and gives half of the room back', async () => {
    node = await TestNode.start();
    const stored = await store(node, 3, 24, 100);
    const before = await occupied(node);
    equal(await node.node.upkeep.changeShard(parseShardText('1/2')), true);
    deepEqual(await shardOf(node), { id: 1, count: 2 }, 'told at once');
    for (const one of stored) ok(await isFinalized(node, one));
    await settled(node);
    for (const one of stored) {
      ok(await isFinalized(node, one));
      deepEqual(await served(node, one, 24), owned('1/2', one, 24));
    }
    const after = await occupied(node);
    ok(after < before * 0.55, `${after} of ${before} bytes are still taken`);
    const [one] = stored;
    ok(one !== undefined);
    const foreign = owned('0/2', one, 24)[0] ?? 0;
    equal(
      (await node.put(one.file, foreign, one.sequence)).headers.get('x-cairn-outcome'),
      'foreign',
    );
    await node.restart();
    deepEqual(
      await shardOf(node),
      { id: 1, count: 2 },
      'the stored shard counts, not the configured one',
    );
    deepEqual(await served(node, one, 24), owned('1/2', one, 24));
  });

  it('to another one waits for what it lacks, and goes back to it once it has it', async () => {
    node = await TestNode.start({ shard: '0/2' });
    const [one, tiny] = [...(await store(node, 1, 8, 200)), ...(await store(node, 1, 1, 300))];
    ok(one !== undefined && tiny !== undefined);
    ok(await isFinalized(node, one));
    await node.node.upkeep.changeShard(parseShardText('0/1'));
    await settled(node);
    deepEqual(await shardOf(node), { id: 0, count: 1 });
    equal(await isFinalized(node, one), false, 'it lacks half');
    deepEqual(await served(node, one, 8), owned('0/2', one, 8), 'what it has it keeps');
    for (let index = 0; index < 8; index += 1)
      ok((await node.put(one.file, index, one.sequence)).ok);
    await until(() => isFinalized(node, one));
    deepEqual((await served(node, one, 8)).length, 8);

    await node.node.upkeep.changeShard(parseShardText('1/2'));
    await settled(node);
    ok(await isFinalized(node, one));
    await node.node.upkeep.changeShard(parseShardText('0/2'));
    await settled(node);
    equal(await isFinalized(node, one), false);
    deepEqual(await served(node, one, 8), []);
  });

  it('changes by itself when its budget is taken, and uploads go on', async () => {
    const rng = seededRng(3);
    node = await TestNode.start({ storage: { maxBytes: 12 * MIB }, node: { rng } });
    await store(node, 6, 8, 400); // 12 MiB
    await node.restart(); // looks at once
    await until(async () => ((await shardOf(node)) as { count: number }).count >= 2);
    await settled(node);
    const { id, count } = (await shardOf(node)) as { id: number; count: number };
    equal(count, 2);
    ok(id < 2);
    ok((await occupied(node)) < 8 * MIB);
    const [late] = await store(node, 1, 4, 500);
    ok(late !== undefined && (await isFinalized(node, late)));
  });

  it('is halved no further than makes sense; uploads are turned away by name, and questions answered', async () => {
    node = await TestNode.start({ storage: { maxBytes: 1 }, shard: '0/4096' });
    let file = await testFile(5000, 600);
    // The last look at the disk may be a second old, so some can slip through: each its own file.
    await until(async () => {
      file = await testFile(1000, 600 + node.chain.head.number);
      const [sequence = -1] = await node.announce(file); // in the first segment of the flow
      return (await node.put(file, 0, sequence)).status === 507;
    });
    const { ready, reasons } = await node.json('/health/ready');
    equal(ready, true);
    ok(reasons[0].includes('storage.max_bytes'), reasons[0]);
    deepEqual(await shardOf(node), { id: 0, count: 4096 });
    equal((await node.get(`/v1/entries/${file.root}`)).status, 200);
  });

  it('is read and written on while it changes', async () => {
    node = await TestNode.start();
    const stored = await store(node, 2, 40, 900);
    const fresh = await testFile(24 * SEGMENT, 950);
    const [sequence = -1] = await node.announce(fresh);
    const done = new AbortController();
    const rng = seededRng(12);
    let reads = 0;
    const read = async (): Promise<void> => {
      while (!done.signal.aborted) {
        const one = stored[rng.below(2)] as Stored;
        const index = rng.below(40);
        const reply = await node.get(`/v1/segments/${one.file.root}/${index}?seq=${one.sequence}`);
        const bytes = new Uint8Array(await reply.arrayBuffer());
        if (!reply.ok) {
          ok(!ownsSegment(parseShardText('1/2'), one.first + index), `segment ${index} went away`);
          continue;
        }
        const { segment } = parseSegmentMessage(bytes);
        ok(Buffer.from(segment.data).equals(segmentData(one.file, index)), `segment ${index}`);
        reads += 1;
      }
    };
    const write = async (): Promise<void> => {
      for (let index = 0; index < 24; index += 1) ok((await node.put(fresh, index, sequence)).ok);
    };
    const reading = Promise.all([read(), read(), read()]);
    await node.node.upkeep.changeShard(parseShardText('1/2'));
    await write();
    await settled(node);
    done.abort();
    await reading;
    ok(reads > 0);
    const { result } = await node.rpc('zgs_getFileInfoByTxSeq', [sequence]);
    const first = Math.floor(result.tx.startEntryIndex / 1024);
    for (const one of [...stored, { file: fresh, sequence, first }]) {
      const segments = one.file === fresh ? 24 : 40;
      await until(() => isFinalized(node, one));
      deepEqual(await served(node, one, segments), owned('1/2', one, segments));
    }
    node.node.upkeep.scrubber.start(1e12);
    await until(async () => node.node.upkeep.scrubber.report.lastPass !== undefined);
    equal(node.node.upkeep.scrubber.report.lastPass?.damaged, 0);
  });

  it('goes on after a stop in the middle', async () => {
    node = await TestNode.start();
    const [one] = await store(node, 1, 40, 700);
    ok(one !== undefined);
    await node.node.upkeep.changeShard(parseShardText('1/2'));
    await node.restart();
    await settled(node);
    deepEqual(await served(node, one, 40), owned('1/2', one, 40));
    ok(await isFinalized(node, one));
    ok((await occupied(node)) < 24 * SEGMENT);
  });

  it('is one at a time, kept before it begins, and goes through its stages', async () => {
    node = await TestNode.start();
    const kv = memoryKeyValueStore();
    const keeper = await ShardKeeper.open(kv, parseShardText('0/2'));
    equal(await keeper.begin(parseShardText('0/2'), 'admin'), false);
    equal(await keeper.begin(parseShardText('1/4'), 'admin'), true);
    await rejects(keeper.begin(parseShardText('0/4'), 'budget'), (error) =>
      isFault(error, 'SHARD_MOVING'),
    );
    const again = await ShardKeeper.open(kv, parseShardText('0/1'));
    deepEqual(again.move, keeper.move);
    equal(again.move?.stage, 'marks', '1/4 is no part of 0/2');
    deepEqual(again.current, parseShardText('0/2'));
    deepEqual(again.required, parseShardText('0/1'), 'no mark may be wrong under either');
    await again.finishStage();
    deepEqual(again.current, parseShardText('1/4'));
    deepEqual(again.required, again.current);
    await again.finishStage();
    equal(again.move?.stage, 'space');
    await again.finishStage();
    equal(again.move ?? 'none', 'none');
    deepEqual((await ShardKeeper.open(kv, parseShardText('0/1'))).current, parseShardText('1/4'));
    await again.begin(parseShardText('5/8'), 'budget');
    equal(again.move?.stage, 'pieces');
    deepEqual(again.current, parseShardText('5/8'), 'a part of what is kept is kept at once');
  });
});

describe('pruning', () => {
  it('gives up whole files below a sector, and their room', async () => {
    const node = await TestNode.start();
    try {
      const stored = await store(node, 4, 8, 800);
      const before = await occupied(node);
      const [, , third] = stored;
      ok(third !== undefined);
      await node.node.upkeep.prune(third.first * 1024 + 5); // inside the third: it stays whole
      await settled(node);
      for (const [at, one] of stored.entries()) {
        const isGone = at < 2;
        deepEqual((await served(node, one, 8)).length, isGone ? 0 : 8);
        const { result } = await node.rpc('zgs_getFileInfoByTxSeq', [one.sequence]);
        equal(result.pruned, isGone);
        if (isGone) equal((await node.put(one.file, 0, one.sequence)).status, 410);
      }
      ok((await occupied(node)) < before * 0.6);
      await node.restart();
      await settled(node);
      equal((await served(node, third, 8)).length, 8);
      await node.node.upkeep.prune(1); // below what was done: nothing
      equal((await served(node, third, 8)).length, 8);
    } finally {
      await node.remove();
    }
  });
});
