import { concatBytes, utf8Bytes, viewOf } from '@cairn/primitives';
import { P2pError } from './errors.ts';

/** Bytes of the length that each message begins with: u32, big-endian. */
export const FRAME_HEAD_BYTES = 4;
/** Bytes of a refusal's sentence at most. */
export const MAX_SENTENCE_BYTES = 500;

/** What replies begin with. */
const STATUS = { ok: 0, refused: 1 } as const;
const CODE = /^[A-Z0-9_]{1,64}$/;

/** A message with its length before it. @param message - at least one byte */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + message.length);
  viewOf(frame).setUint32(0, message.length);
  frame.set(message, FRAME_HEAD_BYTES);
  return frame;
}

/** Room that a message begins with, unless its length says that it needs less. */
const FIRST_ROOM_BYTES = 4096;

/**
 * Puts one message together from the pieces it comes in. Its length is judged before anything of it
 * is kept; memory grows with what has come, to twice of that, and never beyond one message.
 */
export class FrameReader {
  readonly #what: 'request' | 'reply';
  readonly #maxBytes: number;
  readonly #head = new Uint8Array(FRAME_HEAD_BYTES);
  #headBytes = 0;
  #body = new Uint8Array(0);
  #bodyBytes = 0;
  #lengthBytes: number | undefined;

  constructor(what: 'request' | 'reply', maxBytes: number) {
    this.#what = what;
    this.#maxBytes = maxBytes;
  }

  /** Whether a message has begun. */
  get hasBegun(): boolean {
    return this.#headBytes > 0;
  }

  /**
   * Takes what has come; the piece is copied.
   *
   * @throws {P2pError} P2P_TOO_LONG; P2P_FRAME "empty" for a message of no bytes, "pipelined" for more
   *   than one at a time
   */
  push(piece: Uint8Array): void {
    const ofHead = piece.subarray(0, FRAME_HEAD_BYTES - this.#headBytes);
    this.#head.set(ofHead, this.#headBytes);
    this.#headBytes += ofHead.length;
    if (this.#headBytes < FRAME_HEAD_BYTES) return;
    this.#lengthBytes ??= this.#readLength();
    const rest = piece.subarray(ofHead.length);
    const lengthBytes = this.#lengthBytes;
    if (this.#bodyBytes + rest.length > lengthBytes) {
      throw new P2pError(
        { code: 'P2P_FRAME', reason: 'pipelined' },
        `more came than one ${this.#what} of ${lengthBytes} bytes`,
      );
    }
    this.#makeRoom(this.#bodyBytes + rest.length, lengthBytes);
    this.#body.set(rest, this.#bodyBytes);
    this.#bodyBytes += rest.length;
  }

  /** The message if all of it is there; the next one starts anew. */
  take(): Uint8Array | undefined {
    if (this.#lengthBytes === undefined || this.#bodyBytes < this.#lengthBytes) return undefined;
    const message = this.#body.subarray(0, this.#lengthBytes);
    this.#body = new Uint8Array(0);
    this.#bodyBytes = 0;
    this.#headBytes = 0;
    this.#lengthBytes = undefined;
    return message;
  }

  #readLength(): number {
    const lengthBytes = viewOf(this.#head).getUint32(0);
    if (lengthBytes === 0) {
      throw new P2pError({ code: 'P2P_FRAME', reason: 'empty' }, `a ${this.#what} has no bytes`);
    }
    if (lengthBytes > this.#maxBytes) throw tooLong(this.#what, lengthBytes, this.#maxBytes);
    return lengthBytes;
  }

  #makeRoom(neededBytes: number, lengthBytes: number): void {
    const heldBytes = this.#body.length;
    if (neededBytes <= heldBytes) return;
    const room = Math.max(neededBytes, heldBytes * 2, FIRST_ROOM_BYTES);
    const grown = new Uint8Array(Math.min(room, lengthBytes));
    grown.set(this.#body.subarray(0, this.#bodyBytes));
    this.#body = grown;
  }
}

/** What a reply says. */
export type Reply =
  | { readonly kind: 'ok'; readonly body: Uint8Array }
  | { readonly kind: 'refused'; readonly code: string; readonly sentence: string };

/** Bytes of the longest reply to a request that may be answered with `maxBytes`. */
export function replyBound(maxBytes: number): number {
  return 1 + Math.max(maxBytes, 1 + 64 + MAX_SENTENCE_BYTES);
}

/** A reply that gives what was asked for: status u8 = 0, then its bytes. */
export function encodeOk(body: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATUS.ok), body);
}

/** A reply that refuses: status u8 = 1, length of the code u8, the code, a sentence in UTF-8. */
export function encodeRefusal(code: string, sentence: string): Uint8Array {
  const told = CODE.test(code) ? code : 'INTERNAL';
  const head = Uint8Array.of(STATUS.refused, told.length);
  return concatBytes(head, utf8Bytes(told), cutText(sentence, MAX_SENTENCE_BYTES));
}

/** @throws {P2pError} P2P_FRAME "form"; P2P_TOO_LONG for a body above `maxBytes` */
export function parseReply(message: Uint8Array, maxBytes: number): Reply {
  const [status] = message;
  if (status === STATUS.ok) {
    const body = message.subarray(1);
    if (body.length > maxBytes) throw tooLong('reply', body.length, maxBytes);
    return { kind: 'ok', body };
  }
  const codeLength = message[1] ?? 0;
  const code = textOf(message.subarray(2, 2 + codeLength));
  if (status !== STATUS.refused || message.length < 2 + codeLength || !CODE.test(code)) {
    throw new P2pError({ code: 'P2P_FRAME', reason: 'form' }, 'a reply has no form that is known');
  }
  const sentence = textOf(message.subarray(2 + codeLength, 2 + codeLength + MAX_SENTENCE_BYTES));
  return { kind: 'refused', code, sentence: printable(sentence) };
}

/** A message beyond its bound. */
export function tooLong(
  what: 'request' | 'reply',
  lengthBytes: number,
  maxBytes: number,
): P2pError {
  return new P2pError(
    { code: 'P2P_TOO_LONG', what, lengthBytes, maxBytes },
    `a ${what} has ${lengthBytes} bytes; at most ${maxBytes} are allowed`,
  );
}

/** The start of a text in so many bytes of UTF-8, no character cut. */
function cutText(text: string, maxBytes: number): Uint8Array {
  const bytes = new Uint8Array(maxBytes);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return bytes.subarray(0, written);
}

/** What is not UTF-8 becomes a mark: a refusal is a refusal all the same. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Without what moves a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}
