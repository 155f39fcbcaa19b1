import { type HttpReplyOut, isOver, onceOver } from '@cairn/node-runtime/http';
import { BufferPool, SEGMENT_BYTES } from '@cairn/primitives';
import { MAX_SEGMENTS_PER_REPLY } from '@cairn/wire-protocol';

/** Replies that hold memory at once, at most: 64 MiB. */
const MAX_LENT = 32;
/** Arrays kept for the next reply: 16 MiB. */
const MAX_IDLE = 8;

/** Memory that runs of segments are read into, each until its reply is sent. */
export class RunMemory {
  readonly #pool = new BufferPool({
    bufferBytes: MAX_SEGMENTS_PER_REPLY * SEGMENT_BYTES,
    maxIdle: MAX_IDLE,
  });
  #lent = 0;

  /**
   * Gives memory once, for as long as `reply` lasts; `undefined` while all of it is in use, by
   * readers that take their time. Memory of a reply that broke off is not used again: something may
   * still be reading it.
   */
  lendTo({ raw }: Pick<HttpReplyOut, 'raw'>): ((length: number) => Uint8Array) | undefined {
    if (this.#lent >= MAX_LENT || isOver(raw)) return undefined;
    this.#lent += 1;
    let lent: Uint8Array | undefined;
    onceOver(raw, () => {
      this.#lent -= 1;
      if (lent !== undefined && raw.writableFinished) this.#pool.give(lent);
    });
    return (length) => {
      lent = this.#pool.take(length);
      return lent;
    };
  }
}
