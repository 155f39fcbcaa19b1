import type { Root } from '@cairn/primitives';
import type { PayloadStore } from '../disperser/ports.ts';

/**
 * Payloads in memory. One whose blob is final stays to be read until others need its room; those that
 * are not final are bounded by the disperser's queue.
 */
export class DevPayloads implements PayloadStore {
  readonly #maxBytes: number;
  readonly #payloads = new Map<Root, Uint8Array>();
  /** Those that may go, in the order in which they became final. */
  readonly #final = new Set<Root>();
  #bytes = 0;

  /** @param maxBytes - of all payloads, at least what the disperser's queue may have */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  async put(id: Root, payload: Uint8Array): Promise<void> {
    this.#drop(id);
    this.#payloads.set(id, payload);
    this.#bytes += payload.length;
    for (const oldest of this.#final) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
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
