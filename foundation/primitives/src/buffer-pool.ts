import { assertNatural, assertPositiveInteger } from './assert.ts';

/**
 * Large arrays that are used again.
 *
 * The engine counts memory outside its heap and collects garbage for every few dozen mebibytes of
 * it; a stream that takes a new array for each piece spends more on that than on moving the bytes.
 *
 * Bound: at most `maxIdle` arrays wait here. Whoever forgets to give one back has cost an array.
 */
export class BufferPool {
  readonly #bufferBytes: number;
  readonly #maxIdle: number;
  readonly #idle: ArrayBuffer[] = [];

  /**
   * @param bufferBytes - the longest array it gives
   * @param maxIdle - arrays kept for the next
   */
  constructor({
    bufferBytes,
    maxIdle,
  }: { readonly bufferBytes: number; readonly maxIdle: number }) {
    assertPositiveInteger(bufferBytes, 'bufferBytes');
    assertNatural(maxIdle, 'maxIdle');
    this.#bufferBytes = bufferBytes;
    this.#maxIdle = maxIdle;
  }

  /**
   * An array of `length` bytes that holds anything, not zeros.
   *
   * @throws {RangeError} if it is longer than the pool's arrays
   */
  take(length: number): Uint8Array {
    assertNatural(length, 'length');
    if (length > this.#bufferBytes) {
      throw new RangeError(`${length} bytes do not fit into the pool's ${this.#bufferBytes}`);
    }
    return new Uint8Array(this.#idle.pop() ?? new ArrayBuffer(this.#bufferBytes), 0, length);
  }

  /** Gives back what `take` gave. Nobody may look at it any more. */
  give(bytes: Uint8Array): void {
    const { buffer } = bytes;
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== this.#bufferBytes) return;
    if (this.#idle.length < this.#maxIdle) this.#idle.push(buffer);
  }
}
