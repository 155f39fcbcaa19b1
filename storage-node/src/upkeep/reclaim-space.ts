import type { SectorSpan, SegmentStore } from '@cairn/log-layer';
import type { ByteSpan, FlatFileStore } from '@cairn/node-runtime/files';
import {
  type Clock,
  type Logger,
  MIB,
  SECTOR_BYTES,
  SEGMENT_BYTES,
  SEGMENT_SECTORS,
} from '@cairn/primitives';
import { isNoRoom } from '../disk-guard.ts';
import type { ReopeningFileStore } from '../reopening-file-store.ts';
import type { UpkeepMetrics } from './metrics.ts';

/** What giving space back works with. */
export interface SpaceReclaimerDeps {
  readonly segments: Pick<SegmentStore, 'whileStill' | 'piecesIn'>;
  readonly files: ReopeningFileStore<FlatFileStore>;
  /** Waits after `busyMs` of work, so that clients are served meanwhile. */
  readonly rest: (busyMs: number, signal: AbortSignal) => Promise<void>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly logger: Logger;
  readonly metrics: Pick<UpkeepMetrics, 'reclaimedBytes'>;
}

/** Copied before what it was copied from is given back: the room that is needed to make room. */
const SLICE_BYTES = 32 * MIB;
/** Shares of a file that are too small to copy the rest of it for. */
const LEAST_GAIN = 1 / 16;
/** What file systems hand out. */
const BLOCK_BYTES = 4096;

/**
 * Gives the room of pieces without records back to the file system. Node.js cannot punch holes, so a
 * file is made anew from its end, slice by slice: what is kept of a slice is copied, then the old
 * file is cut there. That takes 32 MiB of room and one read and write of what is kept.
 */
export class SpaceReclaimer {
  readonly #deps: SpaceReclaimerDeps;

  constructor(deps: SpaceReclaimerDeps) {
    this.#deps = deps;
  }

  /** Goes through all files, and finishes those that an earlier process began. */
  async reclaimAll(signal: AbortSignal): Promise<void> {
    const { store } = this.#deps.files;
    for (const file of store.fileNumbers()) await this.#reclaim(file, signal);
  }

  /** Finishes files that an earlier process began to make anew. */
  async finish(signal: AbortSignal): Promise<void> {
    const { store } = this.#deps.files;
    for (const file of store.fileNumbers()) {
      if (store.tailOf(file) !== undefined) await this.#reclaim(file, signal);
    }
  }

  async #reclaim(file: number, signal: AbortSignal): Promise<void> {
    const { files, segments, metrics, logger } = this.#deps;
    const { fileBytes } = files.store;
    const span = sectorsOf(file * fileBytes, (file + 1) * fileBytes);
    const pieces = await segments.piecesIn(span, { signal });
    const before = await files.store.occupiedBytes(file);
    const isBegun = files.store.tailOf(file) !== undefined;
    if (!isBegun && before - bytesOf(pieces) < Math.max(BLOCK_BYTES, before * LEAST_GAIN)) return;
    if (pieces.length === 0 && !isBegun) await this.#removeEmpty(file, span, signal);
    else await this.#makeAnew(file, pieces, signal);
    const gained = before - (await files.store.occupiedBytes(file));
    metrics.reclaimedBytes.add(Math.max(0, gained));
    logger.debug({ file, gained }, 'room of given up segments is free again');
  }

  async #removeEmpty(file: number, span: SectorSpan, signal: AbortSignal): Promise<void> {
    const { files, segments } = this.#deps;
    const remove = async (pieces: readonly SectorSpan[]): Promise<void> => {
      if (pieces.length > 0) return; // stored meanwhile; the file stays
      await files.use((store) => store.moveTail(file * store.fileBytes, []));
    };
    await segments.whileStill(span, remove, { signal });
  }

  async #makeAnew(file: number, pieces: readonly SectorSpan[], signal: AbortSignal): Promise<void> {
    const { files, segments, rest, clock } = this.#deps;
    const start = file * files.store.fileBytes;
    let sliceBytes = SLICE_BYTES;
    for (let tail = start + files.store.fileBytes; tail > start; ) {
      signal.throwIfAborted();
      const end = files.store.tailOf(file) ?? tail;
      const from = sliceStart(start, end, pieces, sliceBytes);
      const began = clock.monotonic();
      const move = (held: readonly SectorSpan[]): Promise<void> =>
        files.use((store) => store.moveTail(from, clipped(held, from, end)));
      try {
        await segments.whileStill(sectorsOf(from, end), move, { signal });
      } catch (error) {
        if (!isNoRoom(error) || sliceBytes <= SEGMENT_BYTES) throw error;
        sliceBytes /= 2; // less room to begin with may do
        continue;
      }
      tail = from;
      await rest(clock.monotonic() - began, signal);
    }
  }
}

/** Where a slice that ends at `end` begins: so that `sliceBytes` of it are kept, about. */
function sliceStart(
  start: number,
  end: number,
  pieces: readonly SectorSpan[],
  sliceBytes: number,
): number {
  let kept = 0;
  for (const piece of pieces.toReversed()) {
    const from = piece.start * SECTOR_BYTES;
    const to = Math.min(piece.end * SECTOR_BYTES, end);
    if (to <= from) continue;
    if (kept + (to - from) >= sliceBytes) {
      const at = to - (sliceBytes - kept);
      // On a multiple of a segment, which no piece reaches over, and always some way forward.
      const aligned = Math.floor(at / SEGMENT_BYTES) * SEGMENT_BYTES;
      return Math.max(start, Math.min(aligned, Math.ceil(end / SEGMENT_BYTES - 1) * SEGMENT_BYTES));
    }
    kept += to - from;
  }
  return start;
}

/** Sectors of bytes `[from, to)`, out to multiples of 1,024. */
function sectorsOf(from: number, to: number): SectorSpan {
  return {
    start: Math.floor(from / SEGMENT_BYTES) * SEGMENT_SECTORS,
    end: Math.ceil(to / SEGMENT_BYTES) * SEGMENT_SECTORS,
  };
}

function clipped(pieces: readonly SectorSpan[], from: number, to: number): ByteSpan[] {
  const spans: ByteSpan[] = [];
  for (const piece of pieces) {
    const offset = Math.max(from, piece.start * SECTOR_BYTES);
    const length = Math.min(to, piece.end * SECTOR_BYTES) - offset;
    if (length > 0) spans.push({ offset, length });
  }
  return spans;
}

/** Room that pieces take, in whole blocks. */
function bytesOf(pieces: readonly SectorSpan[]): number {
  let bytes = 0;
  for (const { start, end } of pieces) {
    const first = Math.floor((start * SECTOR_BYTES) / BLOCK_BYTES);
    const last = Math.ceil((end * SECTOR_BYTES) / BLOCK_BYTES);
    bytes += (last - first) * BLOCK_BYTES;
  }
  return bytes;
}
