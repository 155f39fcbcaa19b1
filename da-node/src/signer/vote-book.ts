import {
  bigEndianBytes,
  concatBytes,
  type KeyValueStore,
  type Root,
  rootBytes,
  rootOf,
  viewOf,
} from '@cairn/primitives';
import { type BatchVote, encodeBatchVote, parseBatchVote } from '@cairn/wire-protocol/da';

/** How many votes are kept. */
export interface VoteBookOptions {
  /** The oldest go first; 65,536 unless told. */
  readonly maxVotes?: number;
}

const MAX_VOTES_KEPT = 65_536;
const UNTIL_BYTES = 8;

/**
 * Votes that were given, for anyone who aggregates: until their epoch's batches can no longer be
 * confirmed. One that is lost in a crash is given again when it is asked for.
 */
export class VoteBook {
  readonly #store: KeyValueStore;
  readonly #maxVotes: number;
  /** Unix seconds until when a vote is kept, by root, oldest first. */
  readonly #until: Map<Root, number>;

  private constructor(store: KeyValueStore, until: Map<Root, number>, maxVotes: number) {
    this.#store = store;
    this.#until = until;
    this.#maxVotes = maxVotes;
  }

  /** Lists what `store` holds; nothing else is in it. @throws what the store throws */
  static async open(
    store: KeyValueStore,
    { signal }: { readonly signal: AbortSignal },
    { maxVotes = MAX_VOTES_KEPT }: VoteBookOptions = {},
  ): Promise<VoteBook> {
    const found: [Root, number][] = [];
    for await (const [key, value] of store.entries({}, { signal })) {
      found.push([rootOf(key), Number(viewOf(value).getBigUint64(0))]);
    }
    found.sort(([, left], [, right]) => left - right);
    return new VoteBook(store, new Map(found), maxVotes);
  }

  /** Votes kept. */
  get size(): number {
    return this.#until.size;
  }

  /** The vote for the batch with this root. @throws what the store throws */
  async get(root: Root): Promise<BatchVote | undefined> {
    const value = this.#until.has(root) ? await this.#store.get(rootBytes(root)) : undefined;
    return value === undefined ? undefined : parseBatchVote(value.subarray(UNTIL_BYTES));
  }

  /** Keeps a vote, in place of the oldest where there are too many. @throws what the store throws */
  async put(vote: BatchVote, untilSeconds: number): Promise<void> {
    const root = rootOf(vote.root);
    const value = concatBytes(bigEndianBytes(untilSeconds, UNTIL_BYTES), encodeBatchVote(vote));
    await this.#store.write([{ type: 'put', key: vote.root, value }]);
    this.#until.delete(root);
    this.#until.set(root, untilSeconds);
    const [oldest] = this.#until.keys();
    if (this.#until.size > this.#maxVotes && oldest !== undefined) await this.#drop([oldest]);
  }

  /** Drops votes whose time is over. @throws what the store throws */
  async prune(nowSeconds: number): Promise<void> {
    const over = [...this.#until].filter(([, until]) => until < nowSeconds).map(([root]) => root);
    if (over.length > 0) await this.#drop(over);
  }

  async #drop(roots: readonly Root[]): Promise<void> {
    for (const root of roots) this.#until.delete(root);
    await this.#store.write(roots.map((root) => ({ type: 'delete', key: rootBytes(root) })));
  }
}
