import { describeError, MIB } from '@cairn/primitives';
import { CodecError } from '../errors.ts';
import { type KernelName, Kernels } from './kernels.ts';
import { LossWatch } from './loss-watch.ts';
import type { DeviceCall } from './row-device.ts';

/** Values of the platform's `GPUBufferUsage`, which not every engine has as a global. */
export const USAGE = {
  mapRead: 0x01,
  copyFrom: 0x04,
  copyTo: 0x08,
  uniform: 0x40,
  storage: 0x80,
} as const;
/** The value of the platform's `GPUMapMode.READ`. */
const MAP_READ = 1;

/** Bytes of rows that steps submitted together read: what an abort waits for, twice. */
const SUBMISSION_BYTES = 64 * MIB;
/** Bytes on their way up or down at once. */
const TRANSFER_BYTES = 16 * MIB;
/** Where a step's parameters may begin: what every device allows. */
const PARAMS_STRIDE = 256;

/** One run of a kernel. */
export interface Step {
  readonly kernel: KernelName;
  /** Words of the kernel's `Step`. */
  readonly params: readonly number[];
  /** What is bound after the parameters, in order. */
  readonly buffers: readonly GPUBuffer[];
  /** Workgroups along x and y. */
  readonly groups: readonly [number, number];
  /** Bytes it reads, about. */
  readonly bytes: number;
}

