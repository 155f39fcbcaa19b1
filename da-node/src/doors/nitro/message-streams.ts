import { type Clock, concatBytes, type Rng, viewOf } from '@cairn/primitives';
import { messageTooLarge, NitroError } from './errors.ts';

/** What a message in parts was announced with. */
export interface StreamHead {
  /** Unix seconds at which it was announced. */
  readonly timestampSeconds: number;
  readonly parts: number;
  /** Bytes of each part but the last. */
  readonly partBytes: number;
  readonly totalBytes: number;
  /** Unix seconds until which the message is to be kept. */
  readonly untilSeconds: number;
}

/** A message that is whole. */
export interface CompleteMessage {
  readonly message: Uint8Array;
  readonly untilSeconds: number;
}

/** Bounds of messages that come in parts. */
export interface StreamBounds {
  readonly maxMessageBytes: number;
  /** Messages that are not whole, at most. */
  readonly maxPending: number;
  /** Bytes that they may have together. */
  readonly maxPendingBytes: number;
}

/** A message is forgotten when no part of it came for that long. Source: Nitro's own receiver. */
const IDLE_MS = 60_000;
/** Announcements may be that much older or newer than this clock says. Source: as above. */
const MAX_SKEW_SECONDS = 300;
/** Parts of a message at most. */
const MAX_PARTS = 4096;

interface PendingMessage extends StreamHead {
  readonly arrived: Map<number, Uint8Array>;
  touchedMs: number;
}

/** Messages that come in several calls, because one would be too long. In memory until they are whole. */
export class MessageStreams {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly #rng: Rng;
  readonly #bounds: StreamBounds;
  readonly #pending = new Map<bigint, PendingMessage>();

  constructor(
    { clock, rng }: { readonly clock: Pick<Clock, 'now' | 'monotonic'>; readonly rng: Rng },
    bounds: StreamBounds,
  ) {
    this.#clock = clock;
    this.#rng = rng;
    this.#bounds = bounds;
  }

  /** A number for a message to come. @throws {NitroError} NITRO_STREAM */
  start(head: StreamHead): bigint {
    this.#forgetIdle();
    const { timestampSeconds, parts, partBytes, totalBytes } = head;
    const { maxMessageBytes, maxPending, maxPendingBytes } = this.#bounds;
    const skew = Math.abs(this.#clock.now() / 1000 - timestampSeconds);
    if (skew > MAX_SKEW_SECONDS) {
      throw refusal(
        'time',
        `the request is ${Math.round(skew)} s old or early, ${MAX_SKEW_SECONDS} at most`,
      );
    }
    const isWhole = totalBytes > 0 && partBytes > 0 && parts === Math.ceil(totalBytes / partBytes);
    if (!isWhole || parts > MAX_PARTS) {
      throw refusal('parts', `${totalBytes} bytes are not ${parts} parts of ${partBytes}`);
    }
    if (totalBytes > maxMessageBytes) throw messageTooLarge(totalBytes, maxMessageBytes);
    let pendingBytes = totalBytes;
    for (const pending of this.#pending.values()) pendingBytes += pending.totalBytes;
    if (this.#pending.size >= maxPending || pendingBytes > maxPendingBytes) {
      throw refusal('pending', `${this.#pending.size} messages wait for their parts already`);
    }
    const id = this.#freeId();
    this.#pending.set(id, { ...head, arrived: new Map(), touchedMs: this.#clock.monotonic() });
    return id;
  }

  /** Takes a part; the same one may come again. @throws {NitroError} NITRO_STREAM */
  take(id: bigint, index: number, part: Uint8Array): void {
    const pending = this.#require(id);
    const { parts, partBytes, totalBytes, arrived } = pending;
    if (index >= parts)
      throw refusal('part', `the message has ${parts} parts, and no part ${index}`);
    const expected = index === parts - 1 ? totalBytes - index * partBytes : partBytes;
    if (part.length !== expected) {
      throw refusal('part', `part ${index} has ${expected} bytes, not ${part.length}`);
    }
    const held = arrived.get(index);
    if (held !== undefined && Buffer.compare(held, part) !== 0) {
      this.#pending.delete(id);
      throw refusal('part', `part ${index} came twice, and different`);
    }
    arrived.set(index, part);
    pending.touchedMs = this.#clock.monotonic();
  }

  /** Gives a message out, once. @throws {NitroError} NITRO_STREAM unless all parts are there */
  finish(id: bigint): CompleteMessage {
    const { parts, arrived, untilSeconds } = this.#require(id);
    this.#pending.delete(id);
    if (arrived.size !== parts) {
      throw refusal('parts', `${arrived.size} of ${parts} parts are there`);
    }
    const inOrder = [...arrived].sort(([a], [b]) => a - b).map(([, part]) => part);
    return { message: concatBytes(...inOrder), untilSeconds };
  }

  #require(id: bigint): PendingMessage {
    this.#forgetIdle();
    const pending = this.#pending.get(id);
    if (pending !== undefined) return pending;
    throw refusal('message', `no message ${id} waits for its parts`);
  }

  #forgetIdle(): void {
    const since = this.#clock.monotonic() - IDLE_MS;
    for (const [id, { touchedMs }] of this.#pending) {
      if (touchedMs < since) this.#pending.delete(id);
    }
  }

  #freeId(): bigint {
    for (;;) {
      const id = viewOf(this.#rng.fill(new Uint8Array(8))).getBigUint64(0);
      if (id !== 0n && !this.#pending.has(id)) return id;
    }
  }
}

function refusal(what: string, sentence: string): NitroError {
  return new NitroError({ code: 'NITRO_STREAM', what }, sentence);
}
