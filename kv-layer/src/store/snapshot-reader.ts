import { concatBytes } from '@cairn/primitives';
import { StateError } from './errors.ts';

/** Bytes that are held at least while rows are read, if there are so many. */
const WINDOW_BYTES = 131_072;

/** Takes fields out of bytes that come in pieces of any size; holds one field or window, and one piece. */
export class SnapshotReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #taken = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, valid until the next call. @throws {StateError} KV_SNAPSHOT_MALFORMED at the end */
  async take(length: number): Promise<Uint8Array> {
    if (this.#rest.length < length) await this.#fill(length, length);
    const field = this.#rest.subarray(0, length);
    this.skip(length);
    return field;
  }

  async byte(): Promise<number> {
    return (await this.take(1))[0] ?? 0;
  }

  /** What is in memory and was not taken: valid until more is asked for. */
  get held(): Uint8Array {
    return this.#rest;
  }

  /** Takes bytes that are held. */
  skip(length: number): void {
    this.#rest = this.#rest.subarray(length);
    this.#taken += length;
  }

  /** Holds at least `length` bytes, and more where there are. @throws {StateError} KV_SNAPSHOT_MALFORMED at the end */
  async hold(length: number): Promise<void> {
    if (this.#rest.length < length) await this.#fill(length, Math.max(length, WINDOW_BYTES));
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

  /** Holds `wanted` bytes, or what there is if that is at least `needed`. */
  async #fill(needed: number, wanted: number): Promise<void> {
    const pieces = [this.#rest];
    let held = this.#rest.length;
    while (held < wanted) {
      const { value, done } = await this.#pieces.next();
      if (done === true) {
        if (held < needed) return this.refuse();
        break;
      }
      pieces.push(value);
      held += value.length;
    }
    this.#rest = concatBytes(...pieces);
  }
}
