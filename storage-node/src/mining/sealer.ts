import { crc32 } from 'node:zlib';
import type { LogStore } from '@cairn/log-layer';
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
import { isSealedAs, planSeals } from './seal-plan.ts';
import { countPieces } from './sealed-record.ts';
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
  /** Gives room back that sealed copies took; segments that are to be sealed anew for it. */
  readonly reclaim: (signal: AbortSignal) => Promise<readonly number[]>;
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
  /** Whether sealed copies may take room for nothing. */
  #isReclaimDue = true;

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

  /** Notes that stored segments were given up: everything is looked at again. */
  reconsider(): void {
    this.#cursor = 0;
    this.#isReclaimDue = true;
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
        await this.#reclaim(signal);
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
      if (await this.#reclaim(signal)) return;
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
      this.#isReclaimDue = true;
    }
    this.#seenBlock = log.newestBlock;
    const { id, count } = shard();
    if (id === store.table.shard.id && count === store.table.shard.count) return;
    await this.#flush();
    await store.changeShard({ id, count }, signal);
    this.reconsider();
    await this.#reclaim(signal);
  }

  /** Gives room back once after what may have made some. @returns whether that made work */
  async #reclaim(signal: AbortSignal): Promise<boolean> {
    if (!this.#isReclaimDue) return false;
    this.#isReclaimDue = false;
    const segments = await this.#deps.reclaim(signal);
    for (const segment of segments) this.markSegment(segment);
    return segments.length > 0;
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
    const plan = await planSeals({ segment, whole: stored.whole }, this.#deps.contexts, signal);
    if (plan.isOpen) this.#openFrom = Math.min(this.#openFrom, segment);
    const { wanted, contexts, runs } = plan;
    const record = await store.get(segment);
    if (countPieces(wanted) === 0) {
      if (record !== undefined) await store.drop([segment]);
      return record !== undefined;
    }
    const isSealed =
      record !== undefined &&
      equalBytes(record.source, stored.source) &&
      equalBytes(record.wanted, wanted) &&
      isSealedAs(plan, record.runs);
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
      record: {
        minerId: this.#minerId,
        source,
        wanted,
        sealed,
        checksum: crc32(done.bytes),
        runs,
      },
    });
    return true;
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
