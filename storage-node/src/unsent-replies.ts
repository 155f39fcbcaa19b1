import { onceOver, type RawReply } from '@cairn/node-runtime/http';

/** Replies up to here fit a socket's own buffer; they are not counted. */
const SMALL_REPLY_BYTES = 65_536;

/**
 * Bounds the memory of replies that their clients do not read.
 *
 * Beyond the budget the connections whose replies wait longest are cut: a client that reads has
 * its segment in moments, one that asks for many and reads none would hold them all.
 */
export class UnsentReplies {
  readonly #maxBytes: number;
  /** Oldest first. */
  readonly #waiting = new Map<RawReply, number>();
  #bytes = 0;

  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes of replies on their way now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts a reply of `bytes` until it is sent or its connection is gone. */
  add(reply: RawReply, bytes: number): void {
    if (bytes <= SMALL_REPLY_BYTES) return;
    this.#waiting.set(reply, bytes);
    this.#bytes += bytes;
    onceOver(reply, () => this.#remove(reply));
    for (const oldest of this.#waiting.keys()) {
      if (this.#bytes <= this.#maxBytes || oldest === reply) return;
      this.#cut(oldest);
    }
  }

  /** With its connection go all replies that wait on it. */
  #cut({ req: { socket } }: RawReply): void {
    for (const reply of this.#waiting.keys()) {
      if (reply.req.socket === socket) this.#remove(reply);
    }
    socket.destroy();
  }

  #remove(reply: RawReply): void {
    this.#bytes -= this.#waiting.get(reply) ?? 0;
    this.#waiting.delete(reply);
  }
}
