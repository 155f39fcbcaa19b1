import type { FlatFileStore } from '@cairn/node-runtime/files';
import type { Logger, Rng } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { ReopeningFileStore } from '../reopening-file-store.ts';

/** What a budget is kept with. */
export interface DiskBudgetDeps {
  readonly files: ReopeningFileStore<FlatFileStore>;
  /** Bytes of the index on the disk. */
  readonly indexBytes: () => Promise<number>;
  /** Bytes of sealed copies on the disk. */
  readonly sealedBytes: () => Promise<number>;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** Share of the budget from which on the shard is halved: `prune` of 0G nodes does the same. */
export const HALVE_AT = 0.9;
/** A budget that asks for smaller shards than this is a mistake: the index alone may fill it. */
const MAX_COUNT = 4096;

/** What a node may take on its disk, and what it takes. */
export class DiskBudget {
  readonly #deps: DiskBudgetDeps;
  readonly #maxBytes: number;
  #usedBytes = 0;
  #isTold = false;

  /** @param maxBytes - 0 for no bound */
  constructor(deps: DiskBudgetDeps, { maxBytes }: { readonly maxBytes: number }) {
    this.#deps = deps;
    this.#maxBytes = maxBytes;
  }

  /** Bytes on the disk as of the last look: segment files and sealed copies, as blocks taken, and the index. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether there is a budget. */
  get isBounded(): boolean {
    return this.#maxBytes > 0;
  }

  /** Whether all of the budget is taken: uploads are turned away then. */
  get isSpent(): boolean {
    return this.#maxBytes > 0 && this.#usedBytes >= this.#maxBytes;
  }

  /** Looks at the disk: one question to the file system for each gibibyte of the flow. */
  async look(): Promise<void> {
    const { files, indexBytes, sealedBytes } = this.#deps;
    let bytes = (await indexBytes()) + (await sealedBytes());
    for (const file of files.store.fileNumbers()) bytes += await files.store.occupiedBytes(file);
    this.#usedBytes = bytes;
  }

  /**
   * The shard to keep instead of `shard` if nine tenths of the budget are taken: one of its halves.
   * Which one is decided by chance, for each node by itself: a rule would have all nodes that hold
   * the same give up the same, and the network would lose it.
   */
  halfFor({ id, count }: ShardConfig): ShardConfig | undefined {
    if (this.#maxBytes === 0 || this.#usedBytes < HALVE_AT * this.#maxBytes) return undefined;
    if (count >= MAX_COUNT) {
      const facts = { usedBytes: this.#usedBytes, maxBytes: this.#maxBytes, count };
      if (!this.#isTold) this.#deps.logger.error(facts, 'the budget is too small for any shard');
      this.#isTold = true;
      return undefined;
    }
    return { id: id + this.#deps.rng.below(2) * count, count: count * 2 };
  }
}
