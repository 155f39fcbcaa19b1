import { type Clock, systemClock, type WorkerPool } from '@cairn/primitives';
import { assertShape } from '../assert-shape.ts';
import { assertDataLength, chooseRows, parityMemory } from '../row-choice.ts';
import type { EncodeOptions, MatrixShape, PlacedRow, RowCodec } from '../row-codec.ts';
import { decodePlanOf } from './decode-plan.ts';
import { buildFor, type KernelBuild, loadKernel } from './load-kernel.ts';
import { type PanelKernel, panelBytes } from './panel-kernel.ts';
import { ThreadedCodec } from './threaded-codec.ts';

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
  const kernel = await loadKernel(actual);
  if (pool !== undefined && typeof SharedArrayBuffer !== 'undefined') {
    return new ThreadedCodec(actual, pool);
  }
  return new WasmCodec(actual === 'relaxed' ? 'wasm-relaxed' : 'wasm', kernel, clock);
}

class WasmCodec implements RowCodec {
  readonly name: 'wasm' | 'wasm-relaxed';
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;
  #kernel: PanelKernel | undefined;

  constructor(
    name: 'wasm' | 'wasm-relaxed',
    kernel: PanelKernel,
    clock: Pick<Clock, 'monotonic' | 'sleep'>,
  ) {
    this.name = name;
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
    const turn = this.#turn(signal);
    const step = panelBytes(shape, shape.rows);
    for (let from = 0; from < shape.rowBytes; from += step) {
      await turn();
      const to = Math.min(from + step, shape.rowBytes);
      this.#requireKernel().encodeColumns(data, parity, shape, from, to);
    }
    return parity;
  }

  async decode(
    rows: readonly PlacedRow[],
    shape: MatrixShape,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    assertShape(shape);
    const choice = chooseRows(rows, shape);
    const { dataRows, rowBytes } = shape;
    const data = new Uint8Array(dataRows * rowBytes);
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

  close(): Promise<void> {
    this.#kernel = undefined;
    return Promise.resolve();
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
