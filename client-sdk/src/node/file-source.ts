import { resolve } from 'node:path';
import type { FileSource } from '@cairn/log-layer';
import { openFileSource as openLocalFile } from '@cairn/node-runtime/files';

/** A file on this machine as something to store. Close it when it is stored. */
export interface LocalFileSource extends FileSource {
  readonly path: string;
  /** Names these bytes across runs: path, inode, length and time of the last change. */
  readonly resumeKey: string;
  close(): Promise<void>;
}

/** Opens a file on this machine. @throws {StorageError} DISK_IO, also if there is none */
export async function openFileSource(path: string): Promise<LocalFileSource> {
  const file = await openLocalFile(path);
  const { sizeBytes, identity } = file;
  const { inode, modifiedMs, changedMs } = identity;
  return {
    path,
    sizeBytes,
    resumeKey: [resolve(path), inode, sizeBytes, modifiedMs, changedMs].join(' '),
    async read(offset, length, { signal }) {
      signal.throwIfAborted();
      return file.read(offset, length);
    },
    stream: ({ signal, reuse = false }, range) =>
      file.pieces({
        signal,
        reuse,
        ...(range === undefined ? {} : { from: range.offset, to: range.offset + range.length }),
      }),
    close: () => file.close(),
  };
}
