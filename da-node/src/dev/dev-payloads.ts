import type { Root } from '@cairn/primitives';
import type { PayloadStore } from '../disperser/ports.ts';

/** How much is kept, and who is told when something is not any more. */
export interface DevPayloadsOptions {
  /** Of all payloads, at least what the disperser's queue may have. */
  readonly maxBytes: number;
  /** Payloads, likewise. */
  readonly maxBlobs: number;
  /** Forgets what else is known of a blob. */
  readonly onDrop: (id: Root) => Promise<void>;
}

/**
 * Payloads in memory. One whose blob is final stays to be read until others need its room, and is then
 * forgotten with all that is known of it; those that are not final are bounded by the disperser's queue.
 */
export class DevPayloads implements PayloadStore {
  readonly #options: DevPayloadsOptions;
  readonly #payloads = new Map<Root, Uint8Array>();
  /** Those that may go, in the order in which they became final. */
  readonly #final = new Set<Root>();
  #bytes = 0;

  constructor(options: DevPayloadsOptions) {
    this.#options = options;
  }

  async put(id: Root, payload: Uint8Array): Promise<void> {
    this.#drop(id);
    this.#payloads.set(id, payload);
    this.#bytes += payload.length;
    const { maxBytes, maxBlobs, onDrop } = this.#options;
    for (const oldest of this.#final) {
      if (this.#bytes <= maxBytes && this.#payloads.size <= maxBlobs) break;
      this.#drop(oldest);
      await onDrop(oldest);
    }
  }

  async get(id: Root): Promise<Uint8Array | undefined> {
    return this.#payloads.get(id);
  }

  async delete(id: Root): Promise<void> {
    if (this.#payloads.has(id)) this.#final.add(id);
  }

  async retainOnly(isWanted: (id: Root) => Promise<boolean>): Promise<void> {
    for (const id of [...this.#payloads.keys()]) if (!(await isWanted(id))) this.#drop(id);
  }

  #drop(id: Root): void {
    this.#bytes -= this.#payloads.get(id)?.length ?? 0;
    this.#payloads.delete(id);
    this.#final.delete(id);
  }
}
