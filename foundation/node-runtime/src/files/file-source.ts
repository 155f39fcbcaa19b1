import type { Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { assertNatural, assertPositiveInteger, MIB } from '@cairn/primitives';
import { diskFault, StorageError } from './errors.ts';

/** A local file that is read in pieces or at positions. Its length is fixed when it is opened. */
export interface FileSource {
  readonly path: string;
  readonly sizeBytes: number;
  /** Which file was opened, and when it last changed: in milliseconds since 1970. */
  readonly identity: {
    readonly inode: number;
    readonly modifiedMs: number;
    readonly changedMs: number;
  };
  /**
   * The file's bytes in order, in pieces of at most `pieceBytes` (1 MiB unless told). Every piece
   * has a buffer of its own, or with `reuse` the same one: then it is good until the next is asked for.
   *
   * @throws {StorageError} SOURCE_FILE_CHANGED if it got shorter; DISK_IO; the signal's reason
   */
  pieces(options: {
    readonly signal: AbortSignal;
    readonly pieceBytes?: number;
    readonly from?: number;
    readonly to?: number;
    readonly reuse?: boolean;
  }): AsyncIterable<Uint8Array>;
  /** Exactly `length` bytes from `offset`. @throws {StorageError} SOURCE_FILE_CHANGED, DISK_IO */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a local file for reading. @throws {StorageError} DISK_IO, also if there is none */
export async function openFileSource(path: string): Promise<FileSource> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw await diskFault(error, { path, operation: 'open' });
  }
  let stats: Stats;
  try {
    stats = await handle.stat();
    if (!stats.isFile()) {
      throw new StorageError(
        { code: 'DISK_IO', path, operation: 'read', errno: 'EISDIR' },
        `${path} is not a regular file`,
      );
    }
  } catch (error) {
    await handle.close();
    throw await diskFault(error, { path, operation: 'open' });
  }
  const { size: sizeBytes, ino: inode, mtimeMs: modifiedMs, ctimeMs: changedMs } = stats;
  const fill = async (bytes: Uint8Array, offset: number): Promise<Uint8Array> => {
    const { length } = bytes;
    for (let done = 0; done < length; ) {
      let bytesRead: number;
      try {
        ({ bytesRead } = await handle.read(bytes, done, length - done, offset + done));
      } catch (error) {
        throw await diskFault(error, { path, operation: 'read' });
      }
      if (bytesRead === 0) {
        throw new StorageError(
          { code: 'SOURCE_FILE_CHANGED', path, expectedBytes: offset + length },
          `${path} ends at byte ${offset + done}, before byte ${offset + length}: it got shorter`,
        );
      }
      done += bytesRead;
    }
    return bytes;
  };
  return {
    path,
    sizeBytes,
    identity: { inode, modifiedMs, changedMs },
    async read(offset, length) {
      assertNatural(offset, 'offset');
      assertNatural(length, 'length');
      return fill(uncleared(length), offset);
    },
    async *pieces({ signal, pieceBytes = MIB, from = 0, to = sizeBytes, reuse = false }) {
      assertPositiveInteger(pieceBytes, 'pieceBytes');
      const shared = reuse ? uncleared(Math.min(pieceBytes, Math.max(0, to - from))) : undefined;
      for (let offset = from; offset < to; offset += pieceBytes) {
        signal.throwIfAborted();
        const length = Math.min(pieceBytes, to - offset);
        yield await fill(shared?.subarray(0, length) ?? uncleared(length), offset);
      }
    },
    close: () => handle.close(),
  };
}

/** An array for bytes that are all read over, or never seen. */
function uncleared(length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer, byteOffset, length);
}
