import { type BlockMark, MAX_BLOCK_MARKS } from '@cairn/primitives';
import type { CallOptions, ChainClient } from '../client/chain-client.ts';
import { ChainMoved } from './errors.ts';

/** A mark and what is known about the log right after it. */
interface FollowedMark {
  readonly mark: BlockMark;
  /** The sequence that the next entry must have; `undefined` for marks from before a restart. */
  readonly nextSequence: number | undefined;
}

/** The newest blocks that were handed on, oldest first; at most 256. */
export class Marks {
  #marks: FollowedMark[];
  /** Whether the oldest mark is the first that was ever handed on. */
  #complete: boolean;

  /** @param known - oldest first; only the newest 256 are kept */
  constructor(known: readonly BlockMark[]) {
    this.#complete = known.length === 0;
    this.#marks = known.slice(-MAX_BLOCK_MARKS).map((mark) => ({ mark, nextSequence: undefined }));
  }

  get newest(): FollowedMark | undefined {
    return this.#marks.at(-1);
  }

  /** The newest mark at or below `number`. */
  newestUpTo(number: number): FollowedMark | undefined {
    return this.#marks.findLast(({ mark }) => mark.number <= number);
  }

  /**
   * The runs of blocks that were handed on, newest first: after one mark, through the next. The
   * very first run comes after nothing, if it is remembered.
   */
  *runs(): Generator<
    { readonly after: BlockMark | undefined; readonly through: BlockMark },
    void,
    void
  > {
    for (let index = this.#marks.length - 1; index >= (this.#complete ? 0 : 1); index -= 1) {
      const through = this.#marks[index];
      if (through !== undefined) {
        yield { after: this.#marks[index - 1]?.mark, through: through.mark };
      }
    }
  }

  push(followed: FollowedMark): void {
    this.#marks.push(followed);
    if (this.#marks.length <= MAX_BLOCK_MARKS) return;
    this.#marks.shift();
    this.#complete = false;
  }

  /** Forgets every mark above `to`; all of them if it is `undefined`. */
  dropAbove(to: BlockMark | undefined): void {
    this.#marks = this.#marks.filter(({ mark }) => to !== undefined && mark.number <= to.number);
    if (this.#marks.length === 0) this.#complete = true;
  }

  /**
   * The newest mark that is on the chain: what a reorganisation left standing.
   *
   * A block is on the chain only if its ancestors are, so halving finds it in 8 calls.
   *
   * @param head - height of the chain; marks above it are gone
   * @throws {ChainMoved} if the endpoint does not know a block below its head: that is no reason to
   * give up what was followed
   */
  async findCommon(
    client: Pick<ChainClient, 'getBlock'>,
    head: number,
    options: CallOptions,
  ): Promise<BlockMark | undefined> {
    let standing = 0; // marks known to stand
    let unknown = this.#marks.filter(({ mark }) => mark.number <= head).length;
    while (standing < unknown) {
      const middle = Math.floor((standing + unknown) / 2);
      const { mark } = this.#marks[middle] ?? {};
      if (mark === undefined) break;
      const block = await client.getBlock(mark.number, options);
      if (block === undefined) throw new ChainMoved(`block ${mark.number} is not known`);
      if (block.hash === mark.hash) standing = middle + 1;
      else unknown = middle;
    }
    return this.#marks[standing - 1]?.mark;
  }
}
