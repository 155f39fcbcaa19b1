import { describeError, MIB } from '@cairn/primitives';
import { CodecError } from '../errors.ts';
import { MAX_PARITY_COSETS } from '../params.ts';
import type { MatrixShape } from '../row-codec.ts';
import { factorImages } from './factor-images.ts';
import { GpuMatrix } from './gpu-matrix.ts';
import { GpuRunner, USAGE } from './gpu-runner.ts';
import { LARGEST_BUFFER_BYTES, planMatrix, SMALLEST_BUFFER_BYTES } from './matrix-plan.ts';
import type { DeviceCall, RowDevice, RowMatrix } from './row-device.ts';

const LARGEST_ROWS = 4096 * (1 + MAX_PARITY_COSETS);

/** Where a GPU is looked for and how much of it is taken. */
export interface OpenGpuDeviceOptions {
  /** `navigator.gpu` in browsers; in Node what `create([])` of the package `webgpu` returns. */
  readonly gpu: Pick<GPU, 'requestAdapter'>;
  /** No buffer is larger than this: 256 KiB to 128 MiB, the default; rounded down to 256 bytes. */
  readonly maxBufferBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * The GPU of this process.
 *
 * @throws {CodecError} DEVICE_ABSENT if there is none, or its limits are too small; the signal's
 *   reason
 */
export async function openGpuDevice(options: OpenGpuDeviceOptions): Promise<RowDevice> {
  const { gpu, maxBufferBytes = LARGEST_BUFFER_BYTES, signal } = options;
  signal?.throwIfAborted();
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) throw absentFault('no adapter was found');
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const bufferBytes = Math.min(
    Math.floor(maxBufferBytes / 256) * 256,
    maxStorageBufferBindingSize,
    maxBufferSize,
    LARGEST_BUFFER_BYTES,
  );
  if (!(bufferBytes >= SMALLEST_BUFFER_BYTES)) {
    throw absentFault(
      `buffers of ${SMALLEST_BUFFER_BYTES} bytes are needed: the adapter binds ${maxStorageBufferBindingSize} and has ${maxBufferSize}, and ${maxBufferBytes} are allowed`,
    );
  }
  const device = await deviceOf(adapter, bufferBytes);
  const runner = new GpuRunner(device);
  try {
    signal?.throwIfAborted();
    const images = factorImages(LARGEST_ROWS);
    const [buffer] = await runner.allocate([images.byteLength], USAGE.storage | USAGE.copyTo);
    if (buffer === undefined) throw new RangeError('there is no buffer');
    const call = { signal: signal ?? new AbortController().signal };
    await runner.upload({ buffer, at: 0 }, new Uint8Array(images.buffer), call);
    return new GpuDevice(runner, buffer, bufferBytes);
  } catch (error) {
    runner.close();
    throw error;
  }
}

/** A GPU with the tables that all matrices share. */
class GpuDevice implements RowDevice {
  readonly pieceBytes: number = 16 * MIB;
  readonly #runner: GpuRunner;
  readonly #images: GPUBuffer;
  readonly #bufferBytes: number;

  constructor(runner: GpuRunner, images: GPUBuffer, bufferBytes: number) {
    this.#runner = runner;
    this.#images = images;
    this.#bufferBytes = bufferBytes;
  }

  async create(shape: MatrixShape, { signal }: DeviceCall): Promise<RowMatrix> {
    signal.throwIfAborted();
    const plan = planMatrix(shape, this.#bufferBytes);
    const rows = await this.#runner.allocate(
      plan.parts.map(({ bytes }) => bytes),
      USAGE.storage | USAGE.copyFrom | USAGE.copyTo,
    );
    return new GpuMatrix({ runner: this.#runner, images: this.#images }, { shape, plan }, rows);
  }

  close(): Promise<void> {
    this.#runner.close();
    return Promise.resolve();
  }
}

async function deviceOf(adapter: GPUAdapter, bufferBytes: number): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice({
      requiredLimits: { maxStorageBufferBindingSize: bufferBytes, maxBufferSize: bufferBytes },
    });
  } catch (error) {
    throw absentFault(`the adapter gives no device: ${describeError(error)}`, error);
  }
}

function absentFault(reason: string, cause?: unknown): CodecError {
  return new CodecError({ code: 'DEVICE_ABSENT', reason }, `no GPU can be used: ${reason}`, {
    cause,
  });
}
