import { type Hasher, segmentsOf, type VerifiedSegment, verifySegment } from '@cairn/commitments';
import {
  type Checksum,
  createCrc32,
  equalBytes,
  type FileStore,
  isFault,
  type KeyValueStore,
  type KeyValueWrite,
  type Logger,
  MAX_CONCURRENT_WRITES,
  MAX_QUEUED_WRITES,
  rootBytes,
  rootOf,
  SECTOR_BYTES,
  SEGMENT_SECTORS,
  Semaphore,
  SingleFlight,
} from '@cairn/primitives';
import type { HeldBitmap } from '@cairn/wire-protocol';
import { SegmentError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { HeldBitmaps } from './held-bitmaps.ts';
import type { HeldSegments } from './held-segments.ts';
import { KEY, keyOf, lastNumber, numberRange } from './keyspace.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogStore } from './log-store.ts';
import type { LogMetrics } from './metrics.ts';
import {
  encodePiece,
  type FilePlace,
  isPieceOf,
  type PiecePlace,
  type PieceRecord,
  piecePlace,
  restored,
  segmentOfPiece,
  soundPiece,
} from './piece.ts';
import {
  pieceSpans,
  type SectorSpan,
  type SweepDeps,
  type SweepRequest,
  type SweepResult,
  sweepPieces,
} from './piece-sweep.ts';
import { RangeLocks } from './range-locks.ts';
import { type RunRequest, readRun } from './read-run.ts';
import { DEFAULT_STASH_BYTES, Stash } from './stash.ts';

/** What a segment store is made of. */
export interface SegmentStoreDeps {
  /** Payload, by position in the flow. */
  readonly files: FileStore;
  /** Records of pieces; may be the log store's own. */
  readonly kv: KeyValueStore;
  /** Says whether an entry still stands, and loses its finalised mark when a piece is damaged. */
  readonly log: Pick<LogStore, 'isCurrent' | 'entryOfSector' | 'setFinalized'>;
  readonly hasher: Hasher;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
}

export interface SegmentStoreOptions {
  /** CRC-32 of bytes; the plain one unless told. Node hosts give `crc32` of `node:zlib`. */
  readonly checksum?: Checksum;
  /** Writes at once, 16 unless told. */
  readonly maxWrites?: number;
  /** Writes waiting, 16,384 unless told. */
  readonly maxQueuedWrites?: number;
  /** Bytes kept of pieces in the way of others after a reorg, 1 GiB unless told. */
  readonly stashBytes?: number;
  /** Told of an entry that lost a piece to damage, so that it can be had again. */
  readonly onDamaged?: (entry: LogEntry) => void;
  /** Told of the first sector of every piece that is stored. */
  readonly onStored?: (sector: number) => void;
}

/** Segments of the largest file whose bitmap is given out: 2 TiB, a bitmap of 1 MiB. */
const MAX_BITMAP_SEGMENTS = 2 ** 23;

/** How far a scrub came. */
export interface ScrubResult {
  readonly checked: number;
  /** Bytes of the pieces that were read. */
  readonly bytes: number;
  readonly damaged: number;
  /** Sector to go on from; `undefined` at the end. */
  readonly next: number | undefined;
}

/**
 * Segments on disk. A segment's place follows from the flow: sector · 256, no lookup. Its record is
 * written after its data is durable, so what has no record does not exist, and `put` resolves only
 * when both are on the disk.
 *
 * Every read compares the bytes with their checksum; what differs is quarantined and never served.
 */
export class SegmentStore {
  readonly #deps: SegmentStoreDeps;
  readonly #checksum: Checksum;
  readonly #stash: Stash;
  readonly #onDamaged: (entry: LogEntry) => void;
  readonly #onStored: (sector: number) => void;
  readonly #commits: GroupCommit;
  readonly #writers: Semaphore;
  readonly #flights = new SingleFlight<'stored' | 'held'>();
  readonly #locks = new RangeLocks();
  readonly #held: HeldBitmaps;
  readonly #stop = new AbortController();

  private constructor(deps: SegmentStoreDeps, options: SegmentStoreOptions, stash: Stash) {
    this.#deps = deps;
    this.#checksum = options.checksum ?? createCrc32();
    this.#stash = stash;
    this.#onDamaged = options.onDamaged ?? (() => undefined);
    this.#onStored = options.onStored ?? (() => undefined);
    this.#commits = new GroupCommit(deps.files, deps.kv);
    this.#writers = new Semaphore({
      limit: options.maxWrites ?? MAX_CONCURRENT_WRITES,
      maxWaiting: options.maxQueuedWrites ?? MAX_QUEUED_WRITES,
    });
    this.#held = new HeldBitmaps((file) => this.#scanHeld(file));
  }

  /** Opens the store over `files` and `kv`. The caller closes both, after `close`. */
  static async open(
    deps: SegmentStoreDeps,
    options: SegmentStoreOptions,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<SegmentStore> {
    const { kv, metrics } = deps;
    const checksum = options.checksum ?? createCrc32();
    const maxBytes = options.stashBytes ?? DEFAULT_STASH_BYTES;
    const stash = await Stash.open({ kv, checksum, maxBytes, metrics }, signal);
    return new SegmentStore(deps, { ...options, checksum }, stash);
  }

  /**
   * Stores a segment of an entry. Resolves when it is on the disk: what was acknowledged is held.
   * The same segment put twice at once is written once.
   *
   * @returns `held` if it was there already
   * @throws {SegmentError} ENTRY_MISMATCH, ENTRY_REPLACED if the chain replaced the entry
   * @throws {QueueFullError} QUEUE_FULL; what the disk throws, ENOSPC among it: nothing is lost then
   */
  async put(
    entry: LogEntry,
    segment: VerifiedSegment,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<'stored' | 'held'> {
    assertBelongs(entry, segment);
    if ((await this.#recordOf(entry, segment.index)) !== undefined) return 'held';
    const key = `${entry.startSector}:${segment.index}:${entry.root}:${entry.sizeBytes}`;
    // The write goes on for those who joined it, so it has no caller's signal; one of its own, since
    // thousands may wait and each would add a listener to a signal they shared.
    const store = (): Promise<'stored' | 'held'> =>
      this.#writers.run(() => this.#store(entry, segment), new AbortController().signal);
    return this.#flights.run(key, store, signal);
  }

  /**
   * Segment `index` of a file at its place, its bytes as they were verified; `undefined` if it is
   * not held. One read.
   *
   * @throws {SegmentError} SEGMENT_SEALED; what the disk throws
   */
  async get(
    file: FilePlace,
    index: number,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<VerifiedSegment | undefined> {
    signal.throwIfAborted();
    const place = piecePlace(file, index);
    const record = await this.#recordOf(file, index);
    if (record === undefined) return undefined;
    const data = await this.#deps.files.read(place.offset, place.sizeBytes);
    if (this.#checksum(data) === record.checksum) return restored(record, data);
    // Another entry's piece may have taken the place meanwhile: look again with the place locked.
    return this.#locks.run(place.sector, place.sector + place.sectors, async () => {
      const now = await this.#recordOf(file, index);
      if (now === undefined) return undefined;
      const again = await this.#deps.files.read(place.offset, place.sizeBytes);
      if (this.#checksum(again) === now.checksum) return restored(now, again);
      await this.#quarantine(place.sector, signal);
      return undefined;
    });
  }

  /** Consecutive segments of a file, with one read. @throws as `readRun` */
  getRun(file: FilePlace, run: RunRequest): Promise<readonly VerifiedSegment[]> {
    const { files, kv } = this.#deps;
    return readRun({ files, kv, checksum: this.#checksum }, file, run);
  }

  /** A piece of that file that a reorg pushed aside. */
  async getStashed(file: FilePlace, index: number): Promise<VerifiedSegment | undefined> {
    const found = await this.#stash.find(file.root, index, file.sizeBytes);
    return found === undefined ? undefined : restored(found.record, found.data);
  }

  /** Whether segment `index` of a file is held at its place. */
  async has(file: FilePlace, index: number): Promise<boolean> {
    return (await this.#recordOf(file, index)) !== undefined;
  }

  /** Which segments of a file are held: a view that goes on changing. */
  async heldSegments(
    file: FilePlace,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<HeldSegments> {
    return this.#held.of(file, segmentsOf(file.sizeBytes), signal);
  }

  /**
   * Which segments of a file are held, as a bitmap of its own.
   *
   * @throws {SegmentError} SEGMENT_BITMAP_TOO_LARGE for a file beyond 2 TiB
   */
  async held(file: FilePlace, { signal }: { readonly signal: AbortSignal }): Promise<HeldBitmap> {
    const segments = segmentsOf(file.sizeBytes);
    if (segments > MAX_BITMAP_SEGMENTS) {
      throw new SegmentError(
        { code: 'SEGMENT_BITMAP_TOO_LARGE', segments, maxSegments: MAX_BITMAP_SEGMENTS },
        `a bitmap of ${segments} segments is too large, ${MAX_BITMAP_SEGMENTS} are the most`,
      );
    }
    return { segments, bits: (await this.heldSegments(file, { signal })).toBits() };
  }

  /** How many segments of a file are held. Cheap when asked for again. */
  async heldCount(file: FilePlace, { signal }: { readonly signal: AbortSignal }): Promise<number> {
    return (await this.heldSegments(file, { signal })).count;
  }

  /**
   * Verifies stored pieces from sector `from` on, down to the hashes, and quarantines what is damaged
   * or cannot be read: `limit` of them, fewer once they have `maxBytes` together.
   *
   * @throws what the disk throws when a record is written
   */
  async scrub(
    from: number,
    limit: number,
    {
      signal,
      maxBytes = Number.POSITIVE_INFINITY,
    }: { readonly signal: AbortSignal; readonly maxBytes?: number },
  ): Promise<ScrubResult> {
    const found = { checked: 0, bytes: 0, damaged: 0 };
    const range = { ...numberRange(KEY.piece, from, Number.MAX_SAFE_INTEGER), limit };
    for await (const [key] of this.#deps.kv.entries(range, { signal })) {
      const sector = lastNumber(key);
      const { isSound, bytes } = await this.#examine(sector, signal);
      if (!isSound) found.damaged += 1;
      found.checked += 1;
      found.bytes += bytes;
      if (found.checked === limit || found.bytes >= maxBytes) return { ...found, next: sector + 1 };
    }
    return { ...found, next: undefined };
  }

  /** Drops the records of pieces that are given up. @throws what the index throws */
  async sweep(request: SweepRequest): Promise<SweepResult> {
    const result = await sweepPieces(this.#sweepDeps, request);
    const { from, end = Number.POSITIVE_INFINITY } = request;
    if (result.dropped > 0) this.#held.forget(from, result.next ?? end);
    return result;
  }

  /**
   * Runs `work` while nothing is stored in a span of the flow, and tells it where pieces lie there.
   *
   * @param span - its ends are multiples of 1,024 sectors: no piece reaches over one
   * @throws what `work` and the index throw
   */
  async whileStill<Result>(
    span: SectorSpan,
    work: (pieces: readonly SectorSpan[]) => Promise<Result>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Result> {
    return this.#locks.run(span.start, span.end, async () => {
      return work(await pieceSpans(this.#sweepDeps, span, signal));
    });
  }

  /** Where pieces lie in a span now; what is stored meanwhile may be left out. */
  async piecesIn(
    span: SectorSpan,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly SectorSpan[]> {
    return pieceSpans(this.#sweepDeps, span, signal);
  }

  /** Waits for writes under way and refuses what still queues. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the segment store is closed'));
    await this.#locks.idle();
    await this.#commits.idle();
  }

  get #sweepDeps(): SweepDeps {
    return { kv: this.#deps.kv, locks: this.#locks, checksum: this.#checksum };
  }

  async #store(entry: LogEntry, segment: VerifiedSegment): Promise<'stored' | 'held'> {
    this.#stop.signal.throwIfAborted();
    const place = piecePlace(entry, segment.index);
    const end = place.sector + place.sectors;
    const quick = await this.#locks.run(place.sector, end, async () => {
      if ((await this.#overlapping(place, 1)).length === 0) {
        return this.#write(entry, segment, place);
      }
      return (await this.has(entry, segment.index)) ? 'held' : undefined;
    });
    if (quick !== undefined) return quick;
    // Pieces of a branch that is gone lie in the way. They may reach beyond this piece, but never
    // beyond its 1,024 sectors, so that block is held while they are moved.
    const block = Math.floor(place.sector / SEGMENT_SECTORS) * SEGMENT_SECTORS;
    return this.#locks.run(block, block + SEGMENT_SECTORS, async () => {
      if (await this.has(entry, segment.index)) return 'held';
      if (!(await this.#deps.log.isCurrent(entry))) throw replaced(entry);
      await this.#clearWay(place);
      return this.#write(entry, segment, place);
    });
  }

  async #write(
    entry: LogEntry,
    segment: VerifiedSegment,
    place: PiecePlace,
  ): Promise<'stored' | 'held'> {
    const { files, log, metrics } = this.#deps;
    if (!(await log.isCurrent(entry))) throw replaced(entry);
    await files.write(place.offset, segment.data);
    const record: PieceRecord = {
      root: segment.root,
      sizeBytes: segment.sizeBytes,
      index: segment.index,
      sectors: place.sectors,
      checksum: this.#checksum(segment.data),
      segmentRoot: segment.segmentRoot,
      siblings: segment.proof.siblings,
    };
    await this.#commits.commit([
      {
        type: 'put',
        key: keyOf(KEY.piece, place.sector),
        value: encodePiece(record, this.#checksum),
      },
      { type: 'delete', key: keyOf(KEY.quarantine, place.sector) },
    ]);
    this.#held.add(entry, segment.index);
    this.#onStored(place.sector);
    metrics.storedSegments.add(1);
    metrics.storedBytes.add(place.sizeBytes);
    return 'stored';
  }

  /** The record of a piece, if the piece at that place is this one. */
  async #recordOf(file: FilePlace, index: number): Promise<PieceRecord | undefined> {
    const { sector } = piecePlace(file, index);
    const value = await this.#deps.kv.get(keyOf(KEY.piece, sector));
    if (value === undefined) return undefined;
    const record = this.#decode(sector, value);
    return record !== undefined && isPieceOf(record, file, index) ? record : undefined;
  }

  /** A record; one that is damaged counts as none and is written over by the next `put`. */
  #decode(sector: number, value: Uint8Array): PieceRecord | undefined {
    const record = soundPiece(sector, value, this.#checksum);
    if (record === undefined) this.#deps.logger.warn({ sector }, 'record of a piece is damaged');
    return record;
  }

  /** Sectors of the pieces that lie, whole or in part, where `place` is: all, or `limit` of them. */
  async #overlapping(place: PiecePlace, limit?: number): Promise<number[]> {
    const from = Math.max(0, place.sector - SEGMENT_SECTORS + 1);
    const range = {
      ...numberRange(KEY.piece, from, place.sector + place.sectors),
      reverse: true,
      ...(limit === undefined ? {} : { limit }),
    };
    const found: number[] = [];
    const { kv } = this.#deps;
    const options = { signal: this.#stop.signal };
    for await (const [key, value] of kv.entries(range, options)) {
      const sector = lastNumber(key);
      if (sector < place.sector) {
        // Pieces never overlap each other, so only the nearest one before can reach in here. How
        // far a damaged record reached is not known: it counts where it began.
        const reach = this.#decode(sector, value)?.sectors ?? 1;
        if (sector + reach > place.sector) found.push(sector);
        break;
      }
      found.push(sector);
    }
    return found;
  }

  /** Moves pieces of other files out of the way: into the stash if they are sound. */
  async #clearWay(place: PiecePlace): Promise<void> {
    const { files, kv, logger } = this.#deps;
    const batch: KeyValueWrite[] = [];
    for (const sector of await this.#overlapping(place)) {
      const key = keyOf(KEY.piece, sector);
      const value = await kv.get(key);
      const record = value === undefined ? undefined : this.#decode(sector, value);
      batch.push({ type: 'delete', key });
      if (record === undefined) continue;
      const data = await files.read(sector * SECTOR_BYTES, record.sectors * SECTOR_BYTES);
      if (this.#checksum(data) === record.checksum)
        batch.push(...this.#stash.writesFor(record, data));
      logger.debug({ sector, sectors: record.sectors }, 'piece of a removed entry set aside');
    }
    try {
      await kv.write(batch, { sync: true });
    } catch (error) {
      await this.#stash.reload(this.#stop.signal);
      throw error;
    }
    this.#held.forgetAll();
  }

  /** Whether a piece is what its record says, and how many of its bytes were read to know. */
  async #examine(
    sector: number,
    signal: AbortSignal,
  ): Promise<{ readonly isSound: boolean; readonly bytes: number }> {
    const { files, kv, hasher } = this.#deps;
    return this.#locks.run(sector, sector + SEGMENT_SECTORS, async () => {
      const value = await kv.get(keyOf(KEY.piece, sector));
      if (value === undefined) return { isSound: true, bytes: 0 }; // moved meanwhile
      const record = this.#decode(sector, value);
      const bytes = (record?.sectors ?? 0) * SECTOR_BYTES;
      const data = record && (await readIfReadable(files, sector * SECTOR_BYTES, bytes));
      if (record !== undefined && data !== undefined && isProven(record, data, hasher)) {
        return { isSound: true, bytes };
      }
      await this.#quarantine(sector, signal);
      return { isSound: false, bytes };
    });
  }

  /**
   * Takes a damaged piece out of service. Its entry loses the finalised mark first: a crash between
   * the two leaves an entry that is asked for again, not one that claims what it lacks. And once
   * more after: whoever saw the piece may have set the mark in between.
   */
  async #quarantine(sector: number, signal: AbortSignal): Promise<void> {
    const { kv, log, logger, metrics } = this.#deps;
    const entry = await log.entryOfSector(sector, signal);
    if (entry !== undefined) await log.setFinalized(entry, false);
    const key = keyOf(KEY.piece, sector);
    const value = await kv.get(key);
    if (value === undefined) return;
    await kv.write(
      [
        { type: 'delete', key },
        { type: 'put', key: keyOf(KEY.quarantine, sector), value },
      ],
      { sync: true },
    );
    this.#held.forgetAll(); // the piece may be of an entry that is gone and comes back
    if (entry !== undefined) await log.setFinalized(entry, false);
    metrics.damagedSegments.add(1);
    logger.error({ sector, sequence: entry?.sequence }, 'segment damaged on disk, quarantined');
    if (entry !== undefined) this.#onDamaged(entry);
  }

  async *#scanHeld(file: FilePlace): AsyncIterable<number> {
    const { kv } = this.#deps;
    const segments = segmentsOf(file.sizeBytes);
    if (segments === 1) {
      // A thousand others may share its place's 1,024 sectors: not worth reading them all.
      if (await this.has(file, 0)) yield 0;
      return;
    }
    const end = Math.min(file.startSector + segments * SEGMENT_SECTORS, Number.MAX_SAFE_INTEGER);
    const range = numberRange(KEY.piece, file.startSector, end);
    for await (const [key, value] of kv.entries(range, { signal: this.#stop.signal })) {
      const sector = lastNumber(key);
      const index = (sector - file.startSector) / SEGMENT_SECTORS;
      if (!Number.isInteger(index)) continue;
      const record = this.#decode(sector, value);
      if (record !== undefined && isPieceOf(record, file, index)) yield index;
    }
  }
}

function assertBelongs(entry: LogEntry, segment: VerifiedSegment): void {
  const { sequence, sizeBytes, root } = entry;
  if (segment.sizeBytes === sizeBytes && equalBytes(segment.root, rootBytes(root))) return;
  throw new SegmentError(
    {
      code: 'ENTRY_MISMATCH',
      sequence,
      expectedSizeBytes: sizeBytes,
      actualSizeBytes: segment.sizeBytes,
    },
    `a segment of ${rootOf(segment.root)} with ${segment.sizeBytes} bytes is not of entry ${sequence}, ` +
      `which is ${root} with ${sizeBytes} bytes`,
  );
}

function replaced({ sequence }: LogEntry): SegmentError {
  return new SegmentError(
    { code: 'ENTRY_REPLACED', sequence },
    `the chain replaced entry ${sequence} while its segment was on the way`,
  );
}

/** Bytes of the disk; `undefined` where it cannot read them any more: what lay there is lost. */
async function readIfReadable(
  files: Pick<FileStore, 'read'>,
  offset: number,
  length: number,
): Promise<Uint8Array | undefined> {
  try {
    return await files.read(offset, length);
  } catch (error) {
    if (isFault(error, 'DISK_IO')) return undefined;
    throw error;
  }
}

function isProven(record: PieceRecord, data: Uint8Array, hasher: Hasher): boolean {
  try {
    verifySegment(segmentOfPiece(record, data), hasher);
    return true;
  } catch {
    return false; // whatever the fault, the piece is not what its record says
  }
}
