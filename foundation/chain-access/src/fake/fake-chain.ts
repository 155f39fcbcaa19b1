import { FlowTree } from '@cairn/commitments';
import {
  type Address,
  abortable,
  type BlockMark,
  bigEndianBytes,
  type ChainEntry,
  type ChainId,
  type ChainLog,
  type ChainStep,
  chainIdOf,
  concatBytes,
  type Hex,
  keccak256,
  MAX_BLOCK_MARKS,
  parseAddress,
  type Rng,
  type SubmissionNode,
  seededRng,
  sequenceOf,
  toHex,
} from '@cairn/primitives';

/** What a simulation submits. */
export interface FakeSubmission {
  readonly sizeBytes: number;
  readonly nodes: readonly SubmissionNode[];
  /** None unless told. */
  readonly tags?: Uint8Array;
  /** The address 0x…01 unless told. */
  readonly submitter?: Address;
}

/** How a simulated chain is set up. */
export interface FakeChainOptions {
  /** Decides hashes and the order in which a reorganisation repeats transactions. */
  readonly seed: number;
  /** 31,337 unless told. */
  readonly chainId?: number;
  /** Blocks that must follow one before followers see it; 0 unless told. */
  readonly confirmations?: number;
}

interface Block {
  readonly mark: BlockMark;
  readonly submissions: readonly FakeSubmission[];
  readonly entries: readonly ChainEntry[];
  /** The flow right after the block. */
  readonly tree: Uint8Array;
  /** Flow roots right after each of the block's entries. */
  readonly roots: readonly Uint8Array[];
  readonly nextSequence: number;
}

/**
 * A chain in memory for simulations: real positions and flow roots, blocks and reorganisations on
 * command, the same hashes for the same seed. Waits only for commands, never for time.
 */
export class FakeChain implements ChainLog {
  readonly chainId: ChainId;
  readonly flow: Address = parseAddress(`0x${'f1'.repeat(20)}`);
  readonly #rng: Rng;
  readonly #seed: number;
  readonly #confirmations: number;
  #blocks: Block[];
  #pending: FakeSubmission[] = [];
  #hashes = 0;
  #stalled = false;
  #changed: { readonly promise: Promise<void>; readonly resolve: () => void } = deferred();

