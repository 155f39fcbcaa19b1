import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { diskFault } from '@cairn/node-runtime/files';

/** A file that grows at its end. */
export interface AppendFile {
  /** Writes all of `bytes` at a place. @throws {StorageError} DISK_FULL, DISK_IO */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Makes everything written durable. @throws {StorageError} DISK_FULL, DISK_IO */
  sync(): Promise<void>;
  /** Cuts the file. @throws {StorageError} DISK_IO */
  truncate(lengthBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file that is there. @throws {StorageError} DISK_IO */
export async function openAppendFile(path: string): Promise<AppendFile> {
  const told = async <Result>(
    operation: string,
    work: () => Promise<Result>,
    neededBytes = 0,
  ): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw await diskFault(error, { path, operation, neededBytes });
    }
  };
  const handle = await told('open', () => open(path, constants.O_RDWR));
  return {
    write: (bytes, at) =>
      told(
        'write',
        async () => {
          for (let done = 0; done < bytes.length; ) {
            const { bytesWritten } = await handle.write(
              bytes,
              done,
              bytes.length - done,
              at + done,
            );
            done += bytesWritten;
          }
        },
        bytes.length,
      ),
    sync: () => told('sync', () => handle.sync()),
    truncate: (lengthBytes) => told('truncate', () => handle.truncate(lengthBytes)),
    close: () => handle.close(),
  };
}
