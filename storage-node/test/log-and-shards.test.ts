import { deepEqual, equal, ok } from 'node:assert/strict';
import { TestNode, testFile, until, zgSegment } from './harness.ts';
import { ScriptedChain } from './scripted-chain.ts';

const SEGMENT = 262_144;

describe('uploads before the log knows the file', () => {
  let node: TestNode;
  before(async () => {
    node = await TestNode.start({ storage: { cachedBytes: 2 * SEGMENT } });
  });
  after(() => node.remove());

  const finalized = async (root: string): Promise<boolean> =>
    (await node.rpc('zgs_checkFileFinalized', [root])).result === true;

  it('keeps segments, shows nothing, and stores them when the entry comes', async () => {
    const file = await testFile(SEGMENT + 1000, 41);
    equal((await node.rpc('zgs_uploadSegments', [[zgSegment(file, 0)]])).result, null);
    equal((await node.rpc('zgs_uploadSegment', [zgSegment(file, 0)])).result, null, 'again');
    equal((await node.rpc('zgs_uploadSegmentByTxSeq', [zgSegment(file, 1), 0])).result, null);
    equal((await node.rpc('zgs_getFileInfo', [file.root, true])).result, null);
    await node.announce(file);
    await until(() => finalized(file.root));
  });

  it('refuses large files and more than its memory may hold', async () => {
    const large = await testFile(41 * SEGMENT, 42);
    deepEqual((await node.rpc('zgs_uploadSegment', [zgSegment(large, 0)])).error, {
      code: -32602,
      message: 'Invalid params: file_size',
      data: 'caching of large file when tx is unavailable is not supported',
    });
    const waiting = await testFile(3 * SEGMENT, 43);
    for (const index of [0, 1]) {
      equal((await node.rpc('zgs_uploadSegment', [zgSegment(waiting, index)])).result, null);
    }
    deepEqual((await node.rpc('zgs_uploadSegment', [zgSegment(waiting, 2)])).error, {
      code: -32000,
      message: 'exceeds the maximum cached chunks of whole pool: 2048',
    });
  });

  it('answers the binary door with 202, then 404 for what is too large to wait', async () => {
    const fresh = await TestNode.start();
    try {
      const file = await testFile(5000, 44);
      equal((await fresh.put(file, 0)).status, 202);
      const large = await testFile(41 * SEGMENT, 45);
      const refused = await fresh.put(large, 0);
      equal(refused.status, 404);
      equal((await refused.json()).code, 'CACHE_FILE_TOO_LARGE');
      await fresh.announce(file);
      await until(async () => (await fresh.get(`/v1/segments/${file.root}/0`)).status === 200);
    } finally {
      await fresh.remove();
    }
  });
});

describe('one root in the log more than once', () => {
  it('finalises later entries by copy and answers with the first finalised one', async () => {
    const node = await TestNode.start();
    try {
      const file = await testFile(SEGMENT + 5, 46);
      const [first = -1, second = -1] = await node.announce(file, file);
      await node.upload(file, second);
      const isFinal = async (sequence: number): Promise<boolean> =>
        (await node.rpc('zgs_checkFileFinalized', [sequence])).result === true;
      await until(async () => (await isFinal(first)) && (await isFinal(second)));
      const [third = -1] = await node.announce(file);
      await until(() => isFinal(third));
      equal((await node.rpc('zgs_getFileInfo', [file.root, true])).result.tx.seq, first);
      const { result } = await node.rpc('zgs_downloadSegmentWithProofByTxSeq', [third, 1]);
      deepEqual(result, zgSegment(file, 1));
    } finally {
      await node.remove();
    }
  });

  it('uploads by root go to the open entry when none is finalised', async () => {
    const node = await TestNode.start();
    try {
      const file = await testFile(5, 47);
      await node.announce(file, file);
      equal((await node.rpc('zgs_uploadSegment', [zgSegment(file, 0)])).result, null);
      await until(async () => (await node.rpc('zgs_checkFileFinalized', [1])).result === true);
    } finally {
      await node.remove();
    }
  });
});

