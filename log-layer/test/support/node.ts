import { setMaxListeners } from 'node:events';
import { type Clock, type FileStore, type KeyValueStore, systemClock } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import { Finaliser } from '../../src/finaliser.ts';
import type { LogEntry } from '../../src/log-entry.ts';
import { LogFollower } from '../../src/log-follower.ts';
import { LogStore } from '../../src/log-store.ts';
import { SegmentStore, type SegmentStoreOptions } from '../../src/segment-store.ts';
import { CHAIN, logger, metrics, type TestFile, testHasher } from './files.ts';
import type { TestChain } from './test-chain.ts';

export const never = new AbortController().signal;
setMaxListeners(0, never); // everything in a test shares it

/** The log layer of a storage node, wired. */
export interface TestNode {
  readonly log: LogStore;
  readonly segments: SegmentStore;
  readonly finaliser: Finaliser;
}

export async function openNode(
  disk: { readonly files: FileStore; readonly kv: KeyValueStore },
  {
    shard = { id: 0, count: 1 },
    ...options
  }: SegmentStoreOptions & { readonly shard?: ShardConfig } = {},
): Promise<TestNode> {
  const hasher = await testHasher();
  const log = await LogStore.open(disk.kv, CHAIN, { signal: never });
  const deps = { files: disk.files, kv: disk.kv, log, hasher, logger, metrics };
  const segments = await SegmentStore.open(deps, options, { signal: never });
  const finaliser = new Finaliser({ log, segments, hasher, logger, metrics, shard: () => shard });
  return { log, segments, finaliser };
}

/** Applies what the chain has that the node lacks, and finalises, one step after another. */
export async function syncNode(node: TestNode, chain: TestChain): Promise<void> {
  const done = new AbortController();
  const head = chain.blocks.at(-1);
  const isThere = (): boolean => node.log.newestBlock?.hash === head?.hash;
  try {
    for (;;) {
      if (isThere()) return;
      for await (const step of chain.follow(node.log.marks(), { signal: done.signal })) {
        const { added } = await node.log.apply(step, never);
        for (const entry of added) await node.finaliser.consider(entry, never);
        if (isThere()) return;
      }
    }
  } finally {
    done.abort(new Error('synced'));
  }
}

export async function entryOf(node: TestNode, sequence: number): Promise<LogEntry> {
  const entry = await node.log.entryAt(sequence as never);
  if (entry === undefined) throw new Error(`no entry ${sequence}`);
  return entry;
}

/** Stores all segments of a file and finalises its entry, as an upload does. */
export async function upload(node: TestNode, file: TestFile, sequence: number): Promise<void> {
  const entry = await entryOf(node, sequence);
  await Promise.all(
    file.segments.map((segment) => node.segments.put(entry, segment, { signal: never })),
  );
  await node.finaliser.consider(entry, never);
}

export function followerOf(
  node: TestNode,
  chain: TestChain,
  more: { readonly onEntry?: (entry: LogEntry) => Promise<void>; readonly clock?: Clock } = {},
): LogFollower {
  const { log, finaliser } = node;
  const clock = more.clock ?? systemClock();
  return new LogFollower({ chainLog: chain, log, finaliser, clock, logger, metrics, ...more });
}
