import { FlowTree } from '@cairn/commitments';
import {
  type BlockMark,
  type ChainEntry,
  type ChainLog,
  type ChainStep,
  keccak256,
  parseAddress,
  type Sequence,
  sequenceOf,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { CHAIN, type TestFile } from './files.ts';

interface Block extends BlockMark {
  readonly files: readonly TestFile[];
}

/** A chain with the log contract's rules and nothing else, in memory. */
export class TestChain implements ChainLog {
  readonly chainId = CHAIN.chainId;
  readonly flow = CHAIN.flow;
  blocks: Block[] = [];
  /** Set to make `flowRootAt` lie. */
  flowRootOverride: Uint8Array | undefined;
  readonly #blocksPerStep: number;
  #forks = 0;
  #wake: (() => void)[] = [];

  constructor(blocksPerStep = Number.POSITIVE_INFINITY) {
    this.#blocksPerStep = blocksPerStep;
  }

  /** Adds a block that holds submissions of these files, in order. */
  mine(...files: readonly TestFile[]): void {
    const number = this.blocks.length;
    const hash = toHex(
      keccak256(utf8Bytes(`${this.#forks}/${number}/${files.map((f) => f.root)}`)),
    );
    this.blocks.push({ number, hash, files });
    this.#changed();
  }

  /** Takes `depth` blocks back and gives their files. */
  takeBack(depth: number): TestFile[] {
    this.#forks += 1;
    return this.blocks.splice(Math.max(0, this.blocks.length - depth)).flatMap((b) => b.files);
  }

  /** All entries on the chain now. */
  entries(): ChainEntry[] {
    return this.#replay().entries;
  }

  #replay(): { entries: ChainEntry[]; roots: Uint8Array[] } {
    const tree = FlowTree.empty();
    const entries: ChainEntry[] = [];
    const roots: Uint8Array[] = [];
    for (const { number, hash, files } of this.blocks) {
      for (const { bytes, commitment } of files) {
        const { startSector, sectors } = tree.append(commitment.nodes);
        entries.push({
          sequence: sequenceOf(entries.length),
          startSector,
          paddedSectors: sectors,
          sizeBytes: bytes.length,
          submitter: parseAddress(`0x${'ab'.repeat(20)}`),
          tags: Uint8Array.of(entries.length & 255),
          nodes: commitment.nodes,
          block: { number, hash },
          transactionHash: toHex(keccak256(utf8Bytes(`${hash}/${entries.length}`))),
        });
        roots.push(tree.root());
      }
    }
    return { entries, roots };
  }

  async *follow(
    known: readonly BlockMark[],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncIterable<ChainStep> {
    const marks = [...known];
    for (;;) {
      signal.throwIfAborted();
      let gone = false;
      while (
        marks.length > 0 &&
        this.blocks[marks.at(-1)?.number ?? -1]?.hash !== marks.at(-1)?.hash
      ) {
        marks.pop();
        gone = true;
      }
      const last = marks.at(-1);
      if (gone) {
        yield { kind: 'rollback', to: last };
        continue;
      }
      const from = (last?.number ?? -1) + 1;
      const blocks = this.blocks.slice(from, from + this.#blocksPerStep);
      const through = blocks.at(-1);
      if (through === undefined) {
        await this.#change(signal);
        continue;
      }
      const mark = { number: through.number, hash: through.hash };
      const entries = this.entries().filter(
        ({ block }) => block.number >= from && block.number <= mark.number,
      );
      marks.push(mark);
      yield { kind: 'advance', through: mark, entries, head: this.blocks.length - 1 };
    }
  }

  async flowRootAt(sequence: Sequence): Promise<Uint8Array | undefined> {
    return this.flowRootOverride ?? this.#replay().roots[sequence];
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
}
