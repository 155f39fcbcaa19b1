import type { LogStore } from '@cairn/log-layer';
import { PIECE_SECTORS, SEGMENT_PIECES } from '@cairn/pora';
import {
  type BlockMark,
  type Clock,
  describeError,
  equalBytes,
  isFault,
  type Logger,
  SEGMENT_SECTORS,
  type WorkerPool,
} from '@cairn/primitives';
import { nextOwnedSegment, ownsSegment, type ShardConfig } from '@cairn/wire-protocol';
import { type DiskGuard, isNoRoom } from '../disk-guard.ts';
import { Bell } from '../upkeep/bell.ts';
import type { MiningMetrics } from './metrics.ts';
import type { SealContexts } from './seal-contexts.ts';
import {
  addPiece,
  contextOfPiece,
  countPieces,
  hasPiece,
  PIECE_BITS_BYTES,
  type PieceBits,
  type SealRun,
} from './sealed-record.ts';
import type { SealedSegment, SealedStore } from './sealed-store.ts';
import { lookAtSegment, readSegment, type StoredSegmentDeps } from './stored-segment.ts';
import type { SealResult, SealTask } from './worker-tasks.ts';

/** What sealing works with. */
export interface SealerDeps extends StoredSegmentDeps {
  readonly log: Pick<LogStore, 'entriesWithin' | 'flowLength' | 'marks' | 'newestBlock'>;
  readonly store: SealedStore;
  readonly contexts: SealContexts;
  readonly pool: Pick<WorkerPool, 'run'>;
  /** Sealed copies leave the reserve alone, as uploads do. */
  readonly disk: Pick<DiskGuard, 'requireRoom'>;
  /** The shard that is kept now. */
  readonly shard: () => ShardConfig;
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>;
  readonly logger: Logger;
  readonly metrics: MiningMetrics;
}

/** Sealed segments that share one sync of the disk. */
const BATCH_SEGMENTS = 16;
/** Segments remembered as changed; beyond, everything is looked at again. */
const MAX_CHANGED = 65_536;
/** Looks at the chain and the log where nothing was told to happen. */
const IDLE_MS = 1000;
/** Before work goes on that met a full disk. */
const RESUME_AFTER_MS = 1000;

/**
 * Seals everything that the shard holds, as soon as its context is known.
 *
 * What is to be done follows from what is stored and what is sealed: every segment is looked at when
 * the process starts, and again when it changes, when a context comes or the chain takes blocks back.
 */
export class Sealer {
  readonly #deps: SealerDeps;
  readonly #minerId: Uint8Array;
  readonly #duty: number;
  readonly #bell = new Bell();
  readonly #changed = new Set<number>();
  #batch: SealedSegment[] = [];
  #cursor = 0;
  #isVisiting = false;
  /** First segment with pieces that no context held yet. */
  #openFrom = Number.POSITIVE_INFINITY;
  #seenBlock: BlockMark | undefined;
  #noRoom: string | undefined;

  constructor(deps: SealerDeps, options: { readonly minerId: Uint8Array; readonly duty: number }) {
    this.#deps = deps;
    this.#minerId = options.minerId;
    this.#duty = options.duty;
  }

  /** Whether everything that can be sealed was sealed when it was last looked at. */
  get isDone(): boolean {
    return !this.#isVisiting && this.#batch.length === 0 && this.#next() === undefined;
  }

  /** Why it waits for room on the disk, in a sentence; `undefined` while it does not. */
  get noRoom(): string | undefined {
    return this.#noRoom;
  }

  /** Notes that something is stored at a sector. */
  markStored(sector: number): void {
    this.markSegment(Math.floor(sector / SEGMENT_SECTORS));
  }