  constructor({ seed, chainId = 31_337, confirmations = 0 }: FakeChainOptions) {
    this.#seed = seed;
    this.#rng = seededRng(seed);
    this.#confirmations = confirmations;
    this.chainId = chainIdOf(chainId);
    const genesis: Block = {
      mark: { number: 0, hash: this.#nextHash() },
      submissions: [],
      entries: [],
      tree: FlowTree.empty().snapshot(),
      roots: [],
      nextSequence: 0,
    };
    this.#blocks = [genesis];
  }

  /** The newest block. */
  get head(): BlockMark {
    return this.#tip().mark;
  }

  /** Every entry on the chain now, in order, confirmed or not. */
  entries(): readonly ChainEntry[] {
    return this.#blocks.flatMap(({ entries }) => entries);
  }

  /** Puts a submission into the next block that is mined. */
  submit(submission: FakeSubmission): void {
    this.#pending.push(submission);
  }

  /** Mines `blocks`; the first takes everything pending. */
  mine(blocks = 1): void {
    for (let index = 0; index < blocks; index += 1) {
      this.#append(this.#pending);
      this.#pending = [];
    }
    this.#announce();
  }

  /**
   * Replaces the newest `depth` blocks by `depth + 1` others.
   *
   * @param keep - whether their submissions happen again, in another order and spread over the new
   * blocks; otherwise they are lost
   * @throws {RangeError} if the first block would go too
   */
  reorg(depth: number, keep = true): void {
    if (!Number.isSafeInteger(depth) || depth < 1 || depth >= this.#blocks.length) {
      throw new RangeError(`${depth} of ${this.#blocks.length - 1} blocks cannot be replaced`);
    }
    const removed = this.#blocks.splice(this.#blocks.length - depth, depth);
    const again = keep ? this.#shuffle(removed.flatMap(({ submissions }) => submissions)) : [];
    for (let index = 0; index <= depth; index += 1) {
      const count = index === depth ? again.length : this.#rng.below(again.length + 1);
      this.#append(again.splice(0, count));
    }
    this.#announce();
  }

  /** From now on followers and readers get nothing, as from an endpoint that is down. */
  stall(): void {
    this.#stalled = true;
  }

  /** Followers and readers get answers again. */
  resume(): void {
    this.#stalled = false;
    this.#announce();
  }

  async *follow(
    known: readonly BlockMark[],
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<ChainStep, void, void> {
    let marks = known.slice(-MAX_BLOCK_MARKS);
    for (;;) {
      signal.throwIfAborted();
      const { promise } = this.#changed;
      const step = this.#stalled ? undefined : this.#nextStep(marks);
      if (step === undefined) {
        await abortable(promise, signal);
      } else {
        const { to } = step.kind === 'rollback' ? step : { to: undefined };
        marks =
          step.kind === 'advance'
            ? [...marks, step.through].slice(-MAX_BLOCK_MARKS)
            : marks.filter(({ number }) => to !== undefined && number <= to.number);
        yield step;
      }
    }
  }

  async flowRootAt(
    sequence: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Uint8Array | undefined> {
    while (this.#stalled) await abortable(this.#changed.promise, signal);
    for (const { entries, roots } of this.#blocks) {
      const index = entries.findIndex((entry) => entry.sequence === sequence);
      if (index >= 0) return roots[index]?.slice();
    }
    return undefined;
  }

  #nextStep(marks: readonly BlockMark[]): ChainStep | undefined {
    const newest = marks.at(-1);
    if (newest !== undefined && !this.#holds(newest)) {
      return { kind: 'rollback', to: marks.findLast((mark) => this.#holds(mark)) };
    }
    const next = newest === undefined ? 0 : newest.number + 1;
    const block = this.#blocks[next];
    if (block === undefined || next > this.head.number - this.#confirmations) return undefined;
    return {
      kind: 'advance',
      through: block.mark,
      entries: block.entries,
      head: this.head.number,
    };
  }

  #holds({ number, hash }: BlockMark): boolean {
    return this.#blocks[number]?.mark.hash === hash;
  }

  #append(submissions: readonly FakeSubmission[]): void {
    const parent = this.#tip();
    const tree = FlowTree.restore(parent.tree);
    const mark = { number: parent.mark.number + 1, hash: this.#nextHash() };
    const roots: Uint8Array[] = [];
    const entries = submissions.map((submission, index): ChainEntry => {
      const { startSector, sectors } = tree.append(submission.nodes);
      roots.push(tree.root());
      return {
        sequence: sequenceOf(parent.nextSequence + index),
        startSector,
        paddedSectors: sectors,
        sizeBytes: submission.sizeBytes,
        submitter: submission.submitter ?? parseAddress(`0x${'00'.repeat(19)}01`),
        tags: submission.tags ?? new Uint8Array(),
        nodes: submission.nodes,
        block: mark,
        transactionHash: this.#nextHash(),
      };
    });
    this.#blocks.push({
      mark,
      submissions: [...submissions],
      entries,
      tree: tree.snapshot(),
      roots,
      nextSequence: parent.nextSequence + entries.length,
    });
  }

  #tip(): Block {
    const tip = this.#blocks.at(-1);
    if (tip === undefined) throw new Error('a chain has at least its first block');
    return tip;
  }

  #shuffle(submissions: readonly FakeSubmission[]): FakeSubmission[] {
    const rest = [...submissions];
    const order: FakeSubmission[] = [];
    while (rest.length > 0) order.push(...rest.splice(this.#rng.below(rest.length), 1));
    return order;
  }

  #nextHash(): Hex {
    this.#hashes += 1;
    const words = [this.#seed >>> 0, this.#hashes].map((word) => bigEndianBytes(word, 8));
    return toHex(keccak256(concatBytes(...words)));
  }

  #announce(): void {
    const { resolve } = this.#changed;
    this.#changed = deferred();
    resolve();
  }
}

/** A simulated chain with nothing but its first block. */
export function createFakeChain(options: FakeChainOptions): FakeChain {
  return new FakeChain(options);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
