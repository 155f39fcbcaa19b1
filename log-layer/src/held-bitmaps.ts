import { LruCache, SECTOR_BYTES, SingleFlight } from '@cairn/primitives';
import { HeldSegments } from './held-segments.ts';
import type { FilePlace } from './piece.ts';

/** Memory for bitmaps of files asked for lately: a 4 GiB file takes 2 KiB. */
const MAX_BITMAP_BYTES = 16 * 1024 * 1024;
/** What a small bitmap costs besides its bits. */
const OVERHEAD_BYTES = 400;

interface Reading {
  readonly held: HeldSegments;
  readonly file: FilePlace;
  /** Set when a piece vanished while the bitmap was being read. */
  isStale: boolean;
}

/** Which segments of a file are held, kept in memory for files asked for lately. */
export class HeldBitmaps {
  readonly #scan: (file: FilePlace) => AsyncIterable<number>;
  readonly #known = new LruCache<string, HeldSegments>({
    maxWeight: MAX_BITMAP_BYTES,
    weigh: ({ sizeBytes }) => sizeBytes + OVERHEAD_BYTES,
  });
  readonly #reading = new Map<string, Reading>();
  readonly #flights = new SingleFlight<HeldSegments>();

  /** @param scan - reads from the store which indexes of a file are held */
  constructor(scan: (file: FilePlace) => AsyncIterable<number>) {
    this.#scan = scan;
  }

  /** What is held of a file of `segments` segments; goes on changing as pieces are stored. */
  async of(file: FilePlace, segments: number, signal: AbortSignal): Promise<HeldSegments> {
    const key = keyOf(file);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    return this.#flights.run(key, () => this.#read(key, file, segments), signal);
  }

  /** A segment is held from now on. */
  add(file: FilePlace, index: number): void {
    const key = keyOf(file);
    this.#reading.get(key)?.held.add(index);
    const known = this.#known.get(key);
    if (known === undefined) return;
    known.add(index);
    this.#known.set(key, known); // it may weigh more now
  }

  /** Pieces vanished, of whatever files. Rare, so nobody works out which. */
  forgetAll(): void {
    this.forget(0, Number.POSITIVE_INFINITY);
  }

  /**
   * Pieces vanished that begin at sectors from `start` to before `end`. Bitmaps of files elsewhere that
   * are being read go on: a sweep that takes minutes would have them begin again and again.
   */
  forget(start: number, end: number): void {
    this.#known.clear();
    for (const reading of this.#reading.values()) {
      const { startSector, sizeBytes } = reading.file;
      const isApart = startSector >= end || startSector + sizeBytes / SECTOR_BYTES <= start;
      if (!isApart) reading.isStale = true;
    }
  }

  async #read(key: string, file: FilePlace, segments: number): Promise<HeldSegments> {
    try {
      for (;;) {
        const reading: Reading = { held: new HeldSegments(segments), file, isStale: false };
        this.#reading.set(key, reading); // pieces stored meanwhile are added to it
        for await (const index of this.#scan(file)) reading.held.add(index);
        if (reading.isStale) continue;
        this.#known.set(key, reading.held);
        return reading.held;
      }
    } finally {
      this.#reading.delete(key);
    }
  }
}

function keyOf({ root, startSector, sizeBytes }: FilePlace): string {
  return `${root}:${startSector}:${sizeBytes}`;
}
