/**
 * A sparse space of bytes addressed by position: what the flow's payload is kept in.
 *
 * Reading where nothing was written gives zeros. Nothing is durable before `sync` resolves.
 */
export interface FileStore {
  /** `length` bytes from `offset`. @throws what the disk throws */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `target` with the bytes from `offset`. @throws what the disk throws */
  readInto(offset: number, target: Uint8Array): Promise<void>;
  /** Writes all of `bytes` at `offset`. @throws what the disk throws, ENOSPC among it */
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Makes every write that resolved before this call durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file store in memory, in pages of 64 KiB: small, real, and gone with the process. */
export function memoryFileStore(): FileStore {
  const pageBytes = 65_536;
  const pages = new Map<number, Uint8Array>();
  const eachPart = (
    offset: number,
    length: number,
    visit: (page: number, at: number, from: number, count: number) => void,
  ): void => {
    for (let done = 0; done < length; ) {
      const page = Math.floor((offset + done) / pageBytes);
      const at = (offset + done) % pageBytes;
      const count = Math.min(pageBytes - at, length - done);
      visit(page, at, done, count);
      done += count;
    }
  };
  const readInto = async (offset: number, target: Uint8Array): Promise<void> => {
    eachPart(offset, target.length, (page, at, from, count) => {
      const held = pages.get(page);
      if (held === undefined) target.fill(0, from, from + count);
      else target.set(held.subarray(at, at + count), from);
    });
  };
  return {
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      await readInto(offset, bytes);
      return bytes;
    },
    readInto,
    write: async (offset, bytes) => {
      eachPart(offset, bytes.length, (page, at, from, count) => {
        const held = pages.get(page) ?? new Uint8Array(pageBytes);
        held.set(bytes.subarray(from, from + count), at);
        pages.set(page, held);
      });
    },
    sync: async () => undefined,
    close: async () => undefined,
  };
}
