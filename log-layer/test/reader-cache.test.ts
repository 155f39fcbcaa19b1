import assert from 'node:assert/strict';
import type { Hasher } from '@cairn/commitments';
import {
  concatBytes,
  equalBytes,
  isFault,
  memoryFileStore,
  memoryKeyValueStore,
  SEGMENT_BYTES,
} from '@cairn/primitives';
import fc from 'fast-check';
import { GroupCommit } from '../src/group-commit.ts';
import { HeldBitmaps } from '../src/held-bitmaps.ts';
import { HeldSegments } from '../src/held-segments.ts';
import type { LogEntry } from '../src/log-entry.ts';
import { RangeLocks } from '../src/range-locks.ts';
import { Reader } from '../src/reader.ts';
import { LEAST_WEIGHT_BYTES, UploadCache } from '../src/upload-cache.ts';
import { metrics, randomFile, type TestFile, testHasher } from './support/files.ts';
import { entryOf, never, openNode, syncNode, type TestNode, upload } from './support/node.ts';
import { TestChain } from './support/test-chain.ts';

const signal = never;

describe('Reader', () => {
  let file: TestFile;
  let node: TestNode;
  let entry: LogEntry;
  before(async () => {
    file = randomFile(await testHasher(), 2 * SEGMENT_BYTES + 1000, 5);
    const chain = new TestChain();
    chain.mine(file);
    node = await openNode({ files: memoryFileStore(), kv: memoryKeyValueStore() });
    await syncNode(node, chain);
    entry = await entryOf(node, 0);
    await upload(node, file, 0);
  });

  it('reads any range of bytes and of sectors', async () => {
    const reader = new Reader(node);
    await fc.assert(
      fc.asyncProperty(fc.nat(file.bytes.length), fc.nat(file.bytes.length), async (a, b) => {
        const [offset, end] = a < b ? [a, b] : [b, a];
        const parts: Uint8Array[] = [];
        const stream = await reader.readBytes(entry, offset, end - offset, { signal });
        assert.ok(stream);
        for await (const part of stream) parts.push(part);
        assert.ok(equalBytes(concatBytes(...parts), file.bytes.subarray(offset, end)));
        const [from, to] = [Math.floor(offset / 256), Math.floor(end / 256)];
        const sectors = await reader.readSectors(entry, from, to, { signal });
        assert.ok(sectors && equalBytes(sectors, file.bytes.subarray(from * 256, to * 256)));
      }),
      { numRuns: 25 },
    );
    const last = Math.ceil(file.bytes.length / 256);
    const tail = await reader.readSectors(entry, last - 1, last, { signal });
    assert.equal(tail?.length, 256, 'the last sector is filled up with zeros');
    await assert.rejects(reader.readSectors(entry, last, last + 1, { signal }), RangeError);
    await assert.rejects(reader.readBytes(entry, 0, file.bytes.length + 1, { signal }), RangeError);
  });

  it('reads a segment once for all who ask at once, and keeps it', async () => {
    let reads = 0;
    const counting = {
      has: node.segments.has.bind(node.segments),
      getRun: node.segments.getRun.bind(node.segments),
      get: async (...args: Parameters<typeof node.segments.get>) => {
        reads += 1;
        return node.segments.get(...args);
      },
    };
    const reader = new Reader({ segments: counting });
    await Promise.all(
      [0, 0, 0, 1].map((index) => reader.segmentWithProof(entry, index, { signal })),
    );
    await reader.segmentWithProof(entry, 0, { signal });
    assert.equal(reads, 2);
    const forgetful = new Reader({ segments: counting }, { cacheBytes: 10 });
    await forgetful.segmentWithProof(entry, 0, { signal });
    await forgetful.segmentWithProof(entry, 0, { signal });
    assert.equal(reads, 4);
  });

  it('says what is not held before reading, and names what vanishes while it reads', async () => {
    const reader = new Reader({
      segments: {
        has: async (_file, index) => index !== 1,
        get: async () => undefined,
        getRun: async () => [],
      },
    });
    assert.equal(await reader.readBytes(entry, 0, file.bytes.length, { signal }), undefined);
    assert.equal(await reader.readSectors(entry, 0, 5, { signal }), undefined);
    const stream = await reader.readBytes(entry, 0, 10, { signal });
    assert.ok(stream);
    await assert.rejects(
      async () => {
        for await (const part of stream) assert.fail(String(part));
      },
      (error) => isFault(error, 'SEGMENT_NOT_HELD'),
    );
  });
});

