import { concatBytes } from '@cairn/primitives';
import { StateError } from './errors.ts';

/** Takes fields out of bytes that come in pieces of any size; holds one field and one piece. */
export class SnapshotReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #taken = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, valid until the next call. @throws {StateError} KV_SNAPSHOT_MALFORMED at the end */
  async take(length: number): Promise<Uint8Array> {
    if (this.#rest.length < length) await this.#fill(length);
    const field = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    this.#taken += length;
    return field;
  }

  async byte(): Promise<number> {
    return (await this.take(1))[0] ?? 0;
  }

  /** Everything that was not taken, in pieces of any size. */
  async *rest(): AsyncGenerator<Uint8Array, void, void> {
    try {
      while (!(await this.isAtEnd())) {
        const piece = this.#rest;
        this.#rest = new Uint8Array(0);
        this.#taken += piece.length;
        yield piece;
      }
    } finally {
      await this.#pieces.return?.();
    }
  }

  /** Whether nothing is left. */
  async isAtEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#pieces.next();
      if (done === true) return true;
      this.#rest = value;
    }
    return false;
  }

  /** @throws {StateError} KV_SNAPSHOT_MALFORMED */
  refuse(): never {
    throw new StateError(
      { code: 'KV_SNAPSHOT_MALFORMED', offset: this.#taken },
      `the bytes are no snapshot from byte ${this.#taken} on`,
    );
  }

  async #fill(length: number): Promise<void> {
    const pieces = [this.#rest];
    let held = this.#rest.length;
    while (held < length) {
      const { value, done } = await this.#pieces.next();
      if (done === true) return this.refuse();
      pieces.push(value);
      held += value.length;
    }
    this.#rest = concatBytes(...pieces);
  }
}
