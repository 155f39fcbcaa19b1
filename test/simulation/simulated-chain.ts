import type { BlockMark, ChainEntry, ChainLog, ChainStep, Clock, Rng } from '@cairn/primitives';
import { ScriptedChain } from '../../storage-node/test/scripted-chain.ts';
import type { BankFile } from './file-bank.ts';

/** Time until a node sees a block, at most. */
const MAX_VIEW_MS = 800;

/** A file at its place in the log. */
export interface LoggedFile {
  readonly entry: ChainEntry;
  readonly file: BankFile;
}

/** A chain that is mined by the simulation, takes blocks back, and is seen by each node a bit later. */
export class SimulatedChain {
  readonly #chain = new ScriptedChain();
  /** Files of each block that stands, by its number. */
  readonly #blocks: LoggedFile[][] = [[]];

  get head(): BlockMark {
    return this.#chain.head;
  }

  /** All files in the log now, in order. */
  get files(): readonly LoggedFile[] {
    return this.#blocks.flat();
  }

  mine(files: readonly BankFile[]): readonly LoggedFile[] {
    const entries = this.#chain.mine(files.map(({ commitment }) => commitment));
    const logged = entries.map((entry, at) => ({ entry, file: files[at] as BankFile }));
    this.#blocks.push(logged);
    return logged;
  }

  /** Takes back the newest blocks, never the first. @returns the files that were in them */
  reorg(depth: number): readonly BankFile[] {
    const count = Math.min(depth, this.#blocks.length - 1);
    this.#chain.reorg(count);
    return this.#blocks
      .splice(this.#blocks.length - count, count)
      .flat()
      .map(({ file }) => file);
  }

  /** Whether an entry's block stands. */
  stands({ block }: ChainEntry): boolean {
    return (
      this.#blocks[block.number]?.some(({ entry }) => entry.block.hash === block.hash) ?? false
    );
  }

  /** The chain as one node sees it. */
  viewFor(clock: Clock, rng: Rng): ChainLog {
    const chain = this.#chain;
    async function* follow(
      known: readonly BlockMark[],
      options: { readonly signal: AbortSignal },
    ): AsyncGenerator<ChainStep, void, void> {
      for await (const step of chain.follow(known, options)) {
        await clock.sleep(rng.below(MAX_VIEW_MS), options.signal);
        yield step;
      }
    }
    return {
      chainId: chain.chainId,
      flow: chain.flow,
      follow,
      flowRootAt: (sequence) => chain.flowRootAt(sequence),
    };
  }
}
