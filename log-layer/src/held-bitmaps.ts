import { LruCache, SingleFlight } from '@cairn/primitives';
import type { HeldBitmap } from '@cairn/wire-protocol';
import type { FilePlace } from './piece.ts';

/** Memory for bitmaps of files asked for lately: a 4 GiB file takes 2 KiB. */
const MAX_BITMAP_BYTES = 16 * 1024 * 1024;
/** What a small bitmap costs besides its bits. */
const OVERHEAD_BYTES = 200;

interface Counted {
  readonly bits: Uint8Array;
  count: number;
  /** Set when a piece vanished while the bitmap was being read. */
  isStale: boolean;
}

/** Reads the indexes that are held of a file from the store. */
export type HeldScan = (file: FilePlace) => AsyncIterable<number>;

/** Which segments of a file are held, kept in memory for files asked for lately. */
export class HeldBitmaps {
  readonly #scan: HeldScan;
  readonly #known = new LruCache<string, Counted>({
    maxWeight: MAX_BITMAP_BYTES,
    weigh: ({ bits }) => bits.length + OVERHEAD_BYTES,
  });
  readonly #reading = new Map<string, Counted>();
  readonly #flights = new SingleFlight<Counted>();

  constructor(scan: HeldScan) {
    this.#scan = scan;
  }

  /** The bitmap of a file of `segments` segments, as of now. */
  async bitmap(file: FilePlace, segments: number, signal: AbortSignal): Promise<HeldBitmap> {
    const { bits } = await this.#load(file, segments, signal);
    return { segments, bits: bits.slice() };
  }

  /** How many segments of a file are held. */
  async count(file: FilePlace, segments: number, signal: AbortSignal): Promise<number> {
    return (await this.#load(file, segments, signal)).count;
  }

  /** A segment is held from now on. */
  add(file: FilePlace, index: number): void {
    const key = keyOf(file);
    for (const counted of [this.#known.get(key), this.#reading.get(key)]) {
      if (counted !== undefined) set(counted, index);
    }
  }

  /** Something of a file is not held any more. */
  forget(file: FilePlace): void {
    const key = keyOf(file);
    this.#known.delete(key);
    const reading = this.#reading.get(key);
    if (reading !== undefined) reading.isStale = true;
  }

  /** Something that overlaps many files changed. */
  forgetAll(): void {
    this.#known.clear();
    for (const reading of this.#reading.values()) reading.isStale = true;
  }

  async #load(file: FilePlace, segments: number, signal: AbortSignal): Promise<Counted> {
    const key = keyOf(file);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    return this.#flights.run(key, () => this.#read(key, file, segments), signal);
  }

  async #read(key: string, file: FilePlace, segments: number): Promise<Counted> {
    try {
      for (;;) {
        const counted = { bits: new Uint8Array(Math.ceil(segments / 8)), count: 0, isStale: false };
        this.#reading.set(key, counted); // pieces stored meanwhile are added to it
        for await (const index of this.#scan(file)) set(counted, index);
        if (counted.isStale) continue;
        this.#known.set(key, counted);
        return counted;
      }
    } finally {
      this.#reading.delete(key);
    }
  }
}

function keyOf({ root, startSector, sizeBytes }: FilePlace): string {
  return `${root}:${startSector}:${sizeBytes}`;
}

function set(counted: Counted, index: number): void {
  const at = Math.floor(index / 8);
  const bit = 1 << (index % 8);
  const byte = counted.bits[at];
  if (byte === undefined || (byte & bit) !== 0) return;
  counted.bits[at] = byte | bit;
  counted.count += 1;
}
