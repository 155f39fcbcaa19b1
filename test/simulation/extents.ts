/** Bytes at a place. */
export interface Extent {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A sparse space of bytes made of the pieces that were written into it, which are not copied. */
export class Extents {
  /** By offset; none overlap. */
  #extents: Extent[] = [];

  get sizeBytes(): number {
    return this.#extents.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The pieces written, in order. */
  get all(): readonly Extent[] {
    return this.#extents;
  }

  /** Puts bytes in place of what is there. @returns what was there */
  put(offset: number, bytes: Uint8Array): readonly Extent[] {
    const before = this.clear(offset, bytes.length);
    this.#extents.splice(this.#firstFrom(offset), 0, { offset, bytes });
    return before;
  }

  /** Leaves zeros. @returns what was there */
  clear(offset: number, length: number): readonly Extent[] {
    const end = offset + length;
    const from = this.#firstReaching(offset);
    let to = from;
    const removed: Extent[] = [];
    const kept: Extent[] = [];
    for (; to < this.#extents.length; to += 1) {
      const extent = this.#extents[to];
      if (extent === undefined || extent.offset >= end) break;
      const extentEnd = extent.offset + extent.bytes.length;
      const [start, stop] = [Math.max(offset, extent.offset), Math.min(end, extentEnd)];
      removed.push(partOf(extent, start, stop));
      if (extent.offset < offset) kept.push(partOf(extent, extent.offset, offset));
      if (extentEnd > end) kept.push(partOf(extent, end, extentEnd));
    }
    this.#extents.splice(from, to - from, ...kept);
    return removed;
  }

  /** Bytes that nobody may change: where they were written together, they are what was written. */
  read(offset: number, length: number): Uint8Array {
    const extent = this.#extents[this.#firstReaching(offset)];
    if (extent !== undefined && extent.offset <= offset) {
      const start = offset - extent.offset;
      if (start + length <= extent.bytes.length)
        return extent.bytes.subarray(start, start + length);
    }
    const bytes = new Uint8Array(length);
    this.readInto(offset, bytes);
    return bytes;
  }

  readInto(offset: number, target: Uint8Array): void {
    target.fill(0);
    const end = offset + target.length;
    for (let at = this.#firstReaching(offset); at < this.#extents.length; at += 1) {
      const extent = this.#extents[at];
      if (extent === undefined || extent.offset >= end) return;
      const start = Math.max(offset, extent.offset);
      const stop = Math.min(end, extent.offset + extent.bytes.length);
      target.set(partOf(extent, start, stop).bytes, start - offset);
    }
  }

  /** The first extent that begins at `offset` or after it. */
  #firstFrom(offset: number): number {
    let [low, high] = [0, this.#extents.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#extents[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first extent that ends after `offset`. */
  #firstReaching(offset: number): number {
    const at = this.#firstFrom(offset);
    const before = this.#extents[at - 1];
    return before !== undefined && before.offset + before.bytes.length > offset ? at - 1 : at;
  }
}

function partOf({ offset, bytes }: Extent, start: number, stop: number): Extent {
  const isWhole = start === offset && stop === offset + bytes.length;
  return {
    offset: start,
    bytes: isWhole ? bytes : bytes.subarray(start - offset, stop - offset),
  };
}