/** Bytes of a buffer. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly at: number;
  readonly bytes: number;
}

/** A device and its queue: buffers, steps and transfers, until it is lost or closed. */
export class GpuRunner {
  readonly watch: LossWatch = new LossWatch();
  readonly #device: GPUDevice;
  readonly #kernels: Kernels;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#kernels = new Kernels(device, this.watch);
    device.addEventListener('uncapturederror', (event) => this.watch.lose(event.error.message));
    void device.lost.then(({ reason, message }) => this.watch.lose(message || reason));
  }

  /**
   * Buffers of zeros, or none of them. Sizes are multiples of 4.
   *
   * @throws {CodecError} DEVICE_FULL if there is no memory for them; DEVICE_LOST
   */
  async allocate(sizes: readonly number[], usage: number): Promise<GPUBuffer[]> {
    this.watch.throwIfLost();
    this.#device.pushErrorScope('out-of-memory');
    const buffers = sizes.map((size) => this.#device.createBuffer({ size, usage }));
    const error = await this.watch.guard(this.#device.popErrorScope());
    if (error === null) return buffers;
    destroyAll(buffers);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const reason = `no memory for ${sizes.length} buffers of together ${bytes} bytes`;
    throw new CodecError({ code: 'DEVICE_FULL', reason }, `the device has ${reason}`);
  }

  /** Runs `work` with buffers that are destroyed afterwards. */
  async withBuffers<Result>(
    sizes: readonly number[],
    usage: number,
    work: (buffers: GPUBuffer[]) => Promise<Result>,
  ): Promise<Result> {
    const buffers = await this.allocate(sizes, usage);
    try {
      return await work(buffers);
    } finally {
      destroyAll(buffers);
    }
  }

  /**
   * Runs steps in order, at most two submissions ahead of the device.
   *
   * @throws {CodecError} DEVICE_LOST; the signal's reason, between submissions
   */
  async run(steps: readonly Step[], { signal }: DeviceCall): Promise<void> {
    const pipelines = new Map<KernelName, GPUComputePipeline>();
    for (const { kernel } of steps) {
      if (!pipelines.has(kernel)) pipelines.set(kernel, await this.#kernels.pipeline(kernel));
    }
    let previous = Promise.resolve();
    for (const batch of batchesOf(steps)) {
      signal.throwIfAborted();
      const done = this.#submit((encoder) => this.#encode(encoder, batch, pipelines));
      done.catch(() => undefined); // told below, unless the one before fails first
      await previous;
      previous = done;
    }
    await previous;
  }

  /** Writes bytes into a buffer. Place and length are multiples of 4. */
  async upload(
    { buffer, at }: Pick<BufferRange, 'buffer' | 'at'>,
    bytes: Uint8Array,
    { signal }: DeviceCall,
  ): Promise<void> {
    for (let from = 0; from < bytes.length; from += TRANSFER_BYTES) {
      signal.throwIfAborted();
      const piece = bytes.subarray(from, from + TRANSFER_BYTES);
      await this.#submit(() => {
        this.#device.queue.writeBuffer(buffer, at + from, piece);
        return undefined;
      });
    }
  }

  /** The bytes of ranges, one after another. Places and lengths are multiples of 4. */
  async download(ranges: readonly BufferRange[], { signal }: DeviceCall): Promise<Uint8Array> {
    const total = ranges.reduce((sum, { bytes }) => sum + bytes, 0);
    const result = new Uint8Array(total);
    const stagingBytes = Math.min(total, TRANSFER_BYTES);
    if (total === 0) return result;
    return this.withBuffers([stagingBytes], USAGE.mapRead | USAGE.copyTo, async ([staging]) => {
      if (staging === undefined) return result;
      let written = 0;
      for (const piece of piecesOf(ranges, stagingBytes)) {
        signal.throwIfAborted();
        let filled = 0;
        await this.#submit((encoder) => {
          for (const { buffer, at, bytes } of piece) {
            encoder.copyBufferToBuffer(buffer, at, staging, filled, bytes);
            filled += bytes;
          }
          return undefined;
        });
        await this.watch.guard(staging.mapAsync(MAP_READ, 0, filled));
        result.set(new Uint8Array(staging.getMappedRange(0, filled)), written);
        staging.unmap();
        written += filled;
      }
      return result;
    });
  }

  /** Gives the device back; everything under way ends with DEVICE_LOST, as does what comes later. */
  close(): void {
    this.watch.lose('it was closed');
    this.#device.destroy();
  }

  /** Submits what `record` records and waits for it. `record` may return a buffer of its own. */
  async #submit(record: (encoder: GPUCommandEncoder) => GPUBuffer | undefined): Promise<void> {
    this.watch.throwIfLost();
    const device = this.#device;
    const scopes = ['internal', 'out-of-memory', 'validation'] as const;
    for (const scope of scopes) device.pushErrorScope(scope);
    const encoder = device.createCommandEncoder();
    let own: GPUBuffer | undefined;
    try {
      own = record(encoder);
      device.queue.submit([encoder.finish()]);
    } catch (error) {
      throw this.watch.lose(describeError(error), error);
    }
    const errors = scopes.map(() => device.popErrorScope());
    try {
      const [, ...found] = await this.watch.guard(
        Promise.all([device.queue.onSubmittedWorkDone(), ...errors]),
      );
      const error = found.find((one) => one !== null);
      if (error) throw this.watch.lose(error.message);
    } finally {
      own?.destroy();
    }
  }

  /** Records a batch; returns the buffer that holds its parameters. */
  #encode(
    encoder: GPUCommandEncoder,
    batch: readonly Step[],
    pipelines: ReadonlyMap<KernelName, GPUComputePipeline>,
  ): GPUBuffer {
    const params = this.#device.createBuffer({
      size: batch.length * PARAMS_STRIDE,
      usage: USAGE.uniform,
      mappedAtCreation: true,
    });
    const words = new Uint32Array(params.getMappedRange());
    for (const [index, step] of batch.entries())
      words.set(step.params, (index * PARAMS_STRIDE) / 4);
    params.unmap();
    const pass = encoder.beginComputePass();
    for (const [index, { kernel, buffers, groups, params: given }] of batch.entries()) {
      const pipeline = pipelines.get(kernel);
      if (pipeline === undefined) continue;
      const bound = { buffer: params, offset: index * PARAMS_STRIDE, size: given.length * 4 };
      const resources = [bound, ...buffers.map((buffer) => ({ buffer }))];
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        this.#device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: resources.map((resource, binding) => ({ binding, resource })),
        }),
      );
      pass.dispatchWorkgroups(...groups);
    }
    pass.end();
    return params;
  }
}

/** Destroys buffers; work that was submitted keeps what it needs. */
export function destroyAll(buffers: readonly GPUBuffer[]): void {
  for (const buffer of buffers) buffer.destroy();
}

function* batchesOf(steps: readonly Step[]): Generator<readonly Step[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, step] of steps.entries()) {
    bytes += step.bytes;
    if (bytes < SUBMISSION_BYTES && index < steps.length - 1) continue;
    yield steps.slice(start, index + 1);
    start = index + 1;
    bytes = 0;
  }
}

/** The ranges cut into pieces of at most `pieceBytes`. */
function* piecesOf(
  ranges: readonly BufferRange[],
  pieceBytes: number,
): Generator<readonly BufferRange[]> {
  let piece: BufferRange[] = [];
  let room = pieceBytes;
  for (const { buffer, at, bytes } of ranges) {
    for (let done = 0; done < bytes; ) {
      const part = Math.min(room, bytes - done);
      piece.push({ buffer, at: at + done, bytes: part });
      done += part;
      room -= part;
      if (room > 0) continue;
      yield piece;
      piece = [];
      room = pieceBytes;
    }
  }
  if (piece.length > 0) yield piece;
}
