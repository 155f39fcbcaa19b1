import { type Clock, systemClock, type WorkerPool } from '@cairn/primitives';
import { assertShape } from '../assert-shape.ts';
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
import { buildFor, type KernelBuild, loadModule } from './load-kernel.ts';
import { MatrixKernel } from './matrix-kernel.ts';
import { PanelKernel } from './panel-kernel.ts';
import { ThreadedCodec } from './threaded-codec.ts';
import { panelBytes } from './tiling.ts';

/** Which kernels to load, where they run, and what gives others their turn. */
export interface LoadWasmCodecOptions {
  /** `auto` unless told. */
  readonly build?: KernelBuild;
  /**
   * Threads that run the `codec-worker` module; they are used where memory can be shared with them
   * (`SharedArrayBuffer`), and stay their owner's.
   */
  readonly pool?: WorkerPool;
  readonly clock?: Pick<Clock, 'monotonic' | 'sleep'>;
}

/** How long a call works before others get their turn; a panel takes less than that again. */
const TURN_MS = 25;

/**
 * The codec in WebAssembly SIMD: kernels and memory of its own for the caller. Loading costs some
 * milliseconds. Beside a call's argument and result it holds less than 24 MiB, until `close`. A call
 * gives others their turn every 25 to 50 ms; calls may overlap.
 *
 * With a pool, columns are shared out among its threads. Arguments and results lie in shared memory
 * then: what is given in other memory is copied, and each thread holds its own 24 MiB.
 *
 * Shapes have 2 to 4096 data rows; others fault with LAYOUT. A pool's own faults come through.
 *
 * @throws {WebAssembly.CompileError} if the engine has no SIMD, or not the one asked for
 */
export async function loadWasmCodec({
  build = 'auto',
  pool,
  clock = systemClock(),
}: LoadWasmCodecOptions = {}): Promise<RowCodec> {
  const actual = buildFor(build);
  const module = await loadModule(actual);
  if (pool !== undefined && typeof SharedArrayBuffer !== 'undefined') {
    return new ThreadedCodec(actual, pool);
  }
  const kernel = new PanelKernel(await WebAssembly.instantiate(module));
  return new WasmCodec(actual === 'relaxed' ? 'wasm-relaxed' : 'wasm', module, kernel, clock);
}

class WasmCodec implements RowCodec {
  readonly name: 'wasm' | 'wasm-relaxed';
  readonly #module: WebAssembly.Module;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  /** Matrices that lie in the memory of a kernel, by that memory. */
  readonly #matrices = new WeakMap<ArrayBufferLike, MatrixKernel>();
  #kernel: PanelKernel | undefined;

  constructor(
    name: 'wasm' | 'wasm-relaxed',
    module: WebAssembly.Module,
    kernel: PanelKernel,
    clock: Pick<Clock, 'monotonic' | 'sleep'>,
  ) {
    this.name = name;
    this.#module = module;
    this.#kernel = kernel;
    this.#clock = clock;
  }

  async encode(
    data: Uint8Array,
    shape: MatrixShape,
    { signal, into }: EncodeOptions,
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    assertShape(shape);
    assertDataLength(data, shape);
    const parity = parityMemory(into, shape);
    const matrix = this.#matrixOf(data, parity, shape);
    const turn = this.#turn(signal);
    const step = panelBytes(shape, shape.rows);
    for (let from = 0; from < shape.rowBytes; from += step) {
      await turn();
      const to = Math.min(from + step, shape.rowBytes);
      const kernel = this.#requireKernel();
      if (matrix === undefined) kernel.encodeColumns(data, parity, shape, from, to);
      else matrix.encodeColumns(from, to);
    }
    return parity;
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
    const data = dataMemory(into, shape);
    const turn = this.#turn(signal);
    for (const { index, bytes } of choice.rows) {
      if (index >= dataRows) continue;
      await turn();
      data.set(bytes, index * rowBytes);
    }
    if (choice.coset === 0) return data;
    const plan = decodePlanOf(choice, shape);
    const step = panelBytes(shape, dataRows + plan.missing.length);
    for (let from = 0; from < rowBytes; from += step) {
      await turn();
      const to = Math.min(from + step, rowBytes);
      this.#requireKernel().decodeColumns(choice.rows, plan, data, shape, from, to);
    }
    return data;
  }

  async newMatrix(shape: MatrixShape): Promise<MatrixMemory> {
    assertShape(shape);
    const matrix = new MatrixKernel(await WebAssembly.instantiate(this.#module), shape);
    this.#matrices.set(matrix.data.buffer, matrix);
    return matrix;
  }

  close(): Promise<void> {
    this.#kernel = undefined;
    return Promise.resolve();
  }

  /** The matrix of a kernel's own memory, if just that one is meant. */
  #matrixOf(
    data: Uint8Array,
    parity: Uint8Array,
    { log2K, cosets }: MatrixShape,
  ): MatrixKernel | undefined {
    const matrix = this.#matrices.get(data.buffer);
    const isMeant =
      log2K === matrix?.shape.log2K &&
      cosets === matrix.shape.cosets &&
      data.byteOffset === matrix.data.byteOffset &&
      data.length === matrix.data.length &&
      parity.buffer === data.buffer &&
      parity.byteOffset === matrix.parity.byteOffset &&
      parity.length === matrix.parity.length;
    return isMeant ? matrix : undefined;
  }

  #requireKernel(): PanelKernel {
    if (this.#kernel === undefined) throw new Error('the codec is closed');
    return this.#kernel;
  }

  /** A function that lets others have their turn once this one has lasted. It throws the signal's reason. */
  #turn(signal: AbortSignal): () => Promise<void> {
    const clock = this.#clock;
    let since = clock.monotonic();
    return async () => {
      if (clock.monotonic() - since < TURN_MS) return;
      await clock.sleep(0, signal);
      since = clock.monotonic();
    };
  }
}
