import { assertNatural } from '@cairn/primitives';

/** Bounds of spare memory. */
export interface SpareMemoryOptions {
  /** Bytes kept for the next who asks, at most. */
  readonly maxIdleBytes: number;
}

/** Lengths are rounded up to a power of two's eighth part, so that lengths that are alike share memory. */
const STEPS = 8;

/**
 * Memory that large work uses again. Fresh memory of some megabytes for each blob costs page faults, and
 * makes the collector of garbage walk the whole heap again and again.
 */
export class SpareMemory {
  readonly #maxIdleBytes: number;
  /** Those given back last come first. */
  readonly #idle: ArrayBufferLike[] = [];
  #idleBytes = 0;

  constructor({ maxIdleBytes }: SpareMemoryOptions) {
    assertNatural(maxIdleBytes, 'maxIdleBytes');
    this.#maxIdleBytes = maxIdleBytes;
  }

  /** Bytes that wait to be used again. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** `length` bytes, whatever they hold. Whoever takes them may keep them, or give them back. */
  take(length: number): Uint8Array {
    const size = roundUp(length);
    const at = this.#idle.findIndex((buffer) => buffer.byteLength === size);
    const buffer = at < 0 ? undefined : this.#idle.splice(at, 1)[0];
    if (buffer !== undefined) this.#idleBytes -= size;
    return new Uint8Array(buffer ?? new ArrayBuffer(size), 0, length);
  }

  /** Gives back what `take` gave, once only, when nobody looks at any part of it any more. */
  giveBack({ buffer }: Uint8Array): void {
    this.#idle.unshift(buffer);
    this.#idleBytes += buffer.byteLength;
    while (this.#idleBytes > this.#maxIdleBytes) {
      this.#idleBytes -= this.#idle.pop()?.byteLength ?? 0;
    }
  }
}

function roundUp(length: number): number {
  const step = Math.max(1, 2 ** Math.ceil(Math.log2(Math.max(length, 1))) / (2 * STEPS));
  return Math.ceil(length / step) * step;
}
