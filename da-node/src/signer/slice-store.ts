import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VerifiedSlice } from '@cairn/erasure-codec';
import { diskFault, errnoOf, freeBytesAt, writeFileAtomic } from '@cairn/node-runtime/files';
import { type Address, forEachConcurrent, type Logger, MIB, type Root } from '@cairn/primitives';
import { SignerError } from '../errors.ts';
import { SpareMemory } from '../spare-memory.ts';
import { readHeld, readStored, type StoredRows } from './read-slice-file.ts';
import {
  encodeSliceFile,
  parseSliceHead,
  type SliceClaim,
  sliceFileBytes,
  sliceHeadBytes,
  slicePlaces,
} from './slice-file.ts';
import { folderOf, SliceFolders } from './slice-folders.ts';
import { type HeldSlice, leafOf, SliceIndex, slotKey } from './slice-index.ts';

/** Where slices lie and how many. */
export interface SliceStoreOptions {
  readonly directory: string;
  /** Bytes of all files at most. */
  readonly capacityBytes: number;
  /** Bytes that stay free on the file system. */
  readonly reserveBytes: number;
  /** Slices at most; each takes some 1.5 KB of memory. 200,000 unless told. */
  readonly maxSlices?: number;
  /** What is free on the file system; asked of the system unless told. */
  readonly freeBytes?: () => Promise<number | undefined>;
  readonly logger: Logger;
}

const MAX_SLICES = 200_000;
/** Memory of files that were written, kept for the next: a few of the sizes that come often. */
const MAX_IDLE_BYTES: number = 32 * MIB;
const FILE_NAME = /^([0-9a-f]{64})\.slice$/;
/** Heads read at once when the store is opened. */
const PARALLEL_HEADS = 16;

/**
 * Keeps verified slices, one file each, durable before `put` returns. A file is written under another
 * name, synced and renamed, so a crash leaves it whole or not at all.
 */
export class SliceStore {
  readonly #options: SliceStoreOptions;
  readonly #folders: SliceFolders;
  readonly #index = new SliceIndex();
  /** Files being written or removed, by the place of their blob: one at a time each. */
  readonly #writing = new Map<string, Promise<unknown>>();
  #reservedBytes = 0;
  #reservedSlices = 0;
  readonly #spare = new SpareMemory({ maxIdleBytes: MAX_IDLE_BYTES });

  private constructor(options: SliceStoreOptions, folders: SliceFolders) {
    this.#options = options;
    this.#folders = folders;
  }

  /**
   * Opens the store and lists what it holds. Files that are cut short or damaged in their head are
   * removed with a warning.
   *
   * @throws {StorageError} DISK_IO, DISK_FULL; the signal's reason
   */
  static async open(
    options: SliceStoreOptions,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<SliceStore> {
    const folders = await SliceFolders.open(options.directory);
    const store = new SliceStore(options, folders);
    for (const folder of folders.names()) await store.#list(folder, signal);
    return store;
  }

  /** Slices held. */
  get slices(): number {
    return this.#index.count;
  }

  /** Bytes of their files. */
  get heldBytes(): number {
    return this.#index.bytes;
  }

  get capacityBytes(): number {
    return this.#options.capacityBytes;
  }

  /** The slice of this leaf. */
  get(leaf: Root): HeldSlice | undefined {
    return this.#index.get(leaf);
  }

  /** Slices of one blob. */
  ofCommitment(commitment: Root): readonly HeldSlice[] {
    return this.#index.ofCommitment(commitment);
  }

  /** Slices of promised blobs of one payer. */
  ofPayer(payer: Address): readonly HeldSlice[] {
    return this.#index.ofPayer(payer);
  }

  /** No other blob may be held in the place of this one. @throws {SignerError} SLOT_HELD */
  assertFree(header: SliceClaim['header']): void {
    const held = this.#index.inSlotOf(header);
    if (held === undefined || held.leaf === leafOf(header)) return;
    const { submissionIndex } = header;
    throw new SignerError(
      { code: 'SLOT_HELD', submissionIndex },
      `another blob is held as ${submissionIndex}`,
    );
  }

  /** All slices, in no order. */
  all(): IterableIterator<HeldSlice> {
    return this.#index.all();
  }

  /**
   * Whether there is room for a slice, before any of it is received.
   *
   * @throws {SignerError} STORE_FULL
   */
  async assertRoom(claim: SliceClaim, rows: number): Promise<void> {
    await this.#assertRoom(sliceFileBytes(claim, rows));
  }

  /**
   * Stores a slice, in place of one with the same header; it is on the disk when this returns.
   *
   * @throws {SignerError} STORE_FULL, SLOT_HELD; {StorageError} DISK_FULL, DISK_IO; the signal's reason
   */
  async put(
    claim: SliceClaim,
    slice: VerifiedSlice,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<HeldSlice> {
    const leaf = leafOf(claim.header);
    return this.#inTurn(claim.header, async () => {
      this.assertFree(claim.header);
      return this.#write(leaf, claim, slice, signal);
    });
  }

