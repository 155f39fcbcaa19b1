import { ascent } from '../tree/sorted-tree.ts';
import { SUBTREE } from './snapshot-format.ts';

/** Rows that follow each other. */
export interface RowGroup<Row> {
  /** Whether they are all below one branch of their tree, and few enough to be read together. */
  readonly isSubtree: boolean;
  readonly rows: readonly Row[];
}

/** Rows below one branch; `isCut` once they were given out. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly isCut: boolean;
}

/** A page that more rows may come to. */
interface OpenPage {
  readonly position: number;
  /** The number of its first row. */
  readonly start: number;
  parts: Part[];
  /** Whether it is too large to be a subtree, so that its parts are given out as they end. */
  isCut: boolean;
}

interface Held<Row> {
  readonly row: Row;
  readonly keyBytes: number;
  /** Bytes of all rows before it. */
  readonly bytesBefore: number;
}

/**
 * Cuts the rows of a tree, told in the order of their keys, into the largest subtrees within the bounds of
 * `SUBTREE`, and what is left between them. Holds no more rows than a subtree has, and one.
 */
export class SubtreeCuts<Row> {
  readonly #held: Held<Row>[] = [];
  /** Pages on the way to the last key, from above. */
  readonly #open: OpenPage[] = [];
  #last: Uint8Array | undefined;
  /** Rows told, and their bytes. */
  #count = 0;
  #bytes = 0;

  /**
   * Tells the next row.
   *
   * @param key - behind all others, not to be changed
   * @returns what is known now to belong together, in order
   */
  add(key: Uint8Array, row: Row, bytes: number): readonly RowGroup<Row>[] {
    const groups: RowGroup<Row>[] = [];
    if (this.#last !== undefined) this.#place(ascent(this.#last, key), groups);
    this.#last = key;
    this.#held.push({ row, keyBytes: key.length, bytesBefore: this.#bytes });
    this.#count += 1;
    this.#bytes += bytes;
    for (const page of this.#open) {
      if (page.isCut) continue;
      if (this.#isSmall(page.start, this.#count)) break; // and so are those below
      page.isCut = true;
      for (const part of page.parts) this.#take(part, groups);
      page.parts = [];
    }
    return groups;
  }

  /** Says that no row follows. @returns what is left */
  end(): readonly RowGroup<Row>[] {
    const groups: RowGroup<Row>[] = [];
    if (this.#last !== undefined) this.#place(-1, groups);
    return groups;
  }

  /** Puts the last row where the next one leaves it. */
  #place(position: number, groups: RowGroup<Row>[]): void {
    let part: Part = { start: this.#count - 1, end: this.#count, isCut: false };
    for (let page = this.#open.at(-1); page !== undefined; page = this.#open.at(-1)) {
      if (page.position <= position) break;
      this.#append(page, part, groups);
      this.#open.pop();
      part = { start: page.start, end: part.end, isCut: page.isCut };
    }
    if (position < 0) {
      this.#take(part, groups);
      return;
    }
    let page = this.#open.at(-1);
    if (page?.position !== position) {
      page = { position, start: part.start, parts: [], isCut: part.isCut };
      this.#open.push(page);
    }
    this.#append(page, part, groups);
  }

  #append(page: OpenPage, part: Part, groups: RowGroup<Row>[]): void {
    if (page.isCut) this.#take(part, groups);
    else page.parts.push(part);
  }

  #take({ start, end, isCut }: Part, groups: RowGroup<Row>[]): void {
    if (isCut) return;
    const count = end - start;
    const isSmall = count >= SUBTREE.minRows && this.#isSmall(start, end);
    const held = this.#held.splice(0, count);
    const keyBytes = Math.max(held[0]?.keyBytes ?? 0, held.at(-1)?.keyBytes ?? 0);
    const isSubtree = isSmall && keyBytes <= SUBTREE.maxKeyBytes;
    groups.push({ isSubtree, rows: held.map(({ row }) => row) });
  }

  /** Whether rows are within the bounds of a subtree. */
  #isSmall(start: number, end: number): boolean {
    const first = this.#count - this.#held.length;
    const from = this.#held[start - first]?.bytesBefore ?? 0;
    const to = this.#held[end - first]?.bytesBefore ?? this.#bytes;
    return end - start <= SUBTREE.maxRows && to - from <= SUBTREE.maxBytes;
  }
}
