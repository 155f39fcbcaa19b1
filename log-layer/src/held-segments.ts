/** Bytes of a page; one stands for 2 GiB of a file. */
const PAGE_BYTES = 1024;
const PAGE_SEGMENTS = PAGE_BYTES * 8;

/**
 * Which segments of one file are held, as bits in pages that exist only where something is: a file
 * that claims to have petabytes costs no more memory than what is stored of it.
 */
export class HeldSegments {
  readonly #segments: number;
  readonly #pages = new Map<number, Uint8Array>();
  #count = 0;
  #sizeBytes = 0;

  /** @param segments - data segments of the file */
  constructor(segments: number) {
    this.#segments = segments;
  }

  /** How many are held. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of its pages. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  has(index: number): boolean {
    const page = this.#pages.get(Math.floor(index / PAGE_SEGMENTS));
    const at = index % PAGE_SEGMENTS;
    return page !== undefined && ((page[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  add(index: number): void {
    if (this.has(index)) return;
    const place = Math.floor(index / PAGE_SEGMENTS);
    const page = this.#pages.get(place) ?? this.#addPage(place);
    const at = index % PAGE_SEGMENTS;
    page[at >> 3] = (page[at >> 3] ?? 0) | (1 << (at & 7));
    this.#count += 1;
  }

  /** All of it as one bitmap: bit `i & 7` of byte `i >> 3` stands for segment i. */
  toBits(): Uint8Array {
    const bits = new Uint8Array(Math.ceil(this.#segments / 8));
    for (const [place, page] of this.#pages) bits.set(page, place * PAGE_BYTES);
    return bits;
  }

  #addPage(place: number): Uint8Array {
    const bytesLeft = Math.ceil(this.#segments / 8) - place * PAGE_BYTES;
    const page = new Uint8Array(Math.min(PAGE_BYTES, bytesLeft));
    this.#pages.set(place, page);
    this.#sizeBytes += page.length;
    return page;
  }
}
