import assert from 'node:assert/strict';
import { isFault, toHex, type WorkerPool } from '@cairn/primitives';
import fc from 'fast-check';
import { run } from '../../src/hash-worker.ts';
import {
  commitBytes,
  commitmentFromSegmentRoots,
  commitStream,
  FileCommitter,
  fileShape,
  type Hasher,
  loadHasher,
  nobleHasher,
} from '../../src/index.ts';
import { aperiodicBytes, naiveLeaves, naiveRoot, SEED } from '../support.ts';

const { signal } = new AbortController();

/** Runs the worker's module on this thread, after a turn of the loop, and counts what is open. */
class InlinePool implements WorkerPool {
  readonly size = 3;
  open = 0;
  mostOpen = 0;
  tasks = 0;

  async run<Result>(task: unknown, options: { readonly signal: AbortSignal }): Promise<Result> {
    this.tasks += 1;
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    await new Promise((resolve) => setImmediate(resolve));
    this.open -= 1;
    options.signal.throwIfAborted();
    return (await run(task)) as Result;
  }

  async close(): Promise<void> {}
}

async function* pieces(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for (let turn = 0; offset < bytes.length; turn += 1) {
    const end = offset + (lengths[turn % lengths.length] ?? bytes.length);
    yield bytes.subarray(offset, end);
    offset = end;
  }
}

describe('committing to a file', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await loadHasher();
  });

  it('gives the same in pieces as at once, around all boundaries', () => {
    const boundaries = [256, 4096, 262_144, 2 * 262_144, 4 * 262_144, 17 * 262_144];
    const lengths = fc
      .tuple(fc.constantFrom(...boundaries), fc.integer({ min: -257, max: 257 }))
      .map(([boundary, offset]) => Math.max(1, boundary + offset));
    const cuts = fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 5 });
    const property = fc.property(lengths, cuts, (sizeBytes, cutBytes) => {
      const bytes = aperiodicBytes(sizeBytes);
      const whole = commitBytes(hasher, bytes);
      const committer = new FileCommitter(hasher, sizeBytes);
      for (let offset = 0, turn = 0; offset < sizeBytes; turn += 1) {
        const end = offset + (cutBytes[turn % cutBytes.length] ?? 1);
        committer.append(bytes.subarray(offset, end));
        offset = end;
      }
      const parts = committer.finish();
      assert.deepEqual(parts.root, whole.root);
      assert.deepEqual(parts.nodes, whole.nodes);
      assert.deepEqual(parts.segmentRoots, whole.segmentRoots);
    });
    fc.assert(property, { seed: SEED, numRuns: 40 });
  });

  it('gives nodes that are the perfect trees of the padded sectors', () => {
    for (const sizeBytes of [
      1, 256, 257, 1025, 4097, 76_800, 262_143, 262_145, 400_000, 1_048_577,
    ]) {
      const bytes = aperiodicBytes(sizeBytes);
      const { nodes, root, shape } = commitBytes(hasher, bytes);
      const leaves = naiveLeaves(bytes, shape.paddedSectors);
      for (const [place, { startSector, height }] of shape.nodes.entries()) {
        const expected = naiveRoot(leaves.slice(startSector, startSector + 2 ** height));
        assert.equal(toHex(nodes[place]?.root ?? new Uint8Array()), toHex(expected));
      }
      assert.equal(toHex(root), toHex(naiveRoot(leaves)));
    }
  });

  it('refuses too many and too few bytes with both numbers', () => {
    const committer = new FileCommitter(nobleHasher, 1000);
    committer.append(new Uint8Array(900));
    const facts = { code: 'FILE_LENGTH', expectedBytes: 1000 };
    assert.throws(
      () => committer.append(new Uint8Array(101)),
      (error) => isFault(error) && same(error.facts, { ...facts, actualBytes: 1001 }),
    );
    assert.throws(
      () => committer.finish(),
      (error) => isFault(error) && same(error.facts, { ...facts, actualBytes: 900 }),
    );
    assert.throws(
      () => new FileCommitter(nobleHasher, 0),
      (error) => isFault(error, 'FILE_EMPTY'),
    );
  });

  it('refuses roots in the middle of a segment and a last segment of another length', () => {
    const committer = new FileCommitter(hasher, 3 * 262_144);
    committer.append(new Uint8Array(5));
    const isRootsFault = (error: unknown): boolean => isFault(error, 'SEGMENT_ROOTS');
    assert.throws(() => committer.appendSegmentRoots(new Uint8Array(32)), isRootsFault);
    const other = new FileCommitter(hasher, 3 * 262_144);
    assert.throws(() => other.appendSegmentRoots(new Uint8Array(3 * 32)), isRootsFault);
    assert.throws(() => other.appendSegmentRoots(new Uint8Array(33)), isRootsFault);
    assert.throws(
      () =>
        commitmentFromSegmentRoots(hasher, fileShape(300), new Uint8Array(32), new Uint8Array(256)),
      (error) => isFault(error, 'SEGMENT_LENGTH'),
    );
  });
});

