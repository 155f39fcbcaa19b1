import { type FileCommitment, FlowTree, nobleHasher } from '@cairn/commitments';
import {
  type Address,
  abortable,
  type BlockMark,
  type ChainEntry,
  type ChainId,
  type ChainLog,
  type ChainStep,
  chainIdOf,
  parseAddress,
  sequenceOf,
  toHex,
} from '@cairn/primitives';

export const CHAIN_ID = chainIdOf(31337);
export const FLOW: Address = parseAddress(`0x${'f1'.repeat(20)}`);
const SUBMITTER = parseAddress(`0x${'5b'.repeat(20)}`);

interface Block {
  readonly mark: BlockMark;
  readonly entries: readonly ChainEntry[];
  readonly tree: FlowTree;
}

/** A chain whose blocks a test mines by hand. Several followers may read it. */
export class ScriptedChain implements ChainLog {
  readonly chainId: ChainId;
  readonly flow = FLOW;
  #blocks: Block[] = [];
  #salt = 0;
  #wake: () => void = () => undefined;
  #changed: Promise<void> = Promise.resolve();

  constructor(chainId: ChainId = CHAIN_ID) {
    this.chainId = chainId;
    this.#renew();
    this.mine([]);
  }

  get head(): BlockMark {
    const block = this.#blocks.at(-1);
    if (block === undefined) throw new Error('the chain has no block');
    return block.mark;
  }

  /** Mines a block with these files; gives their entries. */
  mine(
    files: readonly Pick<FileCommitment, 'nodes' | 'shape'>[],
    tags: Uint8Array = new Uint8Array(0),
  ): readonly ChainEntry[] {
    const previous = this.#blocks.at(-1);
    const tree =
      previous === undefined ? FlowTree.empty() : FlowTree.restore(previous.tree.snapshot());
    const number = this.#blocks.length;
    this.#salt += 1;
    const mark = { number, hash: toHex(hashOf(`block ${number} ${this.#salt}`)) };
    let sequence = this.#blocks.reduce((count, { entries }) => count + entries.length, 0);
    const entries = files.map(({ nodes, shape }): ChainEntry => {
      const { startSector } = tree.append(nodes);
      const entry: ChainEntry = {
        sequence: sequenceOf(sequence),
        startSector,
        paddedSectors: shape.paddedSectors,
        sizeBytes: shape.sizeBytes,
        submitter: SUBMITTER,
        tags,
        nodes,
        block: mark,
        transactionHash: toHex(hashOf(`tx ${sequence} ${this.#salt}`)),
      };
      sequence += 1;
      return entry;
    });
    this.#blocks.push({ mark, entries, tree });
    this.#notify();
    return entries;
  }

  /** Drops the newest `depth` blocks. */
  reorg(depth: number): void {
    this.#blocks.splice(this.#blocks.length - depth, depth);
    this.#notify();
  }

  async *follow(
    known: readonly BlockMark[],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<ChainStep> {
    const isHere = ({ number, hash }: BlockMark): boolean =>
      this.#blocks[number]?.mark.hash === hash;
    let done: BlockMark[] = [...known];
    for (;;) {
      signal.throwIfAborted();
      const changed = this.#changed;
      const last = done.at(-1);
      if (last !== undefined && !isHere(last)) {
        done = done.filter(isHere);
        yield { kind: 'rollback', to: done.at(-1) };
        continue;
      }
      const next = this.#blocks[(last?.number ?? -1) + 1];
      if (next === undefined) {
        await abortable(changed, signal);
        continue;
      }
      done.push(next.mark);
      yield { kind: 'advance', through: next.mark, entries: next.entries, head: this.head.number };
    }
  }

  async flowRootAt(sequence: number): Promise<Uint8Array | undefined> {
    const block = this.#blocks.find(({ entries }) =>
      entries.some((entry) => entry.sequence === sequence),
    );
    return block?.entries.at(-1)?.sequence === sequence ? block.tree.root() : undefined;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#renew();
    wake();
  }

  #renew(): void {
    this.#changed = new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function hashOf(text: string): Uint8Array {
  return nobleHasher.hashMany(new TextEncoder().encode(text), text.length);
}
