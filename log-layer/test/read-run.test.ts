import assert from 'node:assert/strict';
import {
  concatBytes,
  equalBytes,
  type FileStore,
  isFault,
  memoryFileStore,
  memoryKeyValueStore,
  SEGMENT_BYTES,
} from '@cairn/primitives';
import type { LogEntry } from '../src/log-entry.ts';
import { Reader } from '../src/reader.ts';
import { randomFile, type TestFile, testHasher } from './support/files.ts';
import { entryOf, never, openNode, syncNode, type TestNode, upload } from './support/node.ts';
import { TestChain } from './support/test-chain.ts';

const SEGMENTS = 5;
const signal = never;

describe('a run of segments', () => {
  let file: TestFile;
  let files: FileStore;
  let node: TestNode;
  let entry: LogEntry;
  beforeEach(async () => {
    file = randomFile(await testHasher(), (SEGMENTS - 1) * SEGMENT_BYTES + 1000, 11);
    const chain = new TestChain();
    chain.mine(file);
    files = memoryFileStore();
    node = await openNode({ files, kv: memoryKeyValueStore() });
    await syncNode(node, chain);
    entry = await entryOf(node, 0);
  });

  const read = (first: number, count: number, lengths: number[] = []) => {
    const allocate = (length: number): Uint8Array => {
      lengths.push(length);
      return new Uint8Array(length).fill(0xaa); // what was there before must not be seen
    };
    return new Reader(node).segmentRun(entry, { first, count, allocate }, { signal });
  };

  it('comes from one read, with the proofs that single segments have', async () => {
    await upload(node, file, 0);
    const lengths: number[] = [];
    const run = await read(1, 4, lengths);
    assert.deepEqual(lengths, [3 * SEGMENT_BYTES + 1024], 'once, for whole sectors');
    assert.deepEqual(
      run.map(({ index }) => index),
      [1, 2, 3, 4],
    );
    for (const segment of run) {
      const alone = await node.segments.get(entry, segment.index, { signal });
      assert.deepEqual(segment, alone);
    }
    const bytes = concatBytes(...run.map(({ data }) => data)).subarray(0, 3 * SEGMENT_BYTES + 1000);
    assert.ok(equalBytes(bytes, file.bytes.subarray(SEGMENT_BYTES)));
  });

  it('ends before the first segment that is not held', async () => {
    for (const [index, segment] of file.segments.entries()) {
      if (index !== 2) await node.segments.put(entry, segment, { signal });
    }
    assert.equal((await read(0, SEGMENTS)).length, 2);
    assert.equal((await read(2, 2)).length, 0);
    assert.equal((await read(3, 2)).length, 2);
  });

  it('ends before a damaged segment, which is then looked at by itself', async () => {
    await upload(node, file, 0);
    const at = (entry.startSector + 1024) * 256 + 77;
    const [byte = 0] = await files.read(at, 1);
    await files.write(at, Uint8Array.of(byte ^ 4));
    assert.equal((await read(0, SEGMENTS)).length, 1);
    assert.equal(await node.segments.get(entry, 1, { signal }), undefined);
    assert.equal((await read(1, 2)).length, 0);
  });

  it('refuses segments that the file does not have', async () => {
    await assert.rejects(read(3, 3), (error) => isFault(error, 'SEGMENT_INDEX'));
  });
});
