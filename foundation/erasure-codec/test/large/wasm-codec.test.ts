import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { CODEC_STRICT_WASM } from '../../src/generated/codec-strict-wasm.ts';
import { referenceCodec } from '../../src/reference-codec.ts';
import type { MatrixShape, PlacedRow, RowCodec } from '../../src/row-codec.ts';
import { PanelKernel } from '../../src/wasm/panel-kernel.ts';
import { panelBytes } from '../../src/wasm/tiling.ts';
import { loadWasmCodec } from '../../src/wasm/wasm-codec.ts';
import { HAS_RELAXED, withRelaxed } from '../relaxed-simd.ts';
import {
  assertSameBytes,
  bytesOf,
  isCodecFault,
  placedRows,
  shapeOf,
  shuffled,
  signal,
} from '../support.ts';

const MIB = 2 ** 20;

describe('the WebAssembly codec', () => {
  for (const build of ['strict', 'relaxed'] as const) {
    describe(build, () => {
      let codec: RowCodec;
      before(async function () {
        const load = (): Promise<RowCodec> => loadWasmCodec({ build });
        codec = (build === 'relaxed' ? await withRelaxed(load) : await load()) ?? this.skip();
      });
      after(async () => {
        await codec?.close();
      });

      for (let log2K = 2; log2K <= 12; log2K += 1) {
        it(`makes the reference codec's parity of ${2 ** log2K} rows`, async () => {
          const rng = seededRng(log2K);
          for (const cosets of [1, 2, 3]) {
            const chunks = 1 + rng.below(log2K > 8 ? 2 : 8);
            const shape = shapeOf(log2K, cosets, 64 * chunks);
            const data = bytesOf(shape.dataRows * shape.rowBytes, log2K * 4 + cosets);
            const parity = await codec.encode(data, shape, { signal });
            const expected = await referenceCodec().encode(data, shape, { signal });
            assertSameBytes(parity, expected, `${cosets} cosets, ${shape.rowBytes} bytes a row`);
          }
        });
      }

      for (const log2K of [1, 2, 3, 5, 6, 8, 10, 12]) {
        it(`makes data of any ${2 ** log2K} rows, and where a whole coset is lost`, async () => {
          for (const cosets of [1, 2, 3]) {
            const { shape, data, rows } = await encoded(codec, log2K, cosets);
            for (const seed of [1, 2]) {
              const some = shuffled(rows, seed).slice(0, shape.dataRows);
              const actual = await codec.decode(some, shape, { signal });
              assertSameBytes(actual, data, `${cosets} cosets, seed ${seed}`);
            }
            for (let lost = 0; lost <= cosets; lost += 1) {
              const rest = rows.filter(({ index }) => Math.floor(index / shape.dataRows) !== lost);
              const some = shuffled(rest, lost).slice(0, shape.dataRows);
              for (const given of [rest, some]) {
                const actual = await codec.decode(given, shape, { signal });
                assertSameBytes(actual, data, `${lost} of ${cosets} lost, ${given.length} rows`);
              }
            }
          }
        });
      }

      it('makes data where a single row of it is lost', async () => {
        const { shape, data, rows } = await encoded(codec, 10, 3);
        for (const lost of [0, 511, 1023]) {
          const given = rows.filter(({ index }) => index !== lost && index <= shape.dataRows);
          assertSameBytes(await codec.decode(given, shape, { signal }), data, `row ${lost} lost`);
        }
      });

      it('agrees with the reference codec about rows of no codeword', async () => {
        const shape = shapeOf(6, 3);
        const rows = placedRows(bytesOf(4096, 1), bytesOf(3 * 4096, 2), shape.rowBytes);
        for (const seed of [1, 2, 3]) {
          const some = shuffled(rows, seed).slice(0, shape.dataRows + 20);
          const expected = await referenceCodec().decode(some, shape, { signal });
          assertSameBytes(await codec.decode(some, shape, { signal }), expected, `seed ${seed}`);
        }
      });
    });
  }

  it('makes the same in memory of its own as in any other', async () => {
    const codec = await loadWasmCodec({ build: 'strict' });
    for (const [log2K, cosets, chunks] of [
      [6, 2, 3],
      [9, 3, 5],
      [10, 1, 70],
      [12, 2, 2],
    ] as const) {
      const shape = shapeOf(log2K, cosets, 64 * chunks);
      const given = bytesOf(shape.dataRows * shape.rowBytes, chunks);
      const expected = await codec.encode(given, shape, { signal });
      const memory = (await codec.newMatrix?.(shape)) ?? assert.fail();
      assert.equal(memory.parity.length, expected.length);
      for (let run = 0; run < 2; run += 1) {
        memory.data.set(given);
        const parity = await codec.encode(memory.data, shape, { signal, into: memory.parity });
        assert.equal(parity, memory.parity);
        assertSameBytes(parity, expected, `${log2K} ${cosets} ${chunks}, run ${run}`);
        assertSameBytes(memory.data, given, 'the data is left as it was');
      }
      // another shape of the same bytes, and parts of the memory, are not the matrix
      const half = { ...shapeOf(log2K - 1, cosets, 128 * chunks) };
      const other = await codec.encode(given, half, { signal });
      assertSameBytes(
        await codec.encode(memory.data, half, { signal, into: memory.parity }),
        other,
        'half',
      );
      assertSameBytes(await codec.encode(memory.data, shape, { signal }), expected, 'elsewhere');
    }
    await assert.rejects(
      (async () => codec.newMatrix?.(shapeOf(13, 1)))(),
      isCodecFault({ code: 'LAYOUT', field: 'log2K', actual: 13 }),
    );
  });

  it('makes the same of 4 MiB in both builds', async function () {
    const strict = await loadWasmCodec({ build: 'strict' });
    const relaxed = (await withRelaxed(() => loadWasmCodec({ build: 'relaxed' }))) ?? this.skip();
    const shape = shapeOf(10, 3, 4096);
    const data = bytesOf(4 * MIB, 7);
    const parity = await strict.encode(data, shape, { signal });
    assertSameBytes(await relaxed.encode(data, shape, { signal }), parity, 'parity');
    const some = shuffled(placedRows(data, parity, shape.rowBytes), 7).slice(0, shape.dataRows);
    for (const codec of [strict, relaxed]) {
      assertSameBytes(await codec.decode(some, shape, { signal }), data, codec.name);
    }
  });

  it('is relaxed unless told, where the engine is', async () => {
    assert.equal((await loadWasmCodec()).name, HAS_RELAXED ? 'wasm-relaxed' : 'wasm');
    assert.equal((await loadWasmCodec({ build: 'strict' })).name, 'wasm');
  });

  it('refuses rows and shapes that cannot be right', async () => {
    const codec = await loadWasmCodec();
    const { shape, data, rows } = await encoded(codec, 6, 2);
    const decode = (given: readonly PlacedRow[]): Promise<Uint8Array> =>
      codec.decode(given, shape, { signal });
    const few = shuffled(rows, 5).slice(0, 63);
    const [first] = few;
    assert.ok(first !== undefined);
    await assert.rejects(decode(few), isCodecFault({ code: 'TOO_FEW_ROWS', have: 63, need: 64 }));
    await assert.rejects(
      decode([...few, first]),
      isCodecFault({ code: 'TOO_FEW_ROWS', have: 63, need: 64 }),
      'a row twice is one row',
    );
    await assert.rejects(
      decode([...few, { index: 192, bytes: first.bytes }]),
      isCodecFault({ code: 'ROW_INDEX', index: 192, rows: 192 }),
    );
    await assert.rejects(
      decode([...few, { index: 0, bytes: first.bytes.subarray(64) }]),
      isCodecFault({ code: 'ROW_LENGTH', expectedBytes: shape.rowBytes, actualBytes: 64 }),
    );
    await assert.rejects(
      codec.encode(data.subarray(1), shape, { signal }),
      isCodecFault({ code: 'ROW_LENGTH', expectedBytes: 8192, actualBytes: 8191 }),
    );
    await assert.rejects(
      codec.encode(data, { ...shape, rowBytes: 96 }, { signal }),
      isCodecFault({ code: 'LAYOUT', field: 'rowBytes', actual: 96 }),
    );
    await assert.rejects(
      codec.encode(data, shapeOf(13, 1), { signal }),
      isCodecFault({ code: 'LAYOUT', field: 'log2K', actual: 13 }),
    );
  });

  it('gives others their turn between panels, and stops there', async () => {
    const abort = new AbortController();
    let now = 0;
    let turns = 0;
    const codec = await loadWasmCodec({
      clock: {
        monotonic: () => (now += 30),
        sleep: async (_durationMs, given) => {
          turns += 1;
          given.throwIfAborted();
        },
      },
    });
    const shape = shapeOf(12, 3, 2048);
    const data = bytesOf(8 * MIB, 3);
    await codec.encode(data, shape, { signal: abort.signal });
    assert.equal(turns, Math.ceil(shape.rowBytes / panelBytes(shape, shape.rows)));
    const running = codec.encode(data, shape, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
  });

  it('keeps overlapping calls apart, and stops when closed', async () => {
    const sleep = (): Promise<void> => Promise.resolve();
    let now = 0;
    const codec = await loadWasmCodec({ clock: { monotonic: () => (now += 30), sleep } });
    const shapes = [shapeOf(12, 3, 1536), shapeOf(6, 1, 256), shapeOf(10, 2, 512)];
    const inputs = shapes.map((shape) => bytesOf(shape.dataRows * shape.rowBytes, shape.log2K));
    const each = (): Promise<Uint8Array>[] =>
      shapes.map((shape, at) => codec.encode(inputs[at] ?? new Uint8Array(), shape, { signal }));
    const together = await Promise.all(each());
    for (const [at, call] of each().entries()) {
      assertSameBytes(await call, together[at] ?? new Uint8Array(), `shape ${at}`);
    }
    await codec.close();
    for (const call of each()) await assert.rejects(call, /closed/);
  });

  it('holds less than 24 MiB for the largest shape, and takes any range of columns', async () => {
    const { instance } = await WebAssembly.instantiate(moduleOf(CODEC_STRICT_WASM));
    const kernel = new PanelKernel(instance);
    const shape = shapeOf(12, 3, 1024);
    const data = bytesOf(4 * MIB, 9);
    const parity = new Uint8Array(3 * data.length);
    for (const [from, to] of [[0, 1024] as const, [64, 320] as const]) {
      parity.fill(0, 0, 1024);
      kernel.encodeColumns(data, parity, shape, from, to);
    }
    assert.ok(
      parity.subarray(0, 64).every((byte) => byte === 0),
      'other columns stay',
    );
    const whole = await (await loadWasmCodec()).encode(data, shape, { signal });
    assertSameBytes(parity.subarray(64, 320), whole.subarray(64, 320), 'columns');
    assertSameBytes(parity.subarray(1024), whole.subarray(1024), 'rows from 1 on');
    const { memory } = instance.exports;
    assert.ok(memory instanceof WebAssembly.Memory);
    assert.ok(memory.buffer.byteLength < 24 * MIB, `${memory.buffer.byteLength} bytes`);
  });
});

interface Encoded {
  readonly shape: MatrixShape;
  readonly data: Uint8Array;
  readonly rows: readonly PlacedRow[];
}

async function encoded(codec: RowCodec, log2K: number, cosets: number): Promise<Encoded> {
  const shape = shapeOf(log2K, cosets, 128);
  const data = bytesOf(shape.dataRows * shape.rowBytes, log2K * 4 + cosets);
  const parity = await codec.encode(data, shape, { signal });
  return { shape, data, rows: placedRows(data, parity, shape.rowBytes) };
}

/** Like `assert.deepEqual`, which takes seconds for megabytes. */
function moduleOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, 'base64'));
}
