import { createHash } from 'node:crypto';
import type { Root } from '@cairn/primitives';

/** A file whose bytes can be read in parts, each part proven before it is handed out. */
export interface ReadableFile {
  /** What names the content: the root, or a digest of the roots of its fragments. */
  readonly etag: string;
  readonly sizeBytes: number;
  /** Bytes `offset` … `offset + length` − 1 as they are proven. @throws if they cannot be had */
  read(
    offset: number,
    length: number,
    options: { readonly signal: AbortSignal },
  ): AsyncIterable<Uint8Array>;
}

/** Where files come from: this node's own segments, or the holders that an indexer knows. */
export interface FileLibrary {
  /** The file of a root; `undefined` if nobody here can read all of it. */
  openRoot(
    root: Root,
    options: { readonly signal: AbortSignal },
  ): Promise<ReadableFile | undefined>;
  /** The root of a log entry; `undefined` if there is none. */
  rootAt(sequence: number, options: { readonly signal: AbortSignal }): Promise<Root | undefined>;
}

/** The file's bytes in memory. @throws {RangeError} if it is larger than `maxBytes` */
export async function readWhole(
  file: ReadableFile,
  maxBytes: number,
  options: { readonly signal: AbortSignal },
): Promise<Uint8Array> {
  if (file.sizeBytes > maxBytes) {
    throw new RangeError(`the file has ${file.sizeBytes} bytes, more than the ${maxBytes} allowed`);
  }
  const whole = new Uint8Array(file.sizeBytes);
  let offset = 0;
  for await (const part of file.read(0, file.sizeBytes, options)) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Several files read as one, in order: the fragments of a large file. */
export function joinFiles(parts: readonly ReadableFile[]): ReadableFile {
  return {
    // A manifest may list thousands of fragments; a header must stay short.
    etag: digestOf(parts.map(({ etag }) => etag)),
    sizeBytes: parts.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    async *read(offset, length, options) {
      let start = 0;
      for (const part of parts) {
        const from = Math.max(offset, start) - start;
        const to = Math.min(offset + length, start + part.sizeBytes) - start;
        if (from < to) yield* part.read(from, to - from, options);
        start += part.sizeBytes;
      }
    },
  };
}

function digestOf(etags: readonly string[]): string {
  return createHash('sha256').update(etags.join('+')).digest('hex');
}
