import { isRecord, type Json, type KeyValueStore, type KeyValueWrite } from '@cairn/primitives';
import { formatShard, ownsSegment, parseShardText, type ShardConfig } from '@cairn/wire-protocol';
import { StorageNodeError } from '../errors.ts';
import { MOVE_KEY, SHARD_KEY } from '../keyspace.ts';
import { keptWrite, naturalOf, readKept } from './kept-record.ts';

/** Why a shard changes. */
export type MoveReason = 'admin' | 'budget';

/** What is done of a change. */
export type MoveStage =
  /** Entries that the new shard does not hold whole lose their finalised marks; `cursor` is a sequence. */
  | 'marks'
  /** Pieces outside the new shard lose their records; `cursor` is a sector. */
  | 'pieces'
  /** Files with much in them that is given up are made anew. */
  | 'space';

/** A change of the shard under way. */
export interface ShardMove {
  readonly from: ShardConfig;
  readonly to: ShardConfig;
  readonly reason: MoveReason;
  readonly stage: MoveStage;
  readonly cursor: number;
}

const STAGES: readonly string[] = ['marks', 'pieces', 'space'] satisfies readonly MoveStage[];
const FULL: ShardConfig = { id: 0, count: 1 };

/**
 * Which shard this node keeps: the one that is stored. It changes only when asked to, and the change
 * is on the disk before anything of it is done, so that it goes on after a crash at any moment.
 */
export class ShardKeeper {
  readonly #kv: Pick<KeyValueStore, 'get' | 'write'>;
  #current: ShardConfig;
  #move: ShardMove | undefined;

  private constructor(
    kv: Pick<KeyValueStore, 'get' | 'write'>,
    current: ShardConfig,
    move: ShardMove | undefined,
  ) {
    this.#kv = kv;
    this.#current = current;
    this.#move = move;
  }

  /** Takes the stored shard; `initial` for a directory that has none yet. */
  static async open(
    kv: Pick<KeyValueStore, 'get' | 'write'>,
    initial: ShardConfig,
  ): Promise<ShardKeeper> {
    const stored = await kv.get(SHARD_KEY);
    if (stored === undefined) await kv.write([shardWrite(initial)], { sync: true });
    const current =
      stored === undefined ? initial : parseShardText(new TextDecoder().decode(stored));
    return new ShardKeeper(kv, current, moveOf(await readKept(kv, MOVE_KEY)));
  }

  /** The shard whose segments are taken, kept and told about. */
  get current(): ShardConfig {
    return this.#current;
  }

  /**
   * What must be held of an entry for it to be finalised: the shard; all of it while marks are
   * looked at again, so that no new mark is wrong under the old shard or the new one.
   */
  get required(): ShardConfig {
    return this.#move?.stage === 'marks' ? FULL : this.#current;
  }

  /**
   * Whether a segment of the flow is taken from uploaders: one of the shard, and of the one that it
   * changes to. What is about to be given up must not be acknowledged: nobody else may have it.
   */
  takes(globalSegment: number): boolean {
    const shards = [this.#current, this.#move?.to ?? this.#current];
    return shards.every((shard) => ownsSegment(shard, globalSegment));
  }

  /** The change under way. */
  get move(): ShardMove | undefined {
    return this.#move;
  }

  /**
   * Begins a change; nothing of it is done yet, but that a shard that is part of the old one is the
   * shard from here on.
   *
   * @returns whether there is anything to do
   * @throws {StorageNodeError} SHARD_MOVING while another is under way
   */
  async begin(to: ShardConfig, reason: MoveReason): Promise<boolean> {
    const from = this.#current;
    if (this.#move !== undefined) {
      const { to: other, stage } = this.#move;
      throw new StorageNodeError(
        { code: 'SHARD_MOVING', to: formatShard(other), stage },
        `the shard is still changing to ${formatShard(other)} (${stage}); ask again when that is done`,
      );
    }
    if (from.id === to.id && from.count === to.count) return false;
    await this.#advance({
      from,
      to,
      reason,
      stage: isPart(to, from) ? 'pieces' : 'marks',
      cursor: 0,
    });
    return true;
  }

  /** The write that notes how far a stage of the change is. */
  cursorWrite(cursor: number): KeyValueWrite {
    return moveWrite({ ...this.#requireMove(), cursor });
  }

  /** Notes that `cursorWrite(cursor)` was written. */
  setCursor(cursor: number): void {
    this.#move = { ...this.#requireMove(), cursor };
  }

  /** The stage is done: on to the next, durably. From `pieces` on the new shard is the shard. */
  async finishStage(): Promise<void> {
    const move = this.#requireMove();
    if (move.stage === 'marks') return this.#advance({ ...move, stage: 'pieces', cursor: 0 });
    if (move.stage === 'pieces') return this.#advance({ ...move, stage: 'space', cursor: 0 });
    await this.#kv.write([{ type: 'delete', key: MOVE_KEY }], { sync: true });
    this.#move = undefined;
  }

  async #advance(move: ShardMove): Promise<void> {
    const isSwitch = move.stage !== 'marks';
    await this.#kv.write([moveWrite(move), ...(isSwitch ? [shardWrite(move.to)] : [])], {
      sync: true,
    });
    this.#move = move;
    if (isSwitch) this.#current = move.to;
  }

  #requireMove(): ShardMove {
    if (this.#move === undefined) throw new Error('no change of the shard is under way');
    return this.#move;
  }
}

/** Whether every segment of `part` is one of `whole`. */
export function isPart(part: ShardConfig, whole: ShardConfig): boolean {
  return part.count % whole.count === 0 && part.id % whole.count === whole.id;
}

/** A change as JSON. */
export function moveJson(move: ShardMove | undefined): Json {
  if (move === undefined) return null;
  const { from, to, reason, stage, cursor } = move;
  return { from: formatShard(from), to: formatShard(to), reason, stage, cursor };
}

function shardWrite(shard: ShardConfig): KeyValueWrite {
  return { type: 'put', key: SHARD_KEY, value: new TextEncoder().encode(formatShard(shard)) };
}

function moveWrite(move: ShardMove): KeyValueWrite {
  return keptWrite(MOVE_KEY, moveJson(move));
}

function moveOf(record: Readonly<Record<string, unknown>> | undefined): ShardMove | undefined {
  if (!isRecord(record)) return undefined;
  const { from, to, stage, reason } = record;
  if (typeof from !== 'string' || typeof to !== 'string' || !isStage(stage)) return undefined;
  return {
    from: parseShardText(from),
    to: parseShardText(to),
    reason: reason === 'budget' ? 'budget' : 'admin',
    stage,
    cursor: naturalOf(record, 'cursor'),
  };
}

function isStage(value: unknown): value is MoveStage {
  return typeof value === 'string' && STAGES.includes(value);
}
