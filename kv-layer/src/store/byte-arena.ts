/** Bytes that are made at once. */
const CHUNK_BYTES = 65_536;
/** Longer strings are made by themselves. */
const MAX_SHARED_BYTES = 4096;

/**
 * Makes many short byte strings as parts of few long ones: by itself each takes several times its
 * bytes and is told to the collector of garbage. All of a chunk stay in memory while one of them does.
 */
export class ByteArena {
  #chunk: Uint8Array = new Uint8Array(0);
  #used = 0;

  /** `length` zeros that are nobody else's. */
  take(length: number): Uint8Array {
    if (length > MAX_SHARED_BYTES) return new Uint8Array(length);
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#used = 0;
    }
    const bytes = this.#chunk.subarray(this.#used, this.#used + length);
    this.#used += length;
    return bytes;
  }
}
