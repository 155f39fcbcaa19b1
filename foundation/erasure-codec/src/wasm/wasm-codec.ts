import { type Clock, systemClock } from '@cairn/primitives';
import { assertShape } from '../assert-shape.ts';
import { CODEC_RELAXED_WASM } from '../generated/codec-relaxed-wasm.ts';
import { CODEC_STRICT_WASM } from '../generated/codec-strict-wasm.ts';
import { assertDataLength, chooseRows } from '../row-choice.ts';
import type { MatrixShape, PlacedRow, RowCodec } from '../row-codec.ts';
import { decodePlanOf } from './decode-plan.ts';
import { PanelKernel, panelBytes } from './panel-kernel.ts';

/** Which kernels to load, and what gives others their turn. */
export interface LoadWasmCodecOptions {
  /**
   * `strict` runs wherever WebAssembly SIMD does; `relaxed` is faster and newer. `auto`, the
   * default, takes `relaxed` where the engine has it.
   */
  readonly build?: 'strict' | 'relaxed' | 'auto';
  readonly clock?: Pick<Clock, 'monotonic' | 'sleep'>;
}

/** How long a call works before others get their turn; a panel takes less than that again. */
const TURN_MS = 25;

/**
 * The codec in WebAssembly SIMD, one thread: kernels and memory of its own for the caller. Loading
 * costs some milliseconds. Beside a call's argument and result it holds less than 24 MiB, until
 * `close`. A call gives others their turn every 25 to 50 ms; calls may overlap.
 *
 * Shapes have 2 to 4096 data rows; others fault with LAYOUT.
 *
 * @throws {WebAssembly.CompileError} if the engine has no SIMD, or not the one asked for
 */
export async function loadWasmCodec({
  build = 'auto',
  clock = systemClock(),
}: LoadWasmCodecOptions = {}): Promise<RowCodec> {
  const relaxed = build === 'strict' ? undefined : moduleBytes(CODEC_RELAXED_WASM);
  const isRelaxed = relaxed !== undefined && (build === 'relaxed' || WebAssembly.validate(relaxed));
  const bytes = isRelaxed ? relaxed : moduleBytes(CODEC_STRICT_WASM);
  const { instance } = await WebAssembly.instantiate(bytes);
  return new WasmCodec(isRelaxed ? 'wasm-relaxed' : 'wasm', new PanelKernel(instance), clock);
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
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    signal.throwIfAborted();
    assertShape(shape);
    assertDataLength(data, shape);
    const parity = new Uint8Array(shape.cosets * data.length);
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

function moduleBytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
