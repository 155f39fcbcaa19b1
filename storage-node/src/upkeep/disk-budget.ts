import type { FlatFileStore } from '@cairn/node-runtime/files';
import type { Logger, Rng } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import type { ReopeningFileStore } from '../reopening-file-store.ts';
import type { ShardKeeper } from './shard-keeper.ts';
import type { BudgetShare, SharedBudget } from './shared-budget.ts';

/** What a budget is kept with. */
export interface DiskBudgetDeps {
  /** Of this chain, for people. */
  readonly name: string;
  /** The budget of all chains of the node. */
  readonly shared: SharedBudget;
  readonly files: ReopeningFileStore<FlatFileStore>;
  /** Bytes of the index on the disk. */
  readonly indexBytes: () => Promise<number>;
  /** Bytes of sealed copies on the disk. */
  readonly sealedBytes: () => Promise<number>;
  readonly keeper: Pick<ShardKeeper, 'current' | 'move'>;
  readonly rng: Rng;
  readonly logger: Logger;
}

/** A budget that asks for smaller shards than this is a mistake: the index alone may fill it. */
const MAX_COUNT = 4096;

/** What a chain takes on the disk, of what the node may take for all its chains. */
export class DiskBudget implements BudgetShare {
  readonly name: string;
  readonly #deps: DiskBudgetDeps;
  #usedBytes = 0;
  #isTold = false;

  constructor(deps: DiskBudgetDeps) {
    this.#deps = deps;
    this.name = deps.name;
    deps.shared.add(this);
  }

  /** Bytes on the disk as of the last look: segment files and sealed copies, as blocks taken, and the index. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get canHalve(): boolean {
    return this.#deps.keeper.current.count < MAX_COUNT;
  }

  get isMoving(): boolean {
    return this.#deps.keeper.move !== undefined;
  }

  /** Whether there is a budget. */
  get isBounded(): boolean {
    return this.#deps.shared.isBounded;
  }

  /** Looks at the disk: one question to the file system for each gibibyte of the flow. */
  async look(): Promise<void> {
    const { files, indexBytes, sealedBytes, shared } = this.#deps;
    let bytes = (await indexBytes()) + (await sealedBytes());
    for (const file of files.store.fileNumbers()) bytes += await files.store.occupiedBytes(file);
    this.#usedBytes = bytes;
    shared.settled(this);
  }

  /**
   * The shard to keep instead of the present one if nine tenths of the budget are taken, and most by this chain:
   * one of its halves. Which one is decided by chance, for each node by itself: a rule would have all nodes that
   * hold the same give up the same, and the network would lose it.
   */
  halfOfShard(): ShardConfig | undefined {
    const { shared, keeper, rng } = this.#deps;
    if (shared.claimsHalving(this)) {
      const { id, count } = keeper.current;
      return { id: id + rng.below(2) * count, count: count * 2 };
    }
    if (shared.isSpent && shared.shares.every(({ canHalve }) => !canHalve)) this.#tell();
    return undefined;
  }

  #tell(): void {
    const { shared, keeper, logger } = this.#deps;
    const { usedBytes, maxBytes } = shared;
    const facts = { usedBytes, maxBytes, count: keeper.current.count };
    if (!this.#isTold) logger.error(facts, 'the budget is too small for any shard');
    this.#isTold = true;
  }
}
