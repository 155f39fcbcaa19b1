import {
  chainIdOf,
  type KeyValueStore,
  parseAddress,
  parseRoot,
  type Root,
  rootOf,
  sequenceOf,
  stringifyJson,
  utf8Bytes,
} from '@cairn/primitives';
import { KEYS, rangeOf } from './keyspace.ts';
import type { ArchivedFile } from './ports.ts';
import { decodeStored } from './stored-json.ts';

/**
 * Which blobs are to be written to the log, and where those are that were. What is wanted is bounded
 * by the disperser's queue, which counts it; what is archived grows with every such blob, some 200
 * bytes each beside its record.
 */
export class ArchiveBook {
  readonly #index: KeyValueStore;
  readonly #wanted = new Set<Root>();

  constructor(index: KeyValueStore) {
    this.#index = index;
  }

  /** Reads what earlier runs left to do. Once, before anything else. */
  async open(signal: AbortSignal): Promise<void> {
    for await (const [key] of this.#index.entries(rangeOf('w'), { signal })) {
      this.#wanted.add(rootOf(key.subarray(1)));
    }
  }

  /** Blobs that are to be written to the log. */
  get wanted(): readonly Root[] {
    return [...this.#wanted];
  }

  isWanted(id: Root): boolean {
    return this.#wanted.has(id);
  }

  /** Notes that a blob is to be written; what survives a crash once this resolves. */
  async want(id: Root): Promise<void> {
    this.#wanted.add(id);
    try {
      const key = KEYS.archiveWanted(id);
      await this.#index.write([{ type: 'put', key, value: new Uint8Array(0) }], { sync: true });
    } catch (error) {
      this.#wanted.delete(id);
      throw error;
    }
  }

  /** Notes where a blob is now. */
  async keep(id: Root, { chainId, flow, root, sequence }: ArchivedFile): Promise<void> {
    const value = utf8Bytes(stringifyJson({ chainId, flow, root, sequence }));
    await this.#index.write(
      [
        { type: 'put', key: KEYS.archived(id), value },
        { type: 'delete', key: KEYS.archiveWanted(id) },
      ],
      { sync: true },
    );
    this.#wanted.delete(id);
  }

  /** Where a blob is in the log. @throws {DispersalError} DISPERSAL_RECORD */
  async fileOf(id: Root): Promise<ArchivedFile | undefined> {
    const value = await this.#index.get(KEYS.archived(id));
    if (value === undefined) return undefined;
    return decodeStored('an archived blob', value, (fields) => ({
      chainId: chainIdOf(Number(fields['chainId'])),
      flow: parseAddress(String(fields['flow'])),
      root: parseRoot(String(fields['root'])),
      sequence: sequenceOf(Number(fields['sequence'])),
    }));
  }
}
