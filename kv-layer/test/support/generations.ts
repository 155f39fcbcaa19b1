import type { Hasher } from '@cairn/commitments';
import {
  chainIdOf,
  type FileStore,
  type KeyValueStore,
  memoryFileStore,
  parseAddress,
} from '@cairn/primitives';
import { Generations } from '../../src/store/generations.ts';
import type { StreamId } from '../../src/stream-id.ts';

/** What stays when a node stops: its index and its value files. */
export interface Disk {
  readonly kv: KeyValueStore;
  readonly values: Map<number, FileStore>;
}

/** Generations on a disk, as after a start. */
export function openGenerations(
  { kv, values }: Disk,
  {
    streams,
    hasher,
    signal,
  }: { streams: readonly StreamId[]; hasher: Hasher; signal: AbortSignal },
): Promise<Generations> {
  const deps = {
    kv,
    hasher,
    openValues: async (generation: number) => {
      const file = values.get(generation) ?? memoryFileStore();
      values.set(generation, file);
      return file;
    },
    dropValues: async (generation: number) => {
      values.delete(generation);
    },
  };
  const flow = parseAddress(`0x${'f1'.repeat(20)}`);
  return Generations.open(deps, { chainId: chainIdOf(31_337), flow, streams }, { signal });
}
