import { createHash } from 'node:crypto';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { isCopiedKey, isCopySound, LogStore, pieceWrite } from '@cairn/log-layer';
import {
  acquireDirectoryLock,
  type DirectoryLock,
  errnoOf,
  openDataDirectory,
  openFlatFileStore,
  syncDirectory,
} from '@cairn/node-runtime/files';
import { openLevelStore } from '@cairn/node-runtime/level';
import {
  chainIdOf,
  type FileStore,
  type KeyValueStore,
  type KeyValueWrite,
  MIB,
  parseAddress,
  readSafeU64,
  SECTOR_BYTES,
  viewOf,
} from '@cairn/primitives';
import { StorageNodeError } from '../errors.ts';
import { VERSION } from '../version.ts';
import type { SnapshotTotals } from './snapshot.ts';
import { damagedAt, FRAME, type Frame, frameJson, readFrames } from './snapshot-frames.ts';

const LAYOUT = 1;
/** Data is made durable, and then recorded, in portions of about this. */
const PORTION_BYTES = 64 * MIB;
const FIXED_BYTES = 12;

/**
 * Makes a data directory from a snapshot. Every segment is proven against its root and everything
 * compared with the checksums before the directory gets its name: it is whole or not there.
 *
 * @param directory - not there yet, or empty
 * @throws {StorageNodeError} DB_EXISTS, SNAPSHOT_DAMAGED; {StorageError} DISK_FULL; what the stream throws
 */
