import { type Clock, LruCache, type Root, type Sequence } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';

/** Somebody who said that it holds its part of a file. */
interface Holder {
  readonly peer: string;
  readonly shard: ShardConfig;
  readonly saidAtMs: number;
}

interface Holders {
  readonly root: Root;
  /** Who said so last, at most `MAX_PEERS`; each once. */
  readonly said: readonly Holder[];
}

/** What is asked about is two holders; more may be of other shards. */
const MAX_PEERS = 16;
/** Entries that are remembered: those of the last minutes. */
const MAX_ENTRIES = 4096;
/** What was said longer ago says nothing: its holders may have lost it. */
const FRESH_MS = 60_000;

/** Who said lately that it holds what of which file. */
export class FileHolders {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #entries = new LruCache<Sequence, Holders>({ maxWeight: MAX_ENTRIES });

  constructor(deps: { readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#clock = deps.clock;
  }

  /** A peer says that it holds what its shard owns of an entry. */
  note(
    peer: string,
    { sequence, root, shard }: Readonly<{ sequence: Sequence; root: Root; shard: ShardConfig }>,
  ): void {
    const held = this.#entries.get(sequence);
    const others = held?.root === root ? held.said.filter((one) => one.peer !== peer) : [];
    const said = [...others, { peer, shard, saidAtMs: this.#clock.monotonic() }];
    this.#entries.set(sequence, { root, said: said.slice(-MAX_PEERS) });
  }

  /** Peers that said in the last minute that they hold all that `shard` owns of an entry. */
  count(sequence: Sequence, root: Root, shard: ShardConfig): number {
    const held = this.#entries.get(sequence);
    if (held?.root !== root) return 0;
    const fromMs = this.#clock.monotonic() - FRESH_MS;
    return held.said.filter((one) => one.saidAtMs >= fromMs && covers(one.shard, shard)).length;
  }
}

/** Whether one shard owns all that another does. */
function covers(whole: ShardConfig, part: ShardConfig): boolean {
  return whole.count <= part.count && part.id % whole.count === whole.id;
}
