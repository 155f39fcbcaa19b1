import { CHUNK_BYTES, COMBINATION_BYTES, COMBINATION_SYMBOLS } from '../params.ts';
import type { MatrixShape } from '../row-codec.ts';
import { encodeSteps } from './encode-steps.ts';
import { type BufferRange, destroyAll, type GpuRunner, type Step, USAGE } from './gpu-runner.ts';
import type { MatrixPlan, RowPart } from './matrix-plan.ts';
import type { DeviceCall, RowMatrix } from './row-device.ts';
import { HASH_CHUNK_BYTES } from './shaders/leaf-wgsl.ts';

const LEAF_BYTES = 32;
const WORD_BYTES = 4;
const VECTOR_BYTES = 16;
/** Threads of a workgroup of the kernels that hash or expand. */
const GROUP_THREADS = 64;
/** Rows that a workgroup of `combineRows` does. */
const GROUP_ROWS = 64;
/** A chunk's coefficients, and those with their 16 products. */
const CHUNK_COEFFICIENT_BYTES = CHUNK_BYTES * COMBINATION_SYMBOLS;
const CHUNK_PRODUCT_BYTES = 16 * CHUNK_COEFFICIENT_BYTES;

/** What a matrix works with. */
export interface GpuMatrixDeps {
  readonly runner: GpuRunner;
  /** The images of the butterflies' factors. */
  readonly images: GPUBuffer;
}

/** A matrix whose rows lie in buffers of a GPU, a buffer for each part of the plan. */
export class GpuMatrix implements RowMatrix {
  readonly #deps: GpuMatrixDeps;
  readonly #shape: MatrixShape;
  readonly #plan: MatrixPlan;
  readonly #rows: readonly GPUBuffer[];
  #users = 0;
  #isReleased = false;

  /** @param rows - for each part of the plan its buffer, which is the matrix's from now on */
  constructor(
    deps: GpuMatrixDeps,
    { shape, plan }: { readonly shape: MatrixShape; readonly plan: MatrixPlan },
    rows: readonly GPUBuffer[],
  ) {
    this.#deps = deps;
    this.#shape = shape;
    this.#plan = plan;
    this.#rows = rows;
  }

