import { type BlobHeader, encodeBlobHeader, leafHash, promiseSlotOf } from '@cairn/attestation';
import { type Address, type Root, rootOf } from '@cairn/primitives';
import type { SliceFileHead } from './slice-file.ts';

/** A slice that is on the disk, whole. */
export interface HeldSlice extends SliceFileHead {
  /** The leaf of its header: its name here. */
  readonly leaf: Root;
  readonly fileBytes: number;
}

/** The leaf of a header as text. */
export function leafOf(header: BlobHeader): Root {
  return rootOf(leafHash(encodeBlobHeader(header)));
}

/** What is held, found by leaf, by commitment, by slot and by payer. All in memory, some 1.5 KB each. */
export class SliceIndex {
  readonly #byLeaf = new Map<Root, HeldSlice>();
  readonly #byCommitment = new Map<Root, Set<Root>>();
  readonly #bySlot = new Map<string, Root>();
  readonly #byPayer = new Map<Address, Set<Root>>();
  #bytes = 0;

  /** Slices held. */
  get count(): number {
    return this.#byLeaf.size;
  }

  /** Bytes of their files. */
  get bytes(): number {
    return this.#bytes;
  }

  get(leaf: Root): HeldSlice | undefined {
    return this.#byLeaf.get(leaf);
  }

  /** All slices, in no order. */
  all(): IterableIterator<HeldSlice> {
    return this.#byLeaf.values();
  }

  /** Slices of one blob, one for each of its dispersals. */
  ofCommitment(commitment: Root): HeldSlice[] {
    return this.#listed(this.#byCommitment.get(commitment));
  }

  /** Slices that a payer has promised to pay for. */
  ofPayer(payer: Address): HeldSlice[] {
    return this.#listed(this.#byPayer.get(payer));
  }

  /** The slice that is held for the place of this header, whatever its content. */
  inSlotOf(header: BlobHeader): HeldSlice | undefined {
    const leaf = this.#bySlot.get(slotKey(header));
    return leaf === undefined ? undefined : this.#byLeaf.get(leaf);
  }

  /** Puts a slice in, in place of one of the same leaf. */
  add(slice: HeldSlice): void {
    this.remove(slice.leaf);
    this.#byLeaf.set(slice.leaf, slice);
    this.#bytes += slice.fileBytes;
    addTo(this.#byCommitment, rootOf(slice.header.commitment), slice.leaf);
    this.#bySlot.set(slotKey(slice.header), slice.leaf);
    if (slice.promise !== undefined) addTo(this.#byPayer, slice.header.submitter, slice.leaf);
  }

  /** Takes a slice out; nothing happens if there is none. */
  remove(leaf: Root): void {
    const slice = this.#byLeaf.get(leaf);
    if (slice === undefined) return;
    this.#byLeaf.delete(leaf);
    this.#bytes -= slice.fileBytes;
    removeFrom(this.#byCommitment, rootOf(slice.header.commitment), leaf);
    removeFrom(this.#byPayer, slice.header.submitter, leaf);
    const key = slotKey(slice.header);
    if (this.#bySlot.get(key) === leaf) this.#bySlot.delete(key);
  }

  #listed(leaves: ReadonlySet<Root> | undefined): HeldSlice[] {
    const slices: HeldSlice[] = [];
    for (const leaf of leaves ?? []) {
      const slice = this.#byLeaf.get(leaf);
      if (slice !== undefined) slices.push(slice);
    }
    return slices;
  }
}

/**
 * The place that one blob only can have. A shard has one entrance at a time, so shard and index tell,
 * with its payer if it was promised.
 */
export function slotKey({ shardId, submissionIndex, submitter }: BlobHeader): string {
  const isPromised = promiseSlotOf(submissionIndex) !== undefined;
  return isPromised
    ? `${shardId}/${submitter}/${submissionIndex}`
    : `${shardId}/${submissionIndex}`;
}

function addTo<Key>(map: Map<Key, Set<Root>>, key: Key, leaf: Root): void {
  const leaves = map.get(key);
  if (leaves === undefined) map.set(key, new Set([leaf]));
  else leaves.add(leaf);
}

function removeFrom<Key>(map: Map<Key, Set<Root>>, key: Key, leaf: Root): void {
  const leaves = map.get(key);
  leaves?.delete(leaf);
  if (leaves?.size === 0) map.delete(key);
}
