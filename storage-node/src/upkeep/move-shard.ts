import type { LogEntry, LogStore, SegmentStore } from '@cairn/log-layer';
import { type Clock, type Logger, SEGMENT_SECTORS, sequenceOf } from '@cairn/primitives';
import { formatShard, ownedSegments, ownsSegment, type ShardConfig } from '@cairn/wire-protocol';
import type { SpaceReclaimer } from './reclaim-space.ts';
import type { ShardKeeper } from './shard-keeper.ts';

/** What carrying out a change of the shard works with. */
export interface MoveShardDeps {
  readonly keeper: ShardKeeper;
  readonly log: Pick<LogStore, 'nextSequence' | 'entryAt' | 'stateOf' | 'clearFinalized'>;
  readonly segments: Pick<SegmentStore, 'heldSegments' | 'sweep'>;
  readonly reclaimer: Pick<SpaceReclaimer, 'reclaimAll'>;
  /** Waits after `busyMs` of work, so that clients are served meanwhile. */
  readonly rest: (busyMs: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
}

/** Entries looked at, and records dropped, between two notes of where the change is. */
const ENTRIES_A_BATCH = 256;
const PIECES_A_BATCH = 4096;

/**
 * Carries a change of the shard out to its end, from wherever it is: marks, records, room. Owns this
 * order: no mark is ever wrong under the shard that is told, and no record outlives its bytes.
 *
 * @throws what the stores throw; call it again then
 */
export async function moveShard(deps: MoveShardDeps, signal: AbortSignal): Promise<void> {
  const { keeper, reclaimer, logger } = deps;
  for (let { move } = keeper; move !== undefined; { move } = keeper) {
    signal.throwIfAborted();
    const facts = { from: formatShard(move.from), to: formatShard(move.to) };
    logger.info({ ...facts, stage: move.stage, cursor: move.cursor }, 'the shard is changing');
    if (move.stage === 'marks') await lookAtMarks(deps, move.to, signal);
    else if (move.stage === 'pieces') await dropPieces(deps, move.to, signal);
    else await reclaimer.reclaimAll(signal);
    await keeper.finishStage();
    if (keeper.move === undefined) logger.info(facts, 'the shard has changed');
  }
}

/** Entries of which the new shard lacks something wait for it from here on. */
async function lookAtMarks(
  { keeper, log, segments, rest, clock }: MoveShardDeps,
  to: ShardConfig,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const began = clock.monotonic();
    const from = keeper.move?.cursor ?? 0;
    const end = Math.min(from + ENTRIES_A_BATCH, log.nextSequence);
    if (from >= end) return;
    const lacking: LogEntry[] = [];
    for (let sequence = from; sequence < end; sequence += 1) {
      signal.throwIfAborted();
      const entry = await log.entryAt(sequenceOf(sequence));
      if (entry === undefined) continue;
      if (!(await log.stateOf(entry.sequence)).finalized) continue;
      const held = await segments.heldSegments(entry, { signal });
      const owned = ownedSegments(to, entry.startSector, entry.sizeBytes);
      if (!everyHeld(owned, held)) lacking.push(entry);
    }
    await log.clearFinalized(lacking, [keeper.cursorWrite(end)]);
    keeper.setCursor(end);
    await rest(clock.monotonic() - began, signal);
  }
}

function everyHeld(indexes: Iterable<number>, held: { has(index: number): boolean }): boolean {
  for (const index of indexes) if (!held.has(index)) return false;
  return true;
}

async function dropPieces(
  { keeper, segments, rest, clock }: MoveShardDeps,
  to: ShardConfig,
  signal: AbortSignal,
): Promise<void> {
  for (let from: number | undefined = keeper.move?.cursor ?? 0; from !== undefined; ) {
    signal.throwIfAborted();
    const began = clock.monotonic();
    const cursor = (next: number | undefined): number => next ?? Number.MAX_SAFE_INTEGER;
    const { next } = await segments.sweep({
      from,
      limit: PIECES_A_BATCH,
      keeps: (sector) => ownsSegment(to, Math.floor(sector / SEGMENT_SECTORS)),
      alongside: (after) => [keeper.cursorWrite(cursor(after))],
      signal,
    });
    keeper.setCursor(cursor(next));
    from = next;
    await rest(clock.monotonic() - began, signal);
  }
}
