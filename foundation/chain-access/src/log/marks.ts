import { type BlockMark, MAX_BLOCK_MARKS } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';

/** A mark and what is known about the log right after it. */
export interface FollowedMark {
  readonly mark: BlockMark;
  /** The sequence that the next entry must have; `undefined` for marks from before a restart. */
  readonly nextSequence: number | undefined;
}

/** The newest blocks that were handed on, oldest first; at most 256. */
export class Marks {
  #marks: FollowedMark[];

  /** @param known - oldest first; only the newest 256 are kept */
  constructor(known: readonly BlockMark[]) {
    this.#marks = known.slice(-MAX_BLOCK_MARKS).map((mark) => ({ mark, nextSequence: undefined }));
  }

  get newest(): FollowedMark | undefined {
    return this.#marks.at(-1);
  }

  /** The newest mark at or below `number`. */
  newestUpTo(number: number): FollowedMark | undefined {
    return this.#marks.findLast(({ mark }) => mark.number <= number);
  }

  /** Pairs of neighbours, newest first: the runs of blocks that were handed on. */
  *intervals(): Generator<{ readonly after: BlockMark; readonly through: BlockMark }, void, void> {
    for (let index = this.#marks.length - 1; index > 0; index -= 1) {
      const after = this.#marks[index - 1];
      const through = this.#marks[index];
      if (after !== undefined && through !== undefined) {
        yield { after: after.mark, through: through.mark };
      }
    }
  }

  push(followed: FollowedMark): void {
    this.#marks.push(followed);
    if (this.#marks.length > MAX_BLOCK_MARKS) this.#marks.shift();
  }

  /** Forgets every mark above `to`; all of them if it is `undefined`. */
  dropAbove(to: BlockMark | undefined): void {
    this.#marks = this.#marks.filter(({ mark }) => to !== undefined && mark.number <= to.number);
  }

  /**
   * The newest mark that is on the chain: what a reorganisation left standing.
   *
   * A block is on the chain only if its ancestors are, so halving finds it in 8 calls.
   */
  async findCommon(client: ChainClient, options: CallOptions): Promise<BlockMark | undefined> {
    let standing = 0; // marks known to stand
    let unknown = this.#marks.length;
    while (standing < unknown) {
      const middle = Math.floor((standing + unknown) / 2);
      const { mark } = this.#marks[middle] ?? {};
      if (mark === undefined) break;
      const block = await client.getBlock(mark.number, options);
      if (block?.hash === mark.hash) standing = middle + 1;
      else unknown = middle;
    }
    return this.#marks[standing - 1]?.mark;
  }
}
