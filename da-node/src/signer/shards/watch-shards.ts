import {
  type Checkpoint,
  checkpointHash,
  type Domain,
  encodeCheckpoint,
  STATEMENT_KINDS,
  slotOf,
} from '@cairn/attestation';
import {
  type Clock,
  describeError,
  equalBytes,
  forEachConcurrent,
  type Logger,
  toHex,
  withDeadline,
} from '@cairn/primitives';
import { MAX_OFFERED_CHECKPOINTS } from '@cairn/wire-protocol/da';
import type { ChainOptions } from '../ports.ts';
import type { ProtectionLog } from '../protection-log.ts';
import type { OrderedHead, ShardChains, WatchedShard } from './ports.ts';

/** What watching shards works with. */
export interface ShardWatchDeps {
  readonly chains: ShardChains;
  /** What orders checkpoints. */
  readonly orderingHub: Domain;
  readonly protection: Pick<ProtectionLog, 'leafOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How far a shard is, as this signer sees it. */
export interface ShardView {
  readonly version: string;
  readonly head: OrderedHead;
  /** Its newest checkpoint whose block is final. */
  readonly newest: number;
  /** What comes after the head, without gaps. */
  readonly upcoming: readonly Checkpoint[];
}

/** Checkpoints of a shard beyond the newest ordered one that are made ready; the hub knows as many behind it. */
export const MAX_AHEAD = 16;
/** Shards that are looked at at once, and the time that each has. */
const PARALLEL = 8;
const SHARD_TIMEOUT_MS = 20_000;

/**
 * Keeps ready what comes next in the stream of every shard: the content of each final checkpoint after the
 * newest ordered one, linked to it. A shard whose endpoint is away or behind holds up no other.
 */
export class ShardWatch {
  readonly #deps: ShardWatchDeps;
  readonly #views = new Map<number, ShardView>();
  /** Shards whose ordered stream is not the one that was signed for here. */
  readonly #divided = new Set<number>();

  constructor(deps: ShardWatchDeps) {
    this.#deps = deps;
  }

  /** What is known of a shard; `undefined` for one that is not watched. */
  view(shardId: number): ShardView | undefined {
    return this.#views.get(shardId);
  }

  /** Everything that would be signed for, shard by shard, at most 1,024. */
  offers(): readonly Checkpoint[] {
    const all = [...this.#views.values()].flatMap(({ upcoming }) => upcoming);
    return all.slice(0, MAX_OFFERED_CHECKPOINTS);
  }

  /** Looks at every shard once. @throws what the registry's chain throws; the signal's reason */
  async look({ signal }: ChainOptions): Promise<void> {
    const { chains } = this.#deps;
    const shards = await chains.shards({ signal });
    for (const shardId of this.#views.keys()) {
      if (!shards.some((shard) => shard.shardId === shardId)) this.#views.delete(shardId);
    }
    const visit = async (shard: WatchedShard, inner: AbortSignal): Promise<void> => {
      const { shardId } = shard;
      try {
        const work = (within: AbortSignal) => this.#lookAt(shard, { signal: within });
        const { clock } = this.#deps;
        const what = `a look at shard ${shardId}`;
        await withDeadline(what, SHARD_TIMEOUT_MS, work, { clock, signal: inner });
      } catch (error) {
        inner.throwIfAborted();
        const reason = describeError(error);
        this.#deps.logger.debug({ shardId, reason }, 'a shard could not be looked at');
      }
    };
    await forEachConcurrent(shards, visit, { parallel: PARALLEL, signal });
  }

  async #lookAt({ shardId, version }: WatchedShard, options: ChainOptions): Promise<void> {
    const { chains } = this.#deps;
    const head = await chains.head(shardId, options);
    if (this.#isDivided(shardId, head)) {
      this.#views.set(shardId, { version, head, newest: head.number, upcoming: [] });
      return;
    }
    const newest = await chains.newest(shardId, options);
    const known = this.#views.get(shardId);
    const old = known?.version === version ? known.upcoming : [];
    const upcoming: Checkpoint[] = [];
    const last = Math.min(newest, head.number + MAX_AHEAD);
    let previous = head.hash;
    for (let number = head.number + 1; number <= last; number += 1) {
      const same = old.find((each) => each.number === number);
      const content = same ?? (await chains.content(shardId, number, options));
      const checkpoint = { ...content, number, previous };
      upcoming.push(checkpoint);
      previous = checkpointHash(checkpoint);
    }
    this.#views.set(shardId, { version, head, newest, upcoming });
  }

  /**
   * Whether the hub ordered another checkpoint than the one that was signed for here: then either this
   * signer's node of the shard told it something else than the others', or more than two thirds lied.
   * Nothing is signed after it.
   */
  #isDivided(shardId: number, { number, hash }: OrderedHead): boolean {
    if (number === 0) return false;
    const signed = this.#deps.protection.leafOf(slotAt(this.#deps.orderingHub, shardId, number));
    const isSame = signed === undefined || equalBytes(signed, hash);
    if (isSame) {
      this.#divided.delete(shardId);
      return false;
    }
    if (!this.#divided.has(shardId)) {
      const facts = { shardId, number, signed: toHex(signed), ordered: toHex(hash) };
      this.#deps.logger.error(
        facts,
        'another checkpoint was ordered than this signer signed for: check its node of the shard',
      );
    }
    this.#divided.add(shardId);
    return true;
  }
}

/** Where the log of what was signed keeps a checkpoint. */
export function slotAt(orderingHub: Domain, shardId: number, number: number): Uint8Array {
  const empty = new Uint8Array(32);
  const body = encodeCheckpoint({
    shardId,
    number,
    previous: empty,
    flowRoot: empty,
    flowLength: 0,
    logRoot: empty,
    logCount: 0,
    daRoot: empty,
    daCount: 0,
    blockNumber: 0,
    blockHash: empty,
    timeSeconds: 0,
  });
  const statement = { kind: STATEMENT_KINDS.checkpoints, domain: orderingHub };
  const slot = slotOf({ statement, body });
  if (slot === undefined) throw new Error('a checkpoint without a slot');
  return slot;
}