describe('UploadCache', () => {
  let hasher: Hasher;
  let file: TestFile;
  let entry: LogEntry;
  before(async () => {
    hasher = await testHasher();
    file = randomFile(hasher, SEGMENT_BYTES + 256, 6);
    entry = { root: file.root, sizeBytes: file.bytes.length } as LogEntry;
  });
  let now = 0;
  const clock = { monotonic: () => now };

  it('holds segments until their entry comes, each once', async () => {
    const cache = new UploadCache({ clock, metrics });
    for (const segment of file.segments) {
      assert.equal(cache.add(segment), 'cached');
      assert.equal(cache.add(segment), 'held');
    }
    assert.equal(cache.countOf(file.root, file.bytes.length), 2);
    const put: number[] = [];
    await assert.rejects(
      cache.flush(entry, async (_, { index }) => {
        if (index === 1) throw new Error('disk full');
        put.push(index);
      }),
      /disk full/,
    );
    assert.equal(cache.countOf(file.root, file.bytes.length), 1, 'what was not stored waits on');
    assert.equal(await cache.flush(entry, async (_, { index }) => void put.push(index)), 1);
    assert.deepEqual(put, [0, 1]);
    assert.equal(cache.sizeBytes, 0);
    assert.equal(cache.countOf(file.root, file.bytes.length), 0);
  });

  it('copies what it keeps', async () => {
    const cache = new UploadCache({ clock, metrics });
    const [segment] = file.segments;
    assert.ok(segment);
    const shared = { ...segment, data: segment.data.slice() };
    cache.add(shared);
    shared.data.fill(0);
    await cache.flush(entry, async (_, { data }) => assert.ok(equalBytes(data, segment.data)));
  });

  it('bounds a file, all files, and time', () => {
    const maxBytes = 2 * LEAST_WEIGHT_BYTES;
    const options = { maxFileBytes: 2000, maxBytes, expiryMs: 100 };
    const cache = new UploadCache({ clock, metrics }, options);
    const add = (size: number, seed: number) => {
      const [segment] = randomFile(hasher, size, seed).segments;
      assert.ok(segment);
      return cache.add(segment);
    };
    assert.throws(
      () => add(2001, 1),
      (e) => isFault(e, 'CACHE_FILE_TOO_LARGE'),
    );
    add(1000, 2);
    now += 60;
    add(1000, 3);
    assert.throws(
      () => add(10, 4),
      (e) => isFault(e, 'CACHE_FULL'),
    );
    now += 50;
    assert.equal(add(10, 4), 'cached', 'the first has expired');
    assert.equal(cache.sizeBytes, 2 * LEAST_WEIGHT_BYTES);
  });

  it('counts what tiny segments take besides their bytes', () => {
    const cache = new UploadCache({ clock, metrics }, { maxBytes: 64 * 1024 });
    const [segment] = randomFile(hasher, 256, 8).segments;
    assert.ok(segment);
    const fill = (): void => {
      for (let at = 0; at < 64; at += 1) {
        cache.add({ ...segment, root: new Uint8Array(32).fill(at) });
      }
    };
    assert.throws(fill, (error) => isFault(error, 'CACHE_FULL'));
  });

  it('tells claims of different sizes for one root apart', async () => {
    const cache = new UploadCache({ clock, metrics });
    const [segment] = randomFile(hasher, 300, 9).segments;
    assert.ok(segment);
    cache.add(segment);
    const { rootOf } = await import('@cairn/primitives');
    const other = { root: rootOf(segment.root), sizeBytes: 301 } as LogEntry;
    assert.equal(await cache.flush(other, async () => assert.fail('another size')), 0);
  });
});

describe('what the store is made of', () => {
  it('runs tasks on overlapping ranges one after another, others side by side', async () => {
    const locks = new RangeLocks();
    const log: string[] = [];
    const gates = new Map<string, () => void>();
    const task = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`);
      await new Promise<void>((resolve) => gates.set(name, resolve));
      log.push(`${name} ends`);
    };
    const all = [
      locks.run(0, 10, task('a')),
      locks.run(5, 15, task('b')),
      locks.run(10, 20, task('c')),
      locks.run(30, 40, task('d')),
    ];
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await turn();
    assert.deepEqual(log, ['a begins', 'd begins']);
    gates.get('a')?.();
    await turn();
    gates.get('b')?.();
    await turn();
    gates.get('c')?.();
    gates.get('d')?.();
    await Promise.all(all);
    assert.deepEqual(log.slice(2, 6), ['a ends', 'b begins', 'b ends', 'c begins']);
    await assert.rejects(
      locks.run(0, 1, () => Promise.reject(new Error('x'))),
      /x/,
    );
    await locks.idle();
  });

  it('shares one pair of syncs among commits that come together, and fails them together', async () => {
    let syncs = 0;
    let broken = false;
    const files = {
      sync: async () => {
        syncs += 1;
        if (broken) throw new Error('EIO');
      },
    };
    const commits = new GroupCommit(files, memoryKeyValueStore());
    await Promise.all(Array.from({ length: 50 }, () => commits.commit([])));
    assert.equal(syncs, 2, 'the first alone, the rest together');
    broken = true;
    const results = await Promise.allSettled([commits.commit([]), commits.commit([])]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    broken = false;
    await commits.commit([]);
  });

  it('counts pieces that come or go while a bitmap is being read', async () => {
    const place = { root: `0x${'1'.repeat(64)}`, startSector: 0, sizeBytes: 1 } as LogEntry;
    let scans = 0;
    const held = new HeldBitmaps(async function* () {
      scans += 1;
      yield 0;
      if (scans === 1) {
        held.add(place, 3);
        held.forgetAll(); // it went again: this reading is worth nothing
      } else {
        held.add(place, 2);
      }
      yield 1;
    });
    const segments = await held.of(place, 8, signal);
    assert.deepEqual(segments.toBits(), Uint8Array.of(0b111));
    assert.equal(segments.count, 3);
    held.add(place, 7);
    assert.equal((await held.of(place, 8, signal)).count, 4);
    assert.equal(scans, 2);
  });

  it('keeps bits of what is held only, however long the file', () => {
    const held = new HeldSegments(2 ** 34);
    const indexes = [0, 8191, 8192, 2 ** 33 + 5, 2 ** 34 - 1];
    for (const index of [...indexes, ...indexes]) held.add(index);
    assert.equal(held.count, indexes.length);
    for (const index of indexes) assert.ok(held.has(index));
    for (const index of [1, 8190, 8193, 2 ** 33, 2 ** 34 - 2]) assert.ok(!held.has(index));
    assert.ok(held.sizeBytes <= 4 * 1024);
    const short = new HeldSegments(8200);
    for (const index of [3, 8199]) short.add(index);
    const bits = short.toBits();
    assert.equal(bits.length, 1025);
    assert.deepEqual([bits[0], bits[1024]], [8, 128]);
  });
});
