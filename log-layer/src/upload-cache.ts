import type { VerifiedSegment } from '@cairn/commitments';
import {
  CACHED_FILE_EXPIRY_MS,
  type Clock,
  formatBytes,
  MAX_CACHED_BYTES,
  MAX_CACHED_FILE_BYTES,
  type Root,
  rootOf,
} from '@cairn/primitives';
import { CacheError } from './errors.ts';
import type { LogEntry } from './log-entry.ts';
import type { LogMetrics } from './metrics.ts';

/**
 * A segment counts as this much at least: objects and buffers around one sector take over a
 * kilobyte, so a quarter of a million of them would take many times the memory allowed.
 */
export const LEAST_WEIGHT_BYTES = 4096;

export interface UploadCacheOptions {
  /** Largest file that may wait, 10 MiB unless told. */
  readonly maxFileBytes?: number;
  /** Bytes of all that waits, 64 MiB unless told; a segment counts as 4 KiB at least. */
  readonly maxBytes?: number;
  /** How long a file waits after its last new segment, 5 minutes unless told. */
  readonly expiryMs?: number;
}

interface WaitingFile {
  readonly segments: Map<number, VerifiedSegment>;
  expiresAt: number;
  sizeBytes: number;
}

/**
 * Segments of files whose log entry is not known here yet, in memory. Files are told apart by root
 * and size: whoever claims another size for a root does not disturb the right one.
 */
export class UploadCache {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #metrics: LogMetrics;
  readonly #maxFileBytes: number;
  readonly #maxBytes: number;
  readonly #expiryMs: number;
  /** The file with the oldest new segment comes first. */
  readonly #files = new Map<string, WaitingFile>();
  #sizeBytes = 0;

  constructor(
    deps: { readonly clock: Pick<Clock, 'monotonic'>; readonly metrics: LogMetrics },
    options: UploadCacheOptions = {},
  ) {
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#maxFileBytes = options.maxFileBytes ?? MAX_CACHED_FILE_BYTES;
    this.#maxBytes = options.maxBytes ?? MAX_CACHED_BYTES;
    this.#expiryMs = options.expiryMs ?? CACHED_FILE_EXPIRY_MS;
  }

  /** Bytes that wait now, each segment counted as 4 KiB at least. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** How many segments of a file wait. */
  countOf(root: Root, sizeBytes: number): number {
    this.#expire();
    return this.#files.get(keyOf(root, sizeBytes))?.segments.size ?? 0;
  }

  /**
   * Keeps a copy of a segment until its entry comes or it expires.
   *
   * The entry may have come while the segment was on its way here: look for it once more after
   * this, and `flush` if it is there.
   *
   * @returns `held` if it waits already
   * @throws {CacheError} CACHE_FILE_TOO_LARGE, CACHE_FULL
   */
  add(segment: VerifiedSegment): 'cached' | 'held' {
    this.#expire();
    const { sizeBytes } = segment;
    const weight = weightOf(segment);
    if (sizeBytes > this.#maxFileBytes) {
      throw new CacheError(
        { code: 'CACHE_FILE_TOO_LARGE', sizeBytes, maxBytes: this.#maxFileBytes },
        `a file of ${formatBytes(sizeBytes)} waits for its log entry elsewhere; here at most ` +
          `${formatBytes(this.#maxFileBytes)} may`,
      );
    }
    const key = keyOf(rootOf(segment.root), sizeBytes);
    const file = this.#files.get(key) ?? { segments: new Map(), expiresAt: 0, sizeBytes: 0 };
    if (file.segments.has(segment.index)) return 'held';
    if (this.#sizeBytes + weight > this.#maxBytes) {
      throw new CacheError(
        { code: 'CACHE_FULL', heldBytes: this.#sizeBytes, maxBytes: this.#maxBytes },
        `${formatBytes(this.#sizeBytes)} wait for their log entries, at most ` +
          `${formatBytes(this.#maxBytes)} may`,
      );
    }
    // A copy: the segment may be a small part of a request that would be kept alive whole.
    file.segments.set(segment.index, ownCopy(segment));
    file.sizeBytes += weight;
    file.expiresAt = this.#clock.monotonic() + this.#expiryMs;
    this.#files.delete(key);
    this.#files.set(key, file);
    this.#resize(weight);
    return 'cached';
  }

  /**
   * Hands the segments that wait for an entry to `put`, each leaving the cache once it is stored.
   *
   * @returns how many were stored
   * @throws what `put` throws; the rest waits on
   */
  async flush(
    entry: LogEntry,
    put: (entry: LogEntry, segment: VerifiedSegment) => Promise<unknown>,
  ): Promise<number> {
    this.#expire();
    const key = keyOf(entry.root, entry.sizeBytes);
    const file = this.#files.get(key);
    if (file === undefined) return 0;
    let stored = 0;
    for (const [index, segment] of file.segments) {
      await put(entry, segment);
      stored += 1;
      if (!file.segments.delete(index)) continue; // expired meanwhile
      file.sizeBytes -= weightOf(segment);
      this.#resize(-weightOf(segment));
    }
    if (file.segments.size === 0 && this.#files.get(key) === file) this.#files.delete(key);
    return stored;
  }

  #expire(): void {
    const now = this.#clock.monotonic();
    for (const [key, file] of this.#files) {
      if (file.expiresAt > now) break;
      this.#files.delete(key);
      this.#resize(-file.sizeBytes);
      file.segments.clear();
      file.sizeBytes = 0;
    }
  }

  #resize(change: number): void {
    this.#sizeBytes += change;
    this.#metrics.cachedBytes.set(this.#sizeBytes);
  }
}

function keyOf(root: Root, sizeBytes: number): string {
  return `${root}:${sizeBytes}`;
}

function weightOf({ data }: VerifiedSegment): number {
  return Math.max(data.length, LEAST_WEIGHT_BYTES);
}

function ownCopy(segment: VerifiedSegment): VerifiedSegment {
  const siblings = segment.proof.siblings.map((sibling) => sibling.slice());
  const { root, data } = segment;
  return { ...segment, root: root.slice(), data: data.slice(), proof: { siblings } };
}
