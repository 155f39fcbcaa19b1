import { mkdir, open, readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type BlobLayout,
  type CommittedBlob,
  encodeSlice,
  layoutOf,
  parseSlice,
  type Slice,
  sliceMessageBytes,
  sliceOf,
} from '@cairn/erasure-codec';
import { fromHex, isRecord, stringifyJson, toHex } from '@cairn/primitives';
import { CliError } from './errors.ts';

/** What a folder of rows says about its blob: what a reader otherwise knows from the chain. */
export interface BlobRecord {
  /** 32 bytes. */
  readonly commitment: Uint8Array;
  readonly suite: 0 | 1;
  readonly layout: BlobLayout;
  readonly rowsPerSlice: number;
}

const RECORD_FILE = 'blob.json';
const RECORD_VERSION = 1;
const MAX_RECORD_BYTES = 4096;
/** Rows of one slice file together, unless a single row is longer. */
const SLICE_BYTES = 2 ** 23;

/** The rows of each slice file, in order. */
export function sliceRanges({
  layout,
  rowsPerSlice,
}: Pick<BlobRecord, 'layout' | 'rowsPerSlice'>): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(layout.rows / rowsPerSlice) }, (_, slice) => {
    const first = slice * rowsPerSlice;
    const count = Math.min(rowsPerSlice, layout.rows - first);
    return Array.from({ length: count }, (_row, at) => first + at);
  });
}

/** The name of a slice file in its folder. */
export function sliceName(slice: number): string {
  return `slice-${String(slice).padStart(5, '0')}.bin`;
}

/**
 * Makes a folder for a blob, or takes an empty one, and runs `fill`. If that fails, what was made is
 * removed again, provided that nothing lies in it.
 *
 * @param folder - an absolute path
 * @throws {CliError} CLI_FOLDER_NOT_EMPTY if something lies in it; what the disk throws; as `fill`
 */
export async function inBlobFolder<Result>(
  folder: string,
  fill: () => Promise<Result>,
): Promise<Result> {
  const firstMade = await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new CliError(
      { code: 'CLI_FOLDER_NOT_EMPTY', path: folder },
      `${folder} is not empty; nothing was written`,
    );
  }
  try {
    return await fill();
  } catch (error) {
    if (firstMade !== undefined) {
      await removeEmpty(folder, firstMade).catch(() => undefined); // the first failure is the one told
    }
    throw error;
  }
}

/** Removes a directory and those around it, up to `outermost`. */
async function removeEmpty(folder: string, outermost: string): Promise<void> {
  for (let directory = folder; directory.startsWith(outermost); directory = dirname(directory)) {
    await rmdir(directory);
  }
}

/**
 * Writes a blob's rows as slice messages of up to 8 MiB, and the record last: a folder with a record
 * is complete. If that fails, what was written is removed again.
 *
 * @throws what the disk throws; as `sliceOf`; the signal's reason
 */
export async function writeBlobFolder(
  folder: string,
  blob: CommittedBlob,
  options: { readonly signal: AbortSignal; readonly onSlice: (done: number, of: number) => void },
): Promise<BlobRecord> {
  const written: string[] = [];
  const write = async (name: string, bytes: Uint8Array | string): Promise<void> => {
    const path = join(folder, name);
    const file = await open(path, 'wx');
    written.push(path);
    try {
      await file.writeFile(bytes, { signal: options.signal });
    } finally {
      await file.close();
    }
  };
  try {
    return await writeFiles(blob, write, options);
  } catch (error) {
    // The record first: without it no reader takes the rest for a blob.
    for (const path of written.reverse()) {
      await rm(path, { force: true }).catch(() => undefined); // the first failure is the one told
    }
    options.signal.throwIfAborted();
    throw error;
  }
}

/** Hands every file of a blob's folder to `write`, the record last. */
async function writeFiles(
  blob: CommittedBlob,
  write: (name: string, bytes: Uint8Array | string) => Promise<void>,
  options: { readonly signal: AbortSignal; readonly onSlice: (done: number, of: number) => void },
): Promise<BlobRecord> {
  const { commitment, layout } = blob;
  const rowsPerSlice = Math.min(
    layout.rows,
    Math.max(1, Math.floor(SLICE_BYTES / layout.rowBytes)),
  );
  const record: BlobRecord = { commitment, suite: blob.suite, layout, rowsPerSlice };
  const ranges = sliceRanges(record);
  const memory = new Uint8Array(sliceMessageBytes(layout, rowsPerSlice));
  for (const [slice, rows] of ranges.entries()) {
    options.signal.throwIfAborted();
    options.onSlice(slice, ranges.length);
    await write(sliceName(slice), encodeSlice(await sliceOf(blob, rows, options), memory));
  }
  const { payloadBytes, cosets, log2K } = layout;
  const text = stringifyJson({
    version: RECORD_VERSION,
    commitment: toHex(commitment),
    suite: record.suite,
    payloadBytes,
    cosets,
    log2K,
    rowsPerSlice,
  });
  await write(RECORD_FILE, `${text}\n`);
  return record;
}

/** @throws {CliError} CLI_BLOB_RECORD; what the disk throws, ENOENT among it */
export async function readBlobRecord(folder: string): Promise<BlobRecord> {
  const path = join(folder, RECORD_FILE);
  const bytes = await readInto(path, new Uint8Array(MAX_RECORD_BYTES + 1));
  const record = recordOf(new TextDecoder().decode(bytes));
  if (record !== undefined) return record;
  throw new CliError(
    { code: 'CLI_BLOB_RECORD', path },
    `${path} is not the record of a blob in version ${RECORD_VERSION}`,
  );
}

/** Reads the slice files of a folder, one at a time, into the same memory. */
export class SliceFiles {
  readonly #folder: string;
  readonly #memory: Uint8Array;

  constructor(folder: string, { layout, rowsPerSlice }: BlobRecord) {
    this.#folder = folder;
    this.#memory = new Uint8Array(sliceMessageBytes(layout, rowsPerSlice) + 1);
  }

  /**
   * A slice file as it lies there: nothing of it is proven. It is there until the next one is read.
   *
   * @throws {SliceError} as `parseSlice`, SLICE_LENGTH for a file that is too long; what the disk
   *   throws, ENOENT among it
   */
  async read(slice: number): Promise<Slice> {
    return parseSlice(await readInto(join(this.#folder, sliceName(slice)), this.#memory));
  }
}

/** The system's name for why it does not give a file, such as `EIO`; `undefined` for other errors. */
export function diskCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error && 'code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A file as far as memory goes: all of that is filled if it is longer. */
async function readInto(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  const file = await open(path);
  try {
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await file.close();
  }
}

function recordOf(text: string): BlobRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isRecord(value) || value['version'] !== RECORD_VERSION) return undefined;
    const { suite, payloadBytes, cosets, log2K, rowsPerSlice } = value;
    const commitment = fromHex(String(value['commitment']));
    if (commitment.length !== 32 || (suite !== 0 && suite !== 1)) return undefined;
    const layout = layoutOf(Number(payloadBytes), {
      cosets: Number(cosets),
      minLog2K: Number(log2K),
    });
    if (layout.log2K !== log2K || !Number.isInteger(rowsPerSlice)) return undefined;
    if (Number(rowsPerSlice) < 1 || Number(rowsPerSlice) > layout.rows) return undefined;
    return { commitment, suite, layout, rowsPerSlice: Number(rowsPerSlice) };
  } catch {
    return undefined; // no JSON, no hex, or numbers that no layout has
  }
}