  /** Notes that a segment of the flow is to be looked at again. */
  markSegment(segment: number): void {
    if (this.#changed.size >= MAX_CHANGED) this.#cursor = 0;
    else this.#changed.add(segment);
    this.#bell.ring();
  }

  /** Notes that contexts may have come. */
  renew(): void {
    this.#deps.contexts.renew();
    this.#cursor = Math.min(this.#cursor, this.#openFrom);
    this.#openFrom = Number.POSITIVE_INFINITY;
    this.#bell.ring();
  }

  /** Runs until `signal` aborts. @throws what chain and stores throw, but for a disk without room */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.#step(signal);
      } catch (error) {
        if (signal.aborted || !isForRoom(error)) throw error;
        this.#tellNoRoom(describeError(error));
        await clock.sleep(RESUME_AFTER_MS, signal);
      }
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    await this.#noticeChanges(signal);
    const began = clock.monotonic();
    const segment = this.#next();
    if (segment === undefined) {
      await this.#flush();
      this.#tellNoRoom(undefined);
      await this.#bell.wait(clock, IDLE_MS, signal);
      return;
    }
    if (!this.#changed.delete(segment)) this.#cursor = segment + 1;
    this.#isVisiting = true;
    let isWork: boolean;
    try {
      isWork = await this.#visit(segment, signal);
    } catch (error) {
      this.#changed.add(segment);
      throw error;
    } finally {
      this.#isVisiting = false;
    }
    if (this.#batch.length >= BATCH_SEGMENTS) await this.#flush();
    if (isWork) await clock.sleep((clock.monotonic() - began) * (1 / this.#duty - 1), signal);
  }

  #tellNoRoom(reason: string | undefined): void {
    const { logger, metrics } = this.#deps;
    if (reason !== undefined && this.#noRoom === undefined) {
      logger.warn({ reason }, 'no room to seal, waiting');
    }
    if (reason === undefined && this.#noRoom !== undefined) {
      logger.info({}, 'there is room to seal again');
    }
    this.#noRoom = reason;
    metrics.noRoom.set(reason === undefined ? 0 : 1);
  }

  /** Begins anew after the chain took blocks back or the shard changed. */
  async #noticeChanges(signal: AbortSignal): Promise<void> {
    const { log, shard, store, contexts } = this.#deps;
    const seen = this.#seenBlock;
    if (seen !== undefined && !log.marks().some(({ hash }) => hash === seen.hash)) {
      contexts.forget();
      this.#cursor = 0;
      await store.dropFrom(Math.ceil(log.flowLength / SEGMENT_SECTORS), signal);
    }
    this.#seenBlock = log.newestBlock;
    const { id, count } = shard();
    if (id === store.table.shard.id && count === store.table.shard.count) return;
    await this.#flush();
    await store.changeShard({ id, count }, signal);
    this.#cursor = 0;
  }

  #next(): number | undefined {
    const shard = this.#deps.shard();
    for (const segment of this.#changed) {
      if (ownsSegment(shard, segment)) return segment;
      this.#changed.delete(segment);
    }
    const next = nextOwnedSegment(shard, this.#cursor);
    return next * SEGMENT_SECTORS < this.#deps.log.flowLength ? next : undefined;
  }

  /** Seals a segment if it is not sealed as it is now. @returns whether that took work */
  async #visit(segment: number, signal: AbortSignal): Promise<boolean> {
    const { store, pool } = this.#deps;
    const stored = await lookAtSegment(segment, this.#deps, signal);
    const { wanted, contexts, runs } = await this.#plan(segment, stored.whole, signal);
    const record = await store.get(segment);
    if (countPieces(wanted) === 0) {
      if (record !== undefined) await store.drop([segment]);
      return record !== undefined;
    }
    const isSealed =
      record !== undefined &&
      equalBytes(record.source, stored.source) &&
      equalBytes(record.wanted, wanted) &&
      agree(record.runs, contexts, wanted);
    if (isSealed) return false;
    await this.#deps.disk.requireRoom();
    const bytes = await readSegment(stored, this.#deps, signal);
    if (bytes === undefined) return true; // damaged meanwhile: it comes back once it is mended
    const position = segment * SEGMENT_SECTORS;
    const task: SealTask = {
      kind: 'seal',
      bytes,
      minerId: this.#minerId,
      position,
      wanted,
      contexts,
    };
    const done = await pool.run<SealResult>(task, { signal, transfer: [bytes.buffer] });
    const { source } = stored;
    const { sealed } = done;
    this.#batch.push({
      segment,
      bytes: done.bytes,
      record: { minerId: this.#minerId, source, wanted, sealed, runs },
    });
    return true;
  }

  /** Which whole pieces have a context, and which. */
  async #plan(
    segment: number,
    whole: PieceBits,
    signal: AbortSignal,
  ): Promise<{
    readonly wanted: PieceBits;
    readonly contexts: Uint8Array[];
    readonly runs: SealRun[];
  }> {
    const wanted = new Uint8Array(PIECE_BITS_BYTES);
    const contexts: Uint8Array[] = [];
    const runs: SealRun[] = [];
    let context: Uint8Array = new Uint8Array(32);
    for (let piece = 0; piece < SEGMENT_PIECES; piece += 1) {
      if (hasPiece(whole, piece)) {
        const last = segment * SEGMENT_SECTORS + (piece + 1) * PIECE_SECTORS - 1;
        const found = await this.#deps.contexts.of(last, signal);
        if (found === undefined) {
          this.#openFrom = Math.min(this.#openFrom, segment);
        } else {
          addPiece(wanted, piece);
          if (!equalBytes(context, found.digest) && piece > 0) runs.push({ end: piece, context });
          context = found.digest;
        }
      }
      contexts.push(context);
    }
    runs.push({ end: SEGMENT_PIECES, context });
    return { wanted, contexts, runs };
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    const { store, metrics } = this.#deps;
    try {
      await store.put(batch);
    } catch (error) {
      for (const { segment } of batch) this.#changed.add(segment); // no more than a batch beyond the bound
      throw error;
    } finally {
      metrics.sealedSegments.set(store.table.segments);
    }
    this.#tellNoRoom(undefined);
    for (const { record } of batch) metrics.sealedPieces.add(countPieces(record.sealed));
  }
}

/** Whether an error says that the disk has no room, or none beyond what is kept in reserve. */
function isForRoom(error: unknown): boolean {
  return isFault(error, 'STORE_FULL') || isNoRoom(error);
}

/** Whether every wanted piece has the same context in both. */
function agree(
  runs: readonly SealRun[],
  contexts: readonly Uint8Array[],
  wanted: PieceBits,
): boolean {
  return contexts.every((context, piece) => {
    if (!hasPiece(wanted, piece)) return true;
    const sealedWith = contextOfPiece({ runs }, piece);
    return sealedWith !== undefined && equalBytes(sealedWith, context);
  });
}
