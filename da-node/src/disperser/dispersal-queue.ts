import type { Gauge, Root } from '@cairn/primitives';
import { DispersalError } from './errors.ts';

/** How much a disperser holds. */
export interface QueueLimits {
  /** Blobs that are on their way, at most. */
  readonly maxBlobs: number;
  /** Bytes of their payloads, at most. */
  readonly maxBytes: number;
}

/** What is measured of a queue. */
export interface QueueGauges {
  readonly queuedBlobs: Gauge;
  readonly queuedBytes: Gauge;
}

/** Counts blobs that are on their way: until they are final, and in the log if they are to be. */
export class DispersalQueue {
  readonly #limits: QueueLimits;
  readonly #gauges: QueueGauges;
  readonly #sizes = new Map<Root, number>();
  #bytes = 0;

  constructor(limits: QueueLimits, gauges: QueueGauges) {
    this.#limits = limits;
    this.#gauges = gauges;
  }

  has(id: Root): boolean {
    return this.#sizes.has(id);
  }

  /** Takes a blob up if there is room. @throws {DispersalError} DISPERSAL_QUEUE_FULL */
  enter(id: Root, sizeBytes: number): void {
    const { maxBlobs, maxBytes } = this.#limits;
    const blobs = this.#sizes.size;
    const bytes = this.#bytes;
    if (!this.has(id) && (blobs + 1 > maxBlobs || bytes + sizeBytes > maxBytes)) {
      throw new DispersalError(
        { code: 'DISPERSAL_QUEUE_FULL', blobs, bytes, maxBlobs, maxBytes },
        `${blobs} blobs of ${bytes} bytes wait, and at most ${maxBlobs} of ${maxBytes} may`,
      );
    }
    this.resume(id, sizeBytes);
  }

  /** Takes up one that was taken before, room or not. */
  resume(id: Root, sizeBytes: number): void {
    if (this.has(id)) return;
    this.#sizes.set(id, sizeBytes);
    this.#bytes += sizeBytes;
    this.#measure();
  }

  leave(id: Root): void {
    this.#bytes -= this.#sizes.get(id) ?? 0;
    this.#sizes.delete(id);
    this.#measure();
  }

  #measure(): void {
    this.#gauges.queuedBlobs.set(this.#sizes.size);
    this.#gauges.queuedBytes.set(this.#bytes);
  }
}