describe('nodes that keep a part', () => {
  const chain = new ScriptedChain();
  let half: TestNode;
  let other: TestNode;
  before(async () => {
    half = await TestNode.start({ chain, shard: '0/2' });
    other = await TestNode.start({ chain, shard: '1/2' });
  });
  after(async () => {
    await half.remove();
    await other.remove();
  });

  it('take foreign segments silently and keep their own', async () => {
    deepEqual((await half.rpc('zgs_getShardConfig')).result, { shardId: 0, numShard: 2 });
    const file = await testFile(3 * SEGMENT, 51);
    chain.mine([file.commitment]); // starts at a multiple of 1,024: global segments 1, 2, 3 …
    await half.synced();
    await other.synced();
    const { startEntryIndex } = (await half.rpc('zgs_getFileInfoByTxSeq', [0])).result.tx;
    const first = startEntryIndex / 1024;
    await half.upload(file, 0);
    await other.upload(file, 0);
    for (const index of [0, 1, 2]) {
      const owner = (first + index) % 2 === 0 ? half : other;
      for (const node of [half, other]) {
        const { result } = await node.rpc('zgs_downloadSegmentWithProofByTxSeq', [0, index]);
        if (node === owner) deepEqual(result, zgSegment(file, index));
        else equal(result, null);
      }
    }
    for (const node of [half, other]) {
      equal((await node.rpc('zgs_checkFileFinalized', [0])).result, true);
    }
    const foreign = [0, 1].find((index) => (first + index) % 2 === 1) ?? 0;
    const stat = await half.json(`/v1/entries/${file.root}`);
    equal(
      stat.entries[0].ownedSegments +
        (await other.json(`/v1/entries/${file.root}`)).entries[0].ownedSegments,
      3,
    );
    const fresh = await testFile(3 * SEGMENT, 52);
    chain.mine([fresh.commitment]);
    await half.synced();
    const at = (await half.rpc('zgs_getFileInfoByTxSeq', [1])).result.tx.startEntryIndex / 1024;
    const foreignFresh = (foreign + at - first + 2) % 2;
    ok((at + foreignFresh) % 2 === 1);
    const put = await half.put(fresh, foreignFresh);
    equal(put.status, 200);
    equal(put.headers.get('x-cairn-outcome'), 'foreign');
  });

  it('finalise at once a file of which they own nothing', async () => {
    const file = await testFile(100, 53);
    const [entry] = chain.mine([file.commitment]);
    const owner = Math.floor((entry?.startSector ?? 0) / 1024) % 2 === 0 ? half : other;
    const stranger = owner === half ? other : half;
    await half.synced();
    await other.synced();
    const isFinal = async (node: TestNode): Promise<boolean> =>
      (await node.rpc('zgs_checkFileFinalized', [file.root])).result === true;
    await until(() => isFinal(stranger));
    equal(await isFinal(owner), false);
    const offered = await stranger.put(file, 0);
    equal(offered.headers.get('x-cairn-outcome'), 'foreign', 'who keeps nothing says so');
  });
});

describe('blocks that leave the chain', () => {
  it('take their entries with them; the file comes back with its data', async () => {
    const node = await TestNode.start();
    try {
      const [kept, lost] = [await testFile(SEGMENT, 61), await testFile(SEGMENT + 7, 62)];
      const [first = -1] = await node.announce(kept);
      const [second = -1] = await node.announce(lost);
      await node.upload(kept, first);
      await node.upload(lost, second);
      node.chain.reorg(1);
      node.chain.mine([]);
      await node.synced();
      equal((await node.rpc('zgs_getFileInfoByTxSeq', [second])).result, null);
      equal((await node.rpc('zgs_getFileInfo', [lost.root, true])).result, null);
      equal((await node.rpc('zgs_checkFileFinalized', [first])).result, true);
      const other = await testFile(100, 63);
      await node.announce(other, lost);
      await until(async () => (await node.rpc('zgs_checkFileFinalized', [lost.root])).result);
      const { result } = await node.rpc('zgs_downloadSegmentWithProof', [lost.root, 1]);
      deepEqual(result, zgSegment(lost, 1));
    } finally {
      await node.remove();
    }
  });
});
