import { toHex } from '@cairn/primitives';
import type { ConfirmedLeaf, DaChainFacts } from '../../src/doors/chain-facts.ts';
import type { MemoryChain } from './memory-chain.ts';

/** What doors ask a chain, answered from what a `MemoryChain` confirms from now on. */
export class MemoryFacts implements DaChainFacts {
  readonly #chain: MemoryChain;
  readonly #batches = new Map<
    string,
    Omit<ConfirmedLeaf, 'isVoid'> & { voids: readonly number[] }
  >();
  /** Whether the newest final block is one from before anything was confirmed. */
  isFinalBehind = false;

  constructor(chain: MemoryChain) {
    this.#chain = chain;
    const confirm = chain.confirm.bind(chain);
    chain.confirm = async (batch, options) => {
      const outcome = await confirm(batch, options);
      if (outcome.kind !== 'confirmed') return outcome;
      const { epoch, orders, committee } = batch;
      const place = { epoch, quorumId: committee.snapshot.quorumId, count: orders.length };
      this.#batches.set(toHex(batch.root), { ...place, voids: outcome.voidLeaves });
      return outcome;
    };
  }

  async leaf(
    { root, leafIndex }: { readonly root: Uint8Array; readonly leafIndex: number },
    at: 'newest' | 'final',
  ): Promise<ConfirmedLeaf | undefined> {
    const found = this.#batches.get(toHex(root));
    if (found === undefined || (at === 'final' && this.isFinalBehind)) return undefined;
    const { voids, ...place } = found;
    return { ...place, isVoid: voids.includes(leafIndex) };
  }

  async finalSeconds(): Promise<number> {
    return this.#chain.nowSeconds;
  }

  async finalEpoch(): Promise<number> {
    return this.#chain.epoch;
  }

  /** Blocks of this chain have their times for numbers. */
  async secondsOf(block: number): Promise<number | undefined> {
    return block <= this.#chain.nowSeconds ? block : undefined;
  }

  /** Forgets a batch, as a reorg does. */
  forget(root: Uint8Array): void {
    this.#batches.delete(toHex(root));
  }
}