describe('committing to a stream', () => {
  let hasher: Hasher;
  before(async () => {
    hasher = await loadHasher();
  });

  it('gives the same with and without threads, for any pieces', async () => {
    for (const segments of [0, 1, 16, 17, 33]) {
      for (const extraBytes of [0, 1]) {
        const bytes = aperiodicBytes(Math.max(1, segments * 262_144 + extraBytes));
        const expected = commitBytes(hasher, bytes);
        for (const lengths of [[65_536], [1_000_000, 3, 262_144]]) {
          const pool = new InlinePool();
          const one = await commitStream(pieces(bytes, lengths), bytes.length, { hasher, signal });
          const two = await commitStream(pieces(bytes, lengths), bytes.length, {
            hasher,
            pool,
            signal,
          });
          assert.deepEqual(one.nodes, expected.nodes);
          assert.deepEqual(two.nodes, expected.nodes);
          assert.deepEqual(two.segmentRoots, expected.segmentRoots);
          assert.equal(pool.tasks, Math.ceil((expected.shape.segments - 1) / 16));
        }
      }
    }
  });

  it('keeps at most one batch more in work than there are threads', async () => {
    const bytes = aperiodicBytes(100 * 262_144);
    const pool = new InlinePool();
    await commitStream(pieces(bytes, [262_144]), bytes.length, { hasher, pool, signal });
    assert.ok(pool.mostOpen > 1 && pool.mostOpen <= pool.size + 1, `${pool.mostOpen} open`);
  });

  it('tells rising progress that ends with the length', async () => {
    const bytes = aperiodicBytes(20 * 262_144 + 5);
    for (const pool of [undefined, new InlinePool()]) {
      const seen: number[] = [];
      const onProgress = (hashedBytes: number): void => void seen.push(hashedBytes);
      const options = pool === undefined ? {} : { pool };
      await commitStream(pieces(bytes, [99_999]), bytes.length, {
        hasher,
        signal,
        onProgress,
        ...options,
      });
      assert.equal(seen.at(-1), bytes.length);
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
    }
  });

  it('refuses a source of another length, and stops reading one that does not end', async () => {
    const bytes = aperiodicBytes(262_144 * 2);
    for (const options of [{}, { pool: new InlinePool() }]) {
      await assert.rejects(
        commitStream(pieces(bytes, [65_536]), bytes.length + 1, { hasher, signal, ...options }),
        (error) =>
          isFault(error) &&
          same(error.facts, { code: 'FILE_LENGTH', expectedBytes: 524_289, actualBytes: 524_288 }),
      );
      let given = 0;
      const endless = function* (): Generator<Uint8Array> {
        for (;;) {
          given += 1;
          yield new Uint8Array(65_536);
        }
      };
      await assert.rejects(
        commitStream(endless(), 100_000, { hasher, signal, ...options }),
        (error) => isFault(error, 'FILE_LENGTH'),
      );
      assert.equal(given, 2);
    }
  });

  it('stops with the reason of its signal', async () => {
    const bytes = aperiodicBytes(40 * 262_144);
    for (const options of [{}, { pool: new InlinePool() }]) {
      const stop = new AbortController();
      const reason = new Error('enough');
      const source = async function* (): AsyncGenerator<Uint8Array> {
        for await (const piece of pieces(bytes, [262_144])) {
          yield piece;
          stop.abort(reason);
        }
      };
      await assert.rejects(
        commitStream(source(), bytes.length, { hasher, signal: stop.signal, ...options }),
        reason,
      );
    }
  });

  it('hands workers only what they can check', async () => {
    await assert.rejects(run({ bytes: new Uint8Array(100) }), RangeError);
    await assert.rejects(run({ bytes: 'text' }), RangeError);
    await assert.rejects(run(undefined), RangeError);
  });
});

function same(left: object, right: object): boolean {
  assert.deepEqual(left, right);
  return true;
}