export async function restoreSnapshot(
  stream: AsyncIterable<Uint8Array>,
  directory: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<SnapshotTotals> {
  await requireVacant(directory);
  const staging = `${resolve(directory)}.restoring`;
  const lock = await lockStaging(staging);
  try {
    // What an earlier restore left that was cut off.
    for (const name of ['index', 'segments', 'FORMAT', 'VERSION']) {
      await rm(join(staging, name), { recursive: true, force: true });
    }
    const totals = await fill(stream, staging, signal);
    await lock.release();
    for (const name of await readdir(staging)) {
      if (name.startsWith('LOCK.')) await rm(join(staging, name), { force: true });
    }
    await requireVacant(directory);
    await rmdir(directory).catch((error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
    });
    await syncDirectory(staging);
    await rename(staging, directory);
    await syncDirectory(dirname(resolve(directory)));
    return totals;
  } catch (error) {
    await lock.release();
    await rm(staging, { recursive: true, force: true }).catch(() => undefined); // the first failure is told
    throw error;
  }
}

async function lockStaging(staging: string): Promise<DirectoryLock> {
  try {
    return await acquireDirectoryLock(staging);
  } catch (error) {
    await rmdir(staging).catch(() => undefined); // made just now; what others have in it stays
    throw error;
  }
}

async function requireVacant(directory: string): Promise<void> {
  try {
    if ((await readdir(directory)).length === 0) return;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  throw new StorageNodeError(
    { code: 'DB_EXISTS', path: directory },
    `${directory} holds something already; restore into a new or an empty directory`,
  );
}

async function fill(
  stream: AsyncIterable<Uint8Array>,
  staging: string,
  signal: AbortSignal,
): Promise<SnapshotTotals> {
  const hasher = await loadHasher();
  const kv = await openLevelStore({ directory: join(staging, 'index') });
  try {
    const files = await openFlatFileStore({ directory: join(staging, 'segments') });
    try {
      return await new Restoring(staging, kv, files, hasher).run(stream, signal);
    } finally {
      await files.close();
    }
  } finally {
    await kv.close();
  }
}

/** One restore: takes frames in order and ends with the totals, or throws. */
class Restoring {
  readonly #staging: string;
  readonly #kv: KeyValueStore;
  readonly #files: FileStore;
  readonly #hasher: Hasher;
  readonly #hash = createHash('sha256');
  #records: KeyValueWrite[] = [];
  #portionBytes = 0;
  #head: Readonly<Record<string, unknown>> | undefined;
  #counts = { entries: 0, pieces: 0, pieceBytes: 0 };

  constructor(staging: string, kv: KeyValueStore, files: FileStore, hasher: Hasher) {
    this.#staging = staging;
    this.#kv = kv;
    this.#files = files;
    this.#hasher = hasher;
  }

  async run(stream: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SnapshotTotals> {
    let totals: SnapshotTotals | undefined;
    for await (const frame of readFrames(stream, (bytes) => this.#hash.update(bytes))) {
      signal.throwIfAborted();
      if (this.#head === undefined && frame.kind !== FRAME.head) {
        throw damagedAt(frame.offset, 'it does not begin with its head');
      }
      if (frame.kind === FRAME.head) await this.#takeHead(frame);
      else if (frame.kind === FRAME.entries) await this.#takeEntries(frame);
      else if (frame.kind === FRAME.piece) await this.#takePiece(frame);
      else if (frame.kind === FRAME.end) totals = await this.#takeEnd(frame, signal);
      else throw damagedAt(frame.offset, `frames of kind ${frame.kind} are not known`);
    }
    if (totals === undefined) throw damagedAt(0, 'it has no end');
    return totals;
  }

  async #takeHead(frame: Frame): Promise<void> {
    const head = frameJson(frame);
    const { layout, chainId } = head;
    if (this.#head !== undefined || layout !== LAYOUT || typeof chainId !== 'number') {
      throw damagedAt(frame.offset, `its head is not one of layout ${LAYOUT}`);
    }
    this.#head = head;
    await openDataDirectory({
      directory: this.#staging,
      kind: 'storage-node',
      chainId: chainIdOf(chainId),
      format: LAYOUT,
      version: VERSION,
    });
  }

  async #takeEntries({ payload, offset }: Frame): Promise<void> {
    const view = viewOf(payload);
    const batch: KeyValueWrite[] = [];
    for (let at = 0; at < payload.length; ) {
      if (at + 8 > payload.length) throw damagedAt(offset, 'an entry is cut short');
      const [keyBytes, valueBytes] = [view.getUint32(at), view.getUint32(at + 4)];
      const end = at + 8 + keyBytes + valueBytes;
      if (end > payload.length) throw damagedAt(offset, 'an entry is cut short');
      const key = payload.slice(at + 8, at + 8 + keyBytes);
      if (!isCopiedKey(key)) throw damagedAt(offset, 'a record of a segment comes without it');
      batch.push({ type: 'put', key, value: payload.slice(at + 8 + keyBytes, end) });
      at = end;
    }
    this.#counts.entries += batch.length;
    await this.#kv.write(batch);
  }

  async #takePiece({ payload, offset }: Frame): Promise<void> {
    if (payload.length < FIXED_BYTES) throw damagedAt(offset, 'a segment is cut short');
    const view = viewOf(payload);
    const sector = readSafeU64(view, 0);
    const recordEnd = FIXED_BYTES + view.getUint32(8);
    const piece = { sector, record: payload.slice(FIXED_BYTES, recordEnd) };
    const data = payload.subarray(recordEnd);
    const checks = { checksum: (bytes: Uint8Array) => crc32(bytes), hasher: this.#hasher };
    if (!isCopySound(piece, data, checks)) {
      throw damagedAt(offset, `the segment for sector ${sector} is not what its record says`);
    }
    await this.#files.write(sector * SECTOR_BYTES, data);
    this.#records.push(pieceWrite(piece));
    this.#counts.pieces += 1;
    this.#counts.pieceBytes += data.length;
    this.#portionBytes += data.length;
    if (this.#portionBytes >= PORTION_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#files.sync();
    await this.#kv.write(this.#records, { sync: true });
    this.#records = [];
    this.#portionBytes = 0;
  }

  async #takeEnd(frame: Frame, signal: AbortSignal): Promise<SnapshotTotals> {
    const told = frameJson(frame);
    const sha256 = this.#hash.copy().digest('hex');
    const totals = { ...this.#counts, sha256 };
    for (const [field, value] of Object.entries(totals)) {
      if (told[field] === value) continue;
      throw damagedAt(frame.offset, `${field} is ${value}, it says ${String(told[field])}`);
    }
    await this.#flush();
    const { chainId, flow } = this.#head ?? {};
    const identity = { chainId: chainIdOf(Number(chainId)), flow: parseAddress(String(flow)) };
    await LogStore.open(this.#kv, identity, { signal }); // its state must be one that can be read
    return totals;
  }
}
