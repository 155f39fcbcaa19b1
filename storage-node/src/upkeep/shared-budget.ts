/** What one chain takes of the budget that all chains share. */
export interface BudgetShare {
  /** For people. */
  readonly name: string;
  /** As of the last look. */
  readonly usedBytes: number;
  /** Whether its shard can be made smaller still. */
  readonly canHalve: boolean;
  /** Whether its shard is changing. */
  readonly isMoving: boolean;
}

/** Share of the budget from which on a shard is halved: `prune` of 0G nodes does the same. */
export const HALVE_AT = 0.9;

/**
 * What a node may take on its disk for all its chains together: the sum counts, whichever of them takes it.
 *
 * At nine tenths the chain that takes most gives up a half of its shard, and no second one before the room of the
 * first is back and counted: all of them would otherwise halve for the want of one.
 */
export class SharedBudget {
  readonly maxBytes: number;
  readonly #shares: BudgetShare[] = [];
  #halving: BudgetShare | undefined;

  /** @param maxBytes - 0 for no bound */
  constructor({ maxBytes }: { readonly maxBytes: number }) {
    this.maxBytes = maxBytes;
  }

  /** Counts a chain from now on. At most as many as there are chains. */
  add(share: BudgetShare): void {
    this.#shares.push(share);
  }

  /** What every chain takes, in the order they were added. */
  get shares(): readonly BudgetShare[] {
    return this.#shares;
  }

  /** Bytes of all chains, as of their last looks. */
  get usedBytes(): number {
    return this.#shares.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  }

  /** Whether there is a budget. */
  get isBounded(): boolean {
    return this.maxBytes > 0;
  }

  /** Whether all of the budget is taken: uploads are turned away then. */
  get isSpent(): boolean {
    return this.isBounded && this.usedBytes >= this.maxBytes;
  }

  /** What is taken of the budget and by whom, in a sentence. */
  get sentence(): string {
    const shares = this.#shares.map(({ name, usedBytes }) => `${name} takes ${usedBytes}`);
    const who = shares.length > 1 ? `: ${shares.join(', ')}` : '';
    return `all that storage.max_bytes allows this node to keep is taken, ${this.usedBytes} of ${this.maxBytes} bytes${who}`;
  }

  /**
   * Whether it falls to `share` to halve its shard now. If so, it falls to nobody else until `settled` of it.
   */
  claimsHalving(share: BudgetShare): boolean {
    if (!this.isBounded || this.usedBytes < HALVE_AT * this.maxBytes) return false;
    if (this.#halving !== undefined && this.#halving !== share) return false;
    if (this.#shares.some((other) => other !== share && other.isMoving)) return false;
    const able = this.#shares.filter(({ canHalve }) => canHalve);
    const largest = able.reduce<BudgetShare | undefined>(
      (most, other) => (most === undefined || other.usedBytes > most.usedBytes ? other : most),
      undefined,
    );
    if (largest !== share) return false;
    this.#halving = share;
    return true;
  }

  /** The disk of `share` was looked at: a change of its shard that is over is counted. */
  settled(share: BudgetShare): void {
    if (this.#halving === share && !share.isMoving) this.#halving = undefined;
  }
}
