import { equal } from 'node:assert/strict';
import { loadHasher, verifySegment } from '@cairn/commitments';
import {
  createLogMetrics,
  Finaliser,
  type LogEntry,
  LogStore,
  SegmentStore,
  UploadCache,
} from '@cairn/log-layer';
import {
  type FileStore,
  memoryFileStore,
  memoryKeyValueStore,
  noMetrics,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import { EntryFinder } from '../src/entry-finder.ts';
import { SegmentAcceptor } from '../src/journeys/accept-segment.ts';
import { createStorageNodeMetrics } from '../src/metrics.ts';
import { segmentData, testFile, until } from './harness.ts';
import { CHAIN_ID, FLOW, ScriptedChain } from './scripted-chain.ts';

const { signal: never } = new AbortController();

describe('a sender that leaves', () => {
  it('leaves a whole file final where the disk was still at its last segment', async () => {
    const file = await testFile(5000, 91);
    const hasher = await loadHasher();
    const kv = memoryKeyValueStore();
    const logger = silentLogger();
    const clock = systemClock();
    const metrics = createLogMetrics(noMetrics());
    const log = await LogStore.open(kv, { chainId: CHAIN_ID, flow: FLOW }, { signal: never });
    const disk = memoryFileStore();
    let goOn: () => void = () => undefined;
    const isSynced = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let isAtWork = false;
    const files: FileStore = {
      ...disk,
      sync: async () => {
        isAtWork = true;
        await isSynced;
        await disk.sync();
      },
    };
    const segments = await SegmentStore.open(
      { files, kv, log, hasher, logger, metrics },
      {},
      { signal: never },
    );
    const shard = () => ({ id: 0, count: 1 });
    const finaliser = new Finaliser({ log, segments, hasher, logger, metrics, shard });
    const acceptor = new SegmentAcceptor(
      {
        finder: new EntryFinder(log),
        store: segments,
        cache: new UploadCache({ clock, metrics }),
        settle: async (entry: LogEntry, inner: AbortSignal) => {
          await finaliser.consider(entry, inner);
        },
        disk: { requireRoom: async () => undefined, faultOf: (error) => error },
        keeps: () => true,
        metrics: createStorageNodeMetrics(noMetrics()),
      },
      { concurrentWrites: 4, queuedWrites: 4, maxCachedFileBytes: 0 },
    );
    const chain = new ScriptedChain();
    const entries = chain.mine([file.commitment]);
    const through = chain.head;
    const advance = { kind: 'advance', through, entries, head: through.number } as const;
    const [entry] = (await log.apply(advance, never)).added;
    const { shape, tree, root } = file.commitment;
    const { sizeBytes } = shape;
    const offer = { root: file.root, sizeBytes, index: 0, sequence: entry?.sequence };
    const prove = () => {
      const claim = { root, sizeBytes, index: 0, data: segmentData(file, 0) };
      return verifySegment({ ...claim, proof: tree.proofAt(0) }, hasher);
    };
    const client = new AbortController();
    const accepted = acceptor.accept(offer, prove, { signal: client.signal });
    accepted.catch(() => undefined); // nobody hears of it
    await until(async () => isAtWork);
    client.abort(new Error('the client closed the connection'));
    goOn();
    await until(async () => segments.has(entry as LogEntry, 0));
    await until(async () => (await log.stateOf((entry as LogEntry).sequence)).finalized);
    equal(await acceptor.accept(offer, prove, { signal: never }), 'finalized');
    await segments.close();
  });
});
