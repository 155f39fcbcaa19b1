import { segmentsOf } from '@cairn/commitments';
import type { LogEntry, LogStore, Reader } from '@cairn/log-layer';
import { type Root, sequenceOf } from '@cairn/primitives';
import { countOwnedSegments, type ShardConfig } from '@cairn/wire-protocol';
import type { FileLibrary, ReadableFile } from './doors/files/readable-file.ts';
import { StorageNodeError } from './errors.ts';
import type { StorageNodeMetrics } from './metrics.ts';

/** What the library reads from. */
export interface LocalLibraryDeps {
  readonly log: Pick<LogStore, 'entryAt' | 'findByRoot' | 'stateOf'>;
  readonly reader: Pick<Reader, 'readBytes'>;
  readonly shard: () => ShardConfig;
  readonly metrics: StorageNodeMetrics;
}

/**
 * The files that this node alone can read to the end: finalised ones of a node that keeps every
 * segment. A sharded node serves files through an indexer, which knows the other holders.
 */
export class LocalLibrary implements FileLibrary {
  readonly #deps: LocalLibraryDeps;

  constructor(deps: LocalLibraryDeps) {
    this.#deps = deps;
  }

  async openRoot(
    root: Root,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<ReadableFile | undefined> {
    const { log, shard } = this.#deps;
    const entry = await log.findByRoot(root, signal);
    if (entry === undefined) return undefined;
    const { finalized } = await log.stateOf(entry.sequence);
    const segments = segmentsOf(entry.sizeBytes);
    const owned = countOwnedSegments(shard(), entry.startSector, entry.sizeBytes);
    if (!finalized || owned < segments) return undefined;
    return {
      etag: root,
      sizeBytes: entry.sizeBytes,
      read: (offset, length, options) =>
        readFile(entry, this.#deps, { offset, length, ...options }),
    };
  }

  async rootAt(sequence: number): Promise<Root | undefined> {
    return (await this.#deps.log.entryAt(sequenceOf(sequence)))?.root;
  }
}

/** The bytes of a range as they are read; each part was verified. */
async function* readFile(
  entry: LogEntry,
  { reader, metrics }: LocalLibraryDeps,
  range: { readonly offset: number; readonly length: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array, void, void> {
  const { offset, length, signal } = range;
  const parts = await reader.readBytes(entry, offset, length, { signal });
  if (parts === undefined) {
    throw new StorageNodeError(
      { code: 'SEGMENT_NOT_HELD', sequence: entry.sequence, index: 0 },
      `log entry ${entry.sequence} is not held whole any more`,
    );
  }
  for await (const part of parts) {
    metrics.downloadBytes.add(part.length);
    yield part;
  }
}