  /**
   * Rows of a slice by their place in it. `undefined` if the file is gone or damaged there; then the
   * slice is not held any more.
   *
   * @throws {StorageError} DISK_IO
   */
  async read(slice: HeldSlice, places: readonly number[]): Promise<StoredRows | undefined> {
    const path = this.#pathOf(slice.leaf);
    try {
      const handle = await open(path, 'r');
      try {
        const rows = await readStored(handle, slicePlaces(slice), places);
        if (rows !== undefined) return rows;
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw await diskFault(error, { path, operation: 'read' });
    }
    if (await this.#drop(slice)) {
      this.#options.logger.error({ leaf: slice.leaf }, 'a stored slice is damaged and was dropped');
    }
    return undefined;
  }

  /** Gives a slice up; one that is delivered anew meanwhile stays. @throws {StorageError} DISK_IO */
  async remove(leaf: Root): Promise<void> {
    const slice = this.#index.get(leaf);
    if (slice !== undefined) await this.#drop(slice);
  }

  /** Whether it was this slice that was dropped, and not given up or replaced before. */
  #drop(slice: HeldSlice): Promise<boolean> {
    const { leaf, header } = slice;
    return this.#inTurn(header, async () => {
      if (this.#index.get(leaf) !== slice) return false;
      this.#index.remove(leaf);
      const path = this.#pathOf(leaf);
      try {
        await rm(path, { force: true });
        return true;
      } catch (error) {
        throw await diskFault(error, { path, operation: 'remove' });
      }
    });
  }

  /** Runs what changes the file of a place when all that came before is done. */
  async #inTurn<Result>(
    header: SliceClaim['header'],
    work: () => Promise<Result>,
  ): Promise<Result> {
    const place = slotKey(header);
    for (let other = this.#writing.get(place); other !== undefined; ) {
      await other.catch(() => undefined); // its own caller hears of it
      other = this.#writing.get(place);
    }
    const working = work();
    this.#writing.set(place, working);
    try {
      return await working;
    } finally {
      this.#writing.delete(place);
    }
  }

  async #write(
    leaf: Root,
    claim: SliceClaim,
    slice: VerifiedSlice,
    signal: AbortSignal,
  ): Promise<HeldSlice> {
    const fileBytes = sliceFileBytes(claim, slice.rows.length);
    await this.#assertRoom(fileBytes);
    this.#reservedBytes += fileBytes;
    this.#reservedSlices += 1;
    try {
      const file = encodeSliceFile(claim, slice, this.#spare.take(fileBytes));
      await this.#folders.make(folderOf(leaf));
      await writeFileAtomic(this.#pathOf(leaf), file, { signal });
      const head = parseSliceHead(file.slice(0, sliceHeadBytes(file)));
      this.#spare.giveBack(file);
      if (head === undefined) throw new Error('a slice file cannot be read back');
      const held = { ...head, leaf, fileBytes };
      this.#index.add(held);
      return held;
    } finally {
      this.#reservedBytes -= fileBytes;
      this.#reservedSlices -= 1;
    }
  }

  async #assertRoom(neededBytes: number): Promise<void> {
    const { capacityBytes, reserveBytes, maxSlices = MAX_SLICES, directory } = this.#options;
    const { freeBytes = () => freeBytesAt(directory) } = this.#options;
    const heldBytes = this.#index.bytes + this.#reservedBytes;
    if (heldBytes + neededBytes > capacityBytes) throw full(heldBytes, neededBytes, capacityBytes);
    if (this.#index.count + this.#reservedSlices >= maxSlices) {
      throw full(heldBytes, neededBytes, heldBytes);
    }
    const free = (await freeBytes()) ?? Number.POSITIVE_INFINITY;
    const room = free - reserveBytes - this.#reservedBytes;
    if (neededBytes > room) throw full(heldBytes, neededBytes, heldBytes + Math.max(0, room));
  }

  async #list(folder: string, signal: AbortSignal): Promise<void> {
    const path = join(this.#options.directory, folder);
    const names = await readdir(path);
    await forEachConcurrent(
      names,
      async (name) => {
        const leaf = FILE_NAME.exec(name)?.[1];
        const held = leaf === undefined ? undefined : await readHeld(join(path, name), `0x${leaf}`);
        if (held !== undefined) {
          this.#index.add(held);
          return;
        }
        if (!name.endsWith('.tmp')) {
          this.#options.logger.warn({ name }, 'a damaged slice file was removed');
        }
        await rm(join(path, name), { force: true });
      },
      { parallel: PARALLEL_HEADS, signal },
    );
  }

  #pathOf(leaf: Root): string {
    return join(this.#options.directory, folderOf(leaf), `${leaf.slice(2)}.slice`);
  }
}

function full(heldBytes: number, neededBytes: number, maxBytes: number): SignerError {
  return new SignerError(
    { code: 'STORE_FULL', heldBytes, neededBytes, maxBytes },
    `${heldBytes} bytes of slices are held; there is no room for ${neededBytes} more`,
  );
}
