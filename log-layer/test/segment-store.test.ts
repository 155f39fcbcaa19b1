import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import type { Hasher, VerifiedSegment } from '@cairn/commitments';
import {
  createCrc32,
  equalBytes,
  Fault,
  isFault,
  memoryFileStore,
  memoryKeyValueStore,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  seededRng,
} from '@cairn/primitives';
import fc from 'fast-check';
import { KEY, keyOf } from '../src/keyspace.ts';
import type { LogEntry } from '../src/log-entry.ts';
import { piecePlace } from '../src/piece.ts';
import { Crash, FaultyDisk } from './support/faulty-disk.ts';
import { randomFile, type TestFile, testHasher } from './support/files.ts';
import { entryOf, never, openNode, syncNode, type TestNode, upload } from './support/node.ts';
import { TestChain } from './support/test-chain.ts';

const signal = never;

describe('crc32', () => {
  it('agrees with zlib', () => {
    const crc = createCrc32();
    assert.equal(crc(new TextEncoder().encode('123456789')), 0xcbf43926);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(crc(bytes), crc32(bytes));
      }),
    );
  });
});

describe('SegmentStore', () => {
  let hasher: Hasher;
  let files: TestFile[];
  before(async () => {
    hasher = await testHasher();
    const sizes = [200, 900, SEGMENT_BYTES + 5000, 2 * SEGMENT_BYTES + 1, 5000];
    files = sizes.map((size, seed) => randomFile(hasher, size, seed + 10));
  });

  const ready = async (disk: FaultyDisk | ReturnType<typeof plain>, ...more: TestFile[]) => {
    const chain = new TestChain();
    chain.mine(...(more.length > 0 ? more : files));
    const node = await openNode(disk);
    await syncNode(node, chain);
    return { node, chain };
  };
  const plain = () => ({ files: memoryFileStore(), kv: memoryKeyValueStore() });

  const assertServed = async (node: TestNode, file: TestFile, entry: LogEntry): Promise<void> => {
    for (const [index, segment] of file.segments.entries()) {
      const got = await node.segments.get(entry, index, { signal });
      assert.ok(got, `segment ${index} of entry ${entry.sequence}`);
      assert.deepEqual({ ...got }, { ...segment });
    }
  };

  it('gives back every segment with its proof, also after a restart', async () => {
    const disk = plain();
    const { node } = await ready(disk);
    for (const [sequence, file] of files.entries()) await upload(node, file, sequence);
    for (const current of [node, await openNode(disk)]) {
      for (const [sequence, file] of files.entries()) {
        const entry = await entryOf(current, sequence);
        await assertServed(current, file, entry);
        assert.equal(await current.segments.heldCount(entry, { signal }), file.segments.length);
        assert.equal((await current.log.stateOf(entry.sequence)).finalized, true);
      }
    }
  });

  it('puts bytes where the flow says, without a lookup', async () => {
    const disk = plain();
    const { node } = await ready(disk);
    const [, , file] = files;
    assert.ok(file);
    await upload(node, file, 2);
    const { startSector } = await entryOf(node, 2);
    const onDisk = await disk.files.read(startSector * SECTOR_BYTES, file.bytes.length);
    assert.ok(equalBytes(onDisk, file.bytes));
  });

  it('tells which segments are held, and joins puts of the same one', async () => {
    const { node } = await ready(plain());
    const [, , , file] = files;
    const entry = await entryOf(node, 3);
    const [first, second] = file?.segments ?? [];
    assert.ok(first && second);
    assert.equal(await node.segments.heldCount(entry, { signal }), 0);
    const results = await Promise.all(
      [second, second, second].map((s) => node.segments.put(entry, s, { signal })),
    );
    assert.deepEqual(results, ['stored', 'stored', 'stored'], 'one write, three callers');
    assert.equal(await node.segments.put(entry, second, { signal }), 'held');
    assert.deepEqual((await node.segments.held(entry, { signal })).bits, Uint8Array.of(0b10));
    await node.segments.put(entry, first, { signal });
    assert.deepEqual((await node.segments.held(entry, { signal })).bits, Uint8Array.of(0b11));
  });

  it('refuses segments of other files and entries that are gone', async () => {
    const { node, chain } = await ready(plain());
    const [a, b] = files;
    assert.ok(a && b);
    const entry = await entryOf(node, 0);
    const [foreign] = b.segments;
    const [own] = a.segments;
    assert.ok(foreign && own);
    await assert.rejects(node.segments.put(entry, foreign, { signal }), (e) =>
      isFault(e, 'ENTRY_MISMATCH'),
    );
    chain.takeBack(1);
    chain.mine(b);
    await syncNode(node, chain);
    await assert.rejects(node.segments.put(entry, own, { signal }), (e) =>
      isFault(e, 'ENTRY_REPLACED'),
    );
  });

  it('bounds what it takes in', async () => {
    const chain = new TestChain();
    const [, , , file] = files;
    assert.ok(file);
    chain.mine(file);
    const node = await openNode(plain(), { maxWrites: 1, maxQueuedWrites: 1 });
    await syncNode(node, chain);
    const entry = await entryOf(node, 0);
    const results = await Promise.allSettled(
      file.segments.map((s) => node.segments.put(entry, s, { signal })),
    );
    const refused = results.filter((r) => r.status === 'rejected');
    assert.equal(refused.length, 1);
    assert.ok(refused.every((r) => isFault(r.reason, 'QUEUE_FULL')));
  });

  it('never serves a flipped bit, and has the piece again after another upload', async () => {
    const disk = new FaultyDisk();
    const damaged: number[] = [];
    const chain = new TestChain();
    chain.mine(...files);
    const node = await openNode(disk, { onDamaged: ({ sequence }) => damaged.push(sequence) });
    await syncNode(node, chain);
    for (const [sequence, file] of files.entries()) await upload(node, file, sequence);
    const rng = seededRng(77);
    for (const [sequence, file] of files.entries()) {
      const entry = await entryOf(node, sequence);
      const index = rng.below(file.segments.length);
      const place = piecePlace(entry, index);
      await disk.flip(place.offset + rng.below(place.sizeBytes), rng.below(8));
      assert.equal(await node.segments.get(entry, index, { signal }), undefined);
      assert.equal((await node.log.stateOf(entry.sequence)).finalized, false);
      assert.equal(await node.segments.heldCount(entry, { signal }), file.segments.length - 1);
      assert.ok(await disk.kv.get(keyOf(KEY.quarantine, place.sector)));
      await upload(node, file, sequence);
      await assertServed(node, file, entry);
      assert.equal((await node.log.stateOf(entry.sequence)).finalized, true);
      assert.equal(await disk.kv.get(keyOf(KEY.quarantine, place.sector)), undefined);
    }
    assert.deepEqual(damaged, [0, 1, 2, 3, 4]);
  });

  it('finds damage by scrubbing, in parts, and takes records that lie for damage too', async () => {
    const disk = new FaultyDisk();
    const { node } = await ready(disk);
    for (const [sequence, file] of files.entries()) await upload(node, file, sequence);
    const entry = await entryOf(node, 3);
    await disk.flip(piecePlace(entry, 1).offset + 5, 3);
    let total = 0;
    let damaged = 0;
    for (let from: number | undefined = 0; from !== undefined; ) {
      const result = await node.segments.scrub(from, 3, { signal });
      total += result.checked;
      damaged += result.damaged;
      from = result.next;
    }
    assert.equal(total, files.flatMap((file) => file.segments).length);
    assert.equal(damaged, 1);
    assert.equal(await node.segments.has(entry, 1), false);
    const key = keyOf(KEY.piece, (await entryOf(node, 0)).startSector);
    const record = await disk.kv.get(key);
    assert.ok(record);
    record[40] = (record[40] ?? 0) ^ 1;
    await disk.kv.write([{ type: 'put', key, value: record }]);
    assert.equal((await node.segments.scrub(0, 100, { signal })).damaged, 1);
  });

  it('takes what the disk cannot read any more out of service', async () => {
    const disk = plain();
    const { node, chain } = await ready(disk);
    await upload(node, files[3] as TestFile, 3);
    const { startSector, sequence } = await entryOf(node, 3);
    const bad = startSector * SECTOR_BYTES + SEGMENT_BYTES;
    class DiskFault extends Fault<{ readonly code: 'DISK_IO' }> {}
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      if (offset === bad) throw new DiskFault({ code: 'DISK_IO' }, 'EIO');
      return disk.files.read(offset, length);
    };
    const again = await openNode({ kv: disk.kv, files: { ...disk.files, read } });
    await syncNode(again, chain);
    const found = await again.segments.scrub(0, 10, { signal });
    assert.deepEqual([found.checked, found.damaged], [3, 1]);
    assert.equal((await again.log.stateOf(sequence)).finalized, false);
  });

  it('gives pieces up in batches, and tells where the others lie', async () => {
    const disk = plain();
    const { node } = await ready(disk);
    for (const [sequence, file] of files.entries()) await upload(node, file, sequence);
    const span = { start: 0, end: 64 * 1024 };
    const before = await node.segments.piecesIn(span, { signal });
    const { startSector } = await entryOf(node, 3);
    let swept = 0;
    const cursor = keyOf(KEY.stash, 1);
    for (let from: number | undefined = 0; from !== undefined; ) {
      const { dropped, next } = await node.segments.sweep({
        from,
        limit: 2,
        keeps: (sector) => sector >= startSector,
        alongside: () => [{ type: 'put', key: cursor, value: Uint8Array.of(swept) }],
        signal,
      });
      swept += dropped;
      from = next;
    }
    assert.ok(swept > 0 && (await disk.kv.get(cursor)) !== undefined);
    const after = await node.segments.piecesIn(span, { signal });
    assert.equal(after[0]?.start, startSector);
    assert.deepEqual(after.at(-1), before.at(-1));
    assert.equal(await node.segments.heldCount(await entryOf(node, 2), { signal }), 0);
    await assertServed(node, files[3] as TestFile, await entryOf(node, 3));
    const told = await node.segments.whileStill(span, async (pieces) => pieces.length, { signal });
    assert.equal(told, after.length);
  });

  it('says that a sealed piece is sealed', async () => {
    const disk = plain();
    const { node } = await ready(disk);
    const [file] = files;
    assert.ok(file);
    await upload(node, file, 0);
    const entry = await entryOf(node, 0);
    const body = new Uint8Array(100);
    body[0] = 1;
    new DataView(body.buffer).setUint32(96, createCrc32()(body.subarray(0, 96)));
    await disk.kv.write([{ type: 'put', key: keyOf(KEY.piece, entry.startSector), value: body }]);
    await assert.rejects(node.segments.get(entry, 0, { signal }), (e) =>
      isFault(e, 'SEGMENT_SEALED'),
    );
  });

  it('passes a full disk on to the caller and loses nothing', async () => {
    const disk = new FaultyDisk();
    const { node } = await ready(disk);
    const [a, b] = files;
    assert.ok(a && b);
    await upload(node, a, 0);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    disk.failNextWrite = full;
    await assert.rejects(upload(node, b, 1), full);
    assert.equal(await node.segments.has(await entryOf(node, 1), 0), false);
    await assertServed(node, a, await entryOf(node, 0));
    await upload(node, b, 1);
    await assertServed(node, b, await entryOf(node, 1));
  });

  it('refuses work once closed, and finishes what it began', async () => {
    const { node } = await ready(plain());
    const [, , file] = files;
    assert.ok(file);
    const entry = await entryOf(node, 2);
    const [first, second] = file.segments;
    assert.ok(first && second);
    const begun = node.segments.put(entry, first, { signal });
    while (!(await node.segments.has(entry, 0)))
      await new Promise((resolve) => setImmediate(resolve));
    await node.segments.close();
    assert.equal(await begun, 'stored');
    await assert.rejects(node.segments.put(entry, second, { signal }), /closed/);
  });

  it('holds what it acknowledged, wherever the machine stops', async () => {
    const workload = async (disk: FaultyDisk, acknowledged: Map<string, VerifiedSegment>) => {
      const { node } = await ready(disk);
      const puts = files.flatMap((file, sequence) =>
        file.segments.map(async (segment) => {
          const entry = await entryOf(node, sequence);
          await node.segments.put(entry, segment, { signal });
          acknowledged.set(`${sequence}/${segment.index}`, segment);
          await node.finaliser.consider(entry, signal);
        }),
      );
      const results = await Promise.allSettled(puts);
      for (const result of results) {
        if (result.status === 'rejected' && !(result.reason instanceof Crash)) throw result.reason;
      }
    };
    const whole = new FaultyDisk();
    await workload(whole, new Map());
    assert.ok(whole.operations > 10, `only ${whole.operations} operations`);
    for (let at = 0; at < whole.operations; at += 1) {
      for (let seed = 0; seed < 2; seed += 1) {
        const disk = new FaultyDisk(at);
        const acknowledged = new Map<string, VerifiedSegment>();
        await workload(disk, acknowledged).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        });
        const next = await disk.afterCrash(seededRng(at * 100 + seed));
        const { node } = await ready(next);
        for (const [sequence, file] of files.entries()) {
          const entry = await entryOf(node, sequence);
          for (const segment of file.segments) {
            const name = `${sequence}/${segment.index}, stop at ${at}, seed ${seed}`;
            const got = await node.segments.get(entry, segment.index, { signal });
            if (acknowledged.has(`${sequence}/${segment.index}`)) assert.ok(got, `lost ${name}`);
            if (got !== undefined) assert.ok(equalBytes(got.data, segment.data), `wrong ${name}`);
          }
          const { finalized } = await node.log.stateOf(entry.sequence);
          const count = await node.segments.heldCount(entry, { signal });
          assert.ok(!finalized || count === file.segments.length, `claims too much at ${at}`);
          await node.finaliser.consider(entry, signal);
          const { finalized: now } = await node.log.stateOf(entry.sequence);
          assert.equal(now, count === file.segments.length);
        }
      }
    }
  });
});
