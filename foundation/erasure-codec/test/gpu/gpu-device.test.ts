import assert from 'node:assert/strict';
import { multiply, pointOf } from '../../src/field.ts';
import { factorImages } from '../../src/gpu/factor-images.ts';
import { openGpuDevice } from '../../src/gpu/gpu-device.ts';
import { LossWatch } from '../../src/gpu/loss-watch.ts';
import {
  LARGEST_BUFFER_BYTES,
  planMatrix,
  SMALLEST_BUFFER_BYTES,
} from '../../src/gpu/matrix-plan.ts';
import { isCodecFault, shapeOf } from '../support.ts';

describe('a GPU without a GPU', () => {
  it('is absent where there is no adapter', async () => {
    const gpu = { requestAdapter: () => Promise.resolve(null) };
    await assert.rejects(
      openGpuDevice({ gpu }),
      isCodecFault({ code: 'DEVICE_ABSENT', reason: 'no adapter was found' }),
    );
  });

  it('is absent where buffers are too small, with the numbers', async () => {
    const limits = { maxStorageBufferBindingSize: 65_536, maxBufferSize: 2 ** 28 };
    // A device is never asked for: the limits alone decide.
    const adapter = { limits } as unknown as GPUAdapter;
    await assert.rejects(
      openGpuDevice({ gpu: { requestAdapter: () => Promise.resolve(adapter) } }),
      /262144 bytes are needed: the adapter binds 65536 and has 268435456/,
    );
  });

  it('stops before it looks for one if told', async () => {
    const gpu = { requestAdapter: () => Promise.reject(new Error('looked')) };
    await assert.rejects(
      openGpuDevice({ gpu, signal: AbortSignal.abort(new Error('stop')) }),
      /stop/,
    );
  });

  it('knows what each factor makes of each basis element', () => {
    const images = factorImages(16_384);
    for (let factor = 0; factor < 16_384; factor += 2) {
      if (factor > 600 && factor % 94 !== 0) continue; // all of them take a second
      for (let bit = 0; bit < 16; bit += 1) {
        const word = images[factor * 4 + (bit >> 1)] ?? 0;
        const image = (word >>> (16 * (bit % 2))) & 0xffff;
        assert.equal(image, multiply(pointOf(factor), 1 << bit), `${factor}, bit ${bit}`);
      }
    }
  });

  it('cuts every matrix so that no buffer is too large and each row lies in one', () => {
    for (const bufferBytes of [SMALLEST_BUFFER_BYTES, 2 ** 20 + 256, LARGEST_BUFFER_BYTES]) {
      for (const [log2K, rowBytes] of [
        [1, 64],
        [6, 1024],
        [7, 32_768],
        [10, 4160],
        [12, 64],
        [12, 32_768],
      ] as const) {
        const shape = shapeOf(log2K, 3, rowBytes);
        const plan = planMatrix(shape, bufferBytes);
        let next = 0;
        for (const part of plan.parts) {
          assert.equal(part.firstRow, next);
          assert.equal(part.bytes, part.rows * rowBytes);
          assert.ok(part.rows > 0 && part.bytes <= bufferBytes);
          assert.equal(Math.floor((next + part.rows - 1) / shape.dataRows), part.coset);
          next += part.rows;
        }
        assert.equal(next, shape.rows);
        assert.ok(plan.stripChunks >= 1 && plan.blockChunks >= 1 && plan.tileChunks >= 1);
        assert.ok(plan.stripChunks * shape.dataRows * 64 <= bufferBytes);
        assert.ok(plan.blockChunks * 16_384 <= bufferBytes);
      }
    }
  });

  it('ends what waits once it is lost, and what comes later, with the first reason', async () => {
    const watch = new LossWatch();
    const waiting = watch.guard(new Promise(() => undefined));
    watch.lose('pulled out');
    watch.lose('later');
    const isLost = isCodecFault({ code: 'DEVICE_LOST', reason: 'pulled out' });
    await assert.rejects(waiting, isLost);
    await assert.rejects(watch.guard(Promise.resolve(1)), isLost);
    assert.throws(() => watch.throwIfLost(), isLost);
  });

  it('is lost where work of its own fails', async () => {
    const watch = new LossWatch();
    const isLost = isCodecFault({ code: 'DEVICE_LOST', reason: 'mapping failed' });
    await assert.rejects(watch.guard(Promise.reject(new Error('mapping failed'))), isLost);
    assert.ok(watch.fault !== undefined);
  });
});
