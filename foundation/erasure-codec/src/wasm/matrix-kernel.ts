import type { MatrixMemory, MatrixShape } from '../row-codec.ts';
import { KernelModule } from './kernel-module.ts';
import { tilingOf } from './tiling.ts';

/**
 * A matrix in the memory of a kernel of its own, where encoding copies nothing. Beside the matrix it
 * has 2 MiB and its tables.
 */
export class MatrixKernel implements MatrixMemory {
  readonly data: Uint8Array;
  readonly parity: Uint8Array;
  readonly shape: MatrixShape;
  readonly #module: KernelModule;
  readonly #input: number;
  readonly #output: number;

  /** @param instance - of one of the two modules in `generated/`; nobody else uses it */
  constructor(instance: WebAssembly.Instance, shape: MatrixShape) {
    const { log2K, dataRows, cosets, rowBytes } = shape;
    this.#module = new KernelModule(instance);
    this.shape = shape;
    const dataBytes = dataRows * rowBytes;
    this.#input = this.#module.free + 2 * dataRows * tilingOf(log2K).strip;
    this.#output = this.#input + dataBytes;
    const { buffer } = this.#module.require(this.#output + cosets * dataBytes);
    this.data = new Uint8Array(buffer, this.#input, dataBytes);
    this.parity = new Uint8Array(buffer, this.#output, cosets * dataBytes);
  }

  /** Writes bytes `from` … `to` of all parity rows; both are multiples of 64. */
  encodeColumns(from: number, to: number): void {
    const { log2K, cosets, rowBytes } = this.shape;
    const { strip, blockLog } = tilingOf(log2K);
    const [input, output] = [this.#input + from, this.#output + from];
    const tiling = [log2K, cosets, blockLog, strip, this.#module.free] as const;
    this.#module.exports.encodePanel(input, output, rowBytes, to - from, ...tiling);
  }
}