  write(at: number, piece: Uint8Array, call: DeviceCall): Promise<void> {
    return this.#use(async () => {
      const end = at + piece.length;
      for (const [part, buffer] of this.#parts()) {
        const start = part.firstRow * this.#shape.rowBytes;
        const from = Math.max(at, start);
        const to = Math.min(end, start + part.bytes);
        if (part.coset > 0 || from >= to) continue;
        const bytes = piece.subarray(from - at, to - at);
        await this.#deps.runner.upload({ buffer, at: from - start }, bytes, call);
      }
    });
  }

  encode(call: DeviceCall): Promise<void> {
    const { runner, images } = this.#deps;
    const planeBytes = this.#shape.dataRows * this.#plan.stripChunks * CHUNK_BYTES;
    const sizes = [planeBytes, planeBytes, planeBytes];
    return this.#use(() =>
      runner.withBuffers(sizes, USAGE.storage, (planes) => {
        const buffers = { rows: this.#rows, planes, images };
        return runner.run(encodeSteps(this.#shape, this.#plan, buffers), call);
      }),
    );
  }

  leaves(call: DeviceCall): Promise<Uint8Array> {
    return this.#use(async () => {
      const leaves = new Uint8Array(this.#shape.rows * LEAF_BYTES);
      for (const [part, buffer] of this.#parts()) {
        leaves.set(await this.#leavesOf(part, buffer, call), part.firstRow * LEAF_BYTES);
      }
      return leaves;
    });
  }

  combine(
    coefficients: Uint8Array,
    kind: 'data' | 'parity',
    call: DeviceCall,
  ): Promise<Uint8Array> {
    const { runner } = this.#deps;
    const { blockChunks } = this.#plan;
    const parts = this.#parts().filter(([{ coset }]) => (kind === 'data') === (coset === 0));
    return this.#use(async () => {
      const made = await runner.allocate(
        parts.map(([{ rows }]) => rows * COMBINATION_BYTES),
        USAGE.storage | USAGE.copyFrom,
      );
      try {
        const sizes = [blockChunks * CHUNK_COEFFICIENT_BYTES, blockChunks * CHUNK_PRODUCT_BYTES];
        await runner.withBuffers(sizes, USAGE.storage | USAGE.copyTo, async ([given, products]) => {
          if (given === undefined || products === undefined) return;
          for (let at = 0; at < coefficients.length; at += blockChunks * CHUNK_COEFFICIENT_BYTES) {
            const block = coefficients.subarray(at, at + blockChunks * CHUNK_COEFFICIENT_BYTES);
            await runner.upload({ buffer: given, at: 0 }, block, call);
            const columns = {
              firstChunk: at / CHUNK_COEFFICIENT_BYTES,
              chunks: block.length / CHUNK_COEFFICIENT_BYTES,
            };
            const steps = parts.flatMap(([part, rows], index) => {
              const sums = made[index];
              return sums === undefined
                ? []
                : [this.#combineStep(part, columns, [rows, sums, products])];
            });
            await runner.run([expandStep(columns.chunks, [given, products]), ...steps], call);
          }
        });
        const ranges = made.map((buffer) => ({ buffer, at: 0, bytes: buffer.size }));
        return await runner.download(ranges, call);
      } finally {
        destroyAll(made);
      }
    });
  }

  read(indexes: readonly number[], call: DeviceCall): Promise<Uint8Array> {
    return this.#use(() => {
      const ranges = indexes.map((index) => this.#rangeOf(index));
      return this.#deps.runner.download(ranges, call);
    });
  }

  release(): void {
    this.#isReleased = true;
    this.#destroyIfUnused();
  }

  /** Runs work that needs the rows: they are not given back before it has ended. */
  async #use<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#isReleased) throw new Error('the rows were given back');
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
      this.#destroyIfUnused();
    }
  }

  #destroyIfUnused(): void {
    if (this.#isReleased && this.#users === 0) destroyAll(this.#rows);
  }

  #parts(): (readonly [RowPart, GPUBuffer])[] {
    return this.#plan.parts.flatMap((part, index) => {
      const buffer = this.#rows[index];
      return buffer === undefined ? [] : [[part, buffer] as const];
    });
  }

  #rangeOf(index: number): BufferRange {
    const { rowBytes } = this.#shape;
    for (const [{ firstRow, rows }, buffer] of this.#parts()) {
      if (index < firstRow || index >= firstRow + rows) continue;
      return { buffer, at: (index - firstRow) * rowBytes, bytes: rowBytes };
    }
    throw new RangeError(`there is no row ${index}`);
  }

  async #leavesOf(part: RowPart, rows: GPUBuffer, call: DeviceCall): Promise<Uint8Array> {
    const { runner } = this.#deps;
    const { rowBytes } = this.#shape;
    const values = Math.ceil(rowBytes / HASH_CHUNK_BYTES);
    const sizes = [values, Math.ceil(values / 2)].map((count) => part.rows * count * LEAF_BYTES);
    return runner.withBuffers(sizes, USAGE.storage | USAGE.copyFrom, async ([even, odd]) => {
      if (even === undefined || odd === undefined) throw new RangeError('there are no buffers');
      const first: Step = {
        kernel: 'hashChunks',
        params: [part.rows, values, rowBytes / VECTOR_BYTES, 0],
        buffers: [rows, even],
        groups: [Math.ceil((part.rows * values) / GROUP_THREADS), 1],
        bytes: part.bytes,
      };
      const steps = [first];
      let made = even;
      for (let left = values; left > 1; left = Math.ceil(left / 2)) {
        const given = made;
        made = given === even ? odd : even;
        steps.push({
          kernel: 'hashParents',
          params: [part.rows, left, 0, 0],
          buffers: [given, made],
          groups: [Math.ceil((part.rows * Math.ceil(left / 2)) / GROUP_THREADS), 1],
          bytes: part.rows * left * LEAF_BYTES,
        });
      }
      await runner.run(steps, call);
      return runner.download([{ buffer: made, at: 0, bytes: part.rows * LEAF_BYTES }], call);
    });
  }

  #combineStep(
    part: RowPart,
    { firstChunk, chunks }: { readonly firstChunk: number; readonly chunks: number },
    [rows, sums, products]: readonly [GPUBuffer, GPUBuffer, GPUBuffer],
  ): Step {
    const { tileChunks } = this.#plan;
    const rowWords = this.#shape.rowBytes / WORD_BYTES;
    return {
      kernel: 'combineRows',
      params: [rowWords, part.rows, firstChunk, chunks, tileChunks, 0, 0, 0],
      buffers: [rows, sums, products],
      groups: [Math.ceil(part.rows / GROUP_ROWS), Math.ceil(chunks / tileChunks)],
      bytes: part.rows * chunks * CHUNK_BYTES,
    };
  }
}

function expandStep(chunks: number, buffers: readonly [GPUBuffer, GPUBuffer]): Step {
  const words = (chunks * CHUNK_COEFFICIENT_BYTES) / WORD_BYTES;
  return {
    kernel: 'expandCoefficients',
    params: [words, 0, 0, 0],
    buffers,
    groups: [Math.ceil(words / GROUP_THREADS), 1],
    bytes: chunks * CHUNK_PRODUCT_BYTES,
  };
}
