import assert from 'node:assert/strict';
import { equalBytes, seededRng, type WorkerPool } from '@cairn/primitives';
import { run } from '../src/codec-worker.ts';
import { referenceCodec } from '../src/reference-codec.ts';
import type { RowCodec } from '../src/row-codec.ts';
import { loadWasmCodec } from '../src/wasm/wasm-codec.ts';
import { bytesOf, isCodecFault, placedRows, shapeOf, shuffled, signal } from './support.ts';

/** Runs what threads would, in this one. */
class InlinePool implements WorkerPool {
  readonly size = 3;
  tasks = 0;
  failAt = Number.POSITIVE_INFINITY;

  async run<Result>(task: unknown, options: { readonly signal: AbortSignal }): Promise<Result> {
    options.signal.throwIfAborted();
    this.tasks += 1;
    if (this.tasks === this.failAt) throw new Error('a thread died');
    return (await run(task)) as Result;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

describe('a codec with threads', () => {
  let pool: InlinePool;
  let codec: RowCodec;
  beforeEach(async () => {
    pool = new InlinePool();
    codec = await loadWasmCodec({ build: 'strict', pool });
  });

  it('makes the reference codec’s parity, and data of any rows, at any length of rows', async () => {
    const rng = seededRng(31);
    for (const [log2K, cosets, chunks] of [
      [2, 3, 1],
      [6, 1, 5],
      [6, 3, 40],
      [8, 2, 13],
    ] as const) {
      const shape = shapeOf(log2K, cosets, 64 * chunks);
      const data = bytesOf(shape.dataRows * shape.rowBytes, chunks);
      const expected = await referenceCodec().encode(data, shape, { signal });
      const before = pool.tasks;
      const parity = await codec.encode(data, shape, { signal });
      assert.ok(equalBytes(parity, expected), `${log2K} ${cosets} ${chunks}`);
      assert.equal(pool.tasks - before, Math.ceil(chunks / Math.ceil(chunks / 12)));
      const rows = placedRows(data, parity, shape.rowBytes);
      for (const some of [
        shuffled(rows, rng.below(1000)).slice(0, shape.dataRows),
        rows.slice(shape.dataRows, 2 * shape.dataRows),
        rows.slice(0, shape.dataRows),
      ]) {
        assert.ok(equalBytes(await codec.decode(some, shape, { signal }), data));
      }
    }
  });

  it('does not copy data that lies in shared memory, nor change it', async () => {
    const shape = shapeOf(6, 2, 128);
    const data = new Uint8Array(new SharedArrayBuffer(64 * 128));
    data.set(bytesOf(data.length, 3));
    const expected = await referenceCodec().encode(data.slice(), shape, { signal });
    assert.ok(equalBytes(await codec.encode(data, shape, { signal }), expected));
    assert.deepEqual(data.slice(), bytesOf(data.length, 3));
  });

  it('writes over memory that is given, as other codecs do', async () => {
    const shape = shapeOf(6, 2, 192);
    const data = bytesOf(64 * 192, 3);
    const expected = await referenceCodec().encode(data, shape, { signal });
    const memories = [new ArrayBuffer(2 * data.length), new SharedArrayBuffer(2 * data.length)];
    for (const one of [codec, referenceCodec(), await loadWasmCodec({ build: 'strict' })]) {
      for (const memory of memories) {
        const into = new Uint8Array(memory).fill(7);
        assert.equal(await one.encode(data, shape, { signal, into }), into);
        assert.ok(equalBytes(into, expected), one.name);
        const room = into.subarray(data.length);
        const rows = placedRows(data, expected, shape.rowBytes);
        for (const some of [rows, rows.slice(64), shuffled(rows, 3)]) {
          room.fill(9);
          assert.equal(await one.decode(some, shape, { signal, into: room }), room);
          assert.ok(equalBytes(room, data), one.name);
        }
      }
      await assert.rejects(
        one.decode(placedRows(data, expected, 192), shape, { signal, into: new Uint8Array(1) }),
        isCodecFault({ code: 'ROW_LENGTH', expectedBytes: data.length, actualBytes: 1 }),
      );
      await assert.rejects(
        one.encode(data, shape, { signal, into: new Uint8Array(data.length) }),
        isCodecFault({
          code: 'ROW_LENGTH',
          expectedBytes: 2 * data.length,
          actualBytes: data.length,
        }),
      );
    }
  });

  it('fails with the first task that fails, and runs no more then', async () => {
    const shape = shapeOf(6, 2, 64 * 40);
    pool.failAt = 2;
    await assert.rejects(
      codec.encode(bytesOf(64 * shape.rowBytes, 1), shape, { signal }),
      /a thread died/,
    );
    await assert.rejects(
      codec.encode(bytesOf(64 * shape.rowBytes, 1), shape, { signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    );
  });

  it('does not write any more once a call has failed', async () => {
    const shape = shapeOf(6, 2, 64 * 40);
    const data = bytesOf(64 * shape.rowBytes, 1);
    const into = new Uint8Array(new SharedArrayBuffer(2 * data.length));
    const stop = new AbortController();
    const slow: WorkerPool = {
      size: 3,
      run: async (task) => {
        stop.abort(new Error('enough'));
        await new Promise((resolve) => setTimeout(resolve, 20));
        await run(task);
        return undefined as never;
      },
      close: () => Promise.resolve(),
    };
    const threaded = await loadWasmCodec({ build: 'strict', pool: slow });
    await assert.rejects(threaded.encode(data, shape, { signal: stop.signal, into }), /enough/);
    into.fill(0);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.ok(into.every((byte) => byte === 0));
  });

  it('does nothing but columns of shared memory', async () => {
    for (const task of [
      undefined,
      {},
      { rows: new Uint8Array(1), result: new Uint8Array(1), stop: new Int32Array(1) },
    ]) {
      await assert.rejects(run(task), RangeError);
    }
  });
});
