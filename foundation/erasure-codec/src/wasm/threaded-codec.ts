import type { WorkerPool } from '@cairn/primitives';
import { assertShape } from '../assert-shape.ts';
import type { ColumnsTask } from '../codec-worker.ts';
import { CHUNK_BYTES } from '../params.ts';
import { assertDataLength, chooseRows, dataMemory, parityMemory } from '../row-choice.ts';
import type {
  DecodeOptions,
  EncodeOptions,
  MatrixMemory,
  MatrixShape,
  PlacedRow,
  RowCodec,
} from '../row-codec.ts';
import { decodePlanOf } from './decode-plan.ts';

/** Tasks for each thread: the last ones even out threads that differ in speed. */
const TASKS_PER_THREAD = 4;

/** Columns in threads of a pool that runs `codec-worker`, over memory that they share. */
export class ThreadedCodec implements RowCodec {
  readonly name: 'wasm' | 'wasm-relaxed';
  readonly #build: 'strict' | 'relaxed';
  readonly #pool: WorkerPool;

  constructor(build: 'strict' | 'relaxed', pool: WorkerPool) {
    this.name = build === 'relaxed' ? 'wasm-relaxed' : 'wasm';
    this.#build = build;
    this.#pool = pool;
  }

  async encode(
    data: Uint8Array,
    shape: MatrixShape,
    { signal, into }: EncodeOptions,
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    assertShape(shape);
    assertDataLength(data, shape);
    const given = into === undefined ? undefined : parityMemory(into, shape);
    const parity = isShared(given) ? given : sharedBytes(shape.cosets * data.length);
    await this.#run({ shape, rows: sharedCopy(data), result: parity }, signal);
    return written(parity, given);
  }

  async decode(
    rows: readonly PlacedRow[],
    shape: MatrixShape,
    { signal, into }: DecodeOptions,
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    assertShape(shape);
    const choice = chooseRows(rows, shape);
    const { dataRows, rowBytes } = shape;
    const given = into === undefined ? undefined : dataMemory(into, shape);
    const data = isShared(given) ? given : sharedBytes(dataRows * rowBytes);
    for (const { index, bytes } of choice.rows) {
      if (index < dataRows) data.set(bytes, index * rowBytes);
    }
    if (choice.coset === 0) return written(data, given);
    const chosen = sharedBytes(dataRows * rowBytes);
    for (const [place, { bytes }] of choice.rows.entries()) chosen.set(bytes, place * rowBytes);
    const plan = decodePlanOf(choice, shape);
    await this.#run({ shape, rows: chosen, result: data, plan }, signal);
    return written(data, given);
  }

  newMatrix(shape: MatrixShape): Promise<MatrixMemory> {
    assertShape(shape);
    const dataBytes = shape.dataRows * shape.rowBytes;
    const parity = sharedBytes(shape.cosets * dataBytes);
    return Promise.resolve({ data: sharedBytes(dataBytes), parity });
  }

  /** Does nothing: the pool is its owner's. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Throws only once no thread writes any more: the memory may be used again. */
  async #run(
    task: Omit<ColumnsTask, 'build' | 'from' | 'to' | 'stop'>,
    signal: AbortSignal,
  ): Promise<void> {
    const { rowBytes } = task.shape;
    const chunks = Math.ceil(rowBytes / CHUNK_BYTES / (this.#pool.size * TASKS_PER_THREAD));
    const step = chunks * CHUNK_BYTES;
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const onAbort = (): void => void Atomics.store(stop, 0, 1);
    signal.addEventListener('abort', onAbort, { once: true });
    const running: Promise<unknown>[] = [];
    const whole = new AbortController(); // the pool leaves a task alone that is aborted, unfinished
    for (let from = 0; from < rowBytes; from += step) {
      const columns = {
        ...task,
        build: this.#build,
        from,
        to: Math.min(from + step, rowBytes),
        stop,
      };
      const done = this.#pool.run(columns, { signal: whole.signal });
      done.catch(onAbort); // one that fails stops the others
      running.push(done);
    }
    try {
      const settled = await Promise.allSettled(running);
      signal.throwIfAborted();
      for (const outcome of settled) if (outcome.status === 'rejected') throw outcome.reason;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** The result where it was asked for. */
function written(result: Uint8Array, into: Uint8Array | undefined): Uint8Array {
  if (into === undefined || into === result) return result;
  into.set(result);
  return into;
}

function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

function isShared(bytes: Uint8Array | undefined): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes?.buffer instanceof SharedArrayBuffer;
}

/** The same bytes in shared memory; not copied if they are there. */
function sharedCopy(bytes: Uint8Array): Uint8Array {
  if (isShared(bytes)) return bytes;
  const copy = sharedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}
