import type { BlobRecord } from './blob-record.ts';
import { type EncodedBlob, type EncoderDeps, encodeBlob } from './encode-blob.ts';

/**
 * A blob's rows in memory while a delivery uses them, and the members that are still to take theirs
 * when a quorum has.
 */
export class HeldRows {
  readonly #encoder: EncoderDeps;
  #encoded: EncodedBlob | undefined;
  /** Members that hold their slices once the delivery under way is over. */
  #laggards: Promise<readonly number[]> = Promise.resolve([]);

  constructor(encoder: EncoderDeps) {
    this.#encoder = encoder;
  }

  /** The rows; made again where they were given up. @throws as `encodeBlob` */
  async encode(record: BlobRecord, signal: AbortSignal): Promise<EncodedBlob> {
    await this.#laggards; // of an earlier delivery, whose rows these are
    this.#encoded ??= await encodeBlob(record, this.#encoder, { signal });
    return this.#encoded;
  }

  /** Lends the rows to a delivery until `all` of its members have answered. */
  lend(all: Promise<readonly number[]>): void {
    this.#laggards = all.then(
      (holders) => {
        this.#release();
        return holders;
      },
      () => [], // the journey ends, and releases them
    );
  }

  /** Waits for the delivery under way; members that hold their slices then. */
  returned(): Promise<readonly number[]> {
    return this.#laggards;
  }

  /** The same, told once: later askers hear of nobody. */
  async takeReturned(): Promise<readonly number[]> {
    const holders = await this.#laggards;
    this.#laggards = Promise.resolve([]);
    return holders;
  }

  async end(): Promise<void> {
    await this.#laggards;
    this.#release();
  }

  #release(): void {
    this.#encoded?.release();
    this.#encoded = undefined;
  }
}
