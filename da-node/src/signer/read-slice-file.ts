import { open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { viewOf } from '@cairn/primitives';
import {
  parseSliceHead,
  SLICE_HEAD_START_BYTES,
  type SlicePlaces,
  sliceHeadBytes,
  slicePlaces,
} from './slice-file.ts';
import { type HeldSlice, leafOf } from './slice-index.ts';

/** A row as it lies on disk, with what proves it, as it was proven once. */
export interface StoredRows {
  /** Coset roots, then combinations. */
  readonly proving: Uint8Array;
  /** Index u32 (little-endian), bytes and path of each row, in the order asked for. */
  readonly rows: readonly Uint8Array[];
}

interface Handle {
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

/**
 * The slice of a file, if its head and its length are right.
 *
 * @param name - the leaf that the file is named after
 */
export async function readHeld(path: string, name: string): Promise<HeldSlice | undefined> {
  const { size } = await stat(path);
  const handle = await open(path, 'r');
  try {
    const start = await readAt(handle, 0, SLICE_HEAD_START_BYTES);
    const headBytes = start === undefined ? undefined : sliceHeadBytes(start);
    if (headBytes === undefined) return undefined;
    const bytes = await readAt(handle, 0, headBytes);
    const head = bytes === undefined ? undefined : parseSliceHead(bytes);
    if (head === undefined || slicePlaces(head).fileBytes !== size) return undefined;
    const leaf = leafOf(head.header);
    return leaf === name ? { ...head, leaf, fileBytes: size } : undefined;
  } finally {
    await handle.close();
  }
}

/** Rows by their place in the slice, if they and what proves them are as they were written. */
export async function readStored(
  handle: Handle,
  places: SlicePlaces,
  indexes: readonly number[],
): Promise<StoredRows | undefined> {
  const { provingAt, provingBytes, provingCheckAt } = places;
  const proving = await readChecked(handle, provingAt, provingBytes, provingCheckAt);
  if (proving === undefined) return undefined;
  const rows: Uint8Array[] = [];
  for (const index of indexes) {
    const at = places.rowsAt + index * places.rowBytes;
    const row = await readChecked(handle, at, places.rowBytes, places.checksAt + index * 4);
    if (row === undefined) return undefined;
    rows.push(row);
  }
  return { proving, rows };
}

/** Bytes that are what they were when their checksum was taken. */
async function readChecked(
  handle: Handle,
  at: number,
  length: number,
  checkAt: number,
): Promise<Uint8Array | undefined> {
  const bytes = await readAt(handle, at, length);
  const check = await readAt(handle, checkAt, 4);
  if (bytes === undefined || check === undefined) return undefined;
  return viewOf(check).getUint32(0) === crc32(bytes) ? bytes : undefined;
}

async function readAt(handle: Handle, at: number, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, at + done);
    if (bytesRead === 0) return undefined;
    done += bytesRead;
  }
  return bytes;
}
