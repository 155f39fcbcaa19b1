import assert from 'node:assert/strict';
import type { LogEntry } from '@cairn/log-layer';
import {
  noMetrics,
  type PeerListener,
  type PeerVerdict,
  parseRoot,
  type Root,
  seededRng,
  sequenceOf,
  silentLogger,
} from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import { encodeFileAnnouncement, parseFileAnnouncement } from '@cairn/wire-protocol/peers';
import { VirtualClock } from '../../../test/simulation/virtual-clock.ts';
import { FileNews } from '../../src/sync/file-news.ts';
import { PeerBook } from '../../src/sync/peer-book.ts';
import { createSyncMetrics } from '../../src/sync/sync-metrics.ts';
import { CHAIN_ID, FLOW } from '../scripted-chain.ts';

const log = { chainId: CHAIN_ID, flow: FLOW };
const ROOT = parseRoot(`0x${'7c'.repeat(32)}`);
const OTHER_ROOT = parseRoot(`0x${'7d'.repeat(32)}`);
/** Longer than anybody waits before telling. */
const LONG_MS = 10_000;
const SHARD = { id: 1, count: 4 };

/** An entry with one segment of the shard. */
function entryOf(sequence: number, root: Root = ROOT): LogEntry {
  return {
    sequence: sequenceOf(sequence),
    root,
    startSector: 1024,
    paddedSectors: 16,
    sizeBytes: 4000,
    submitter: FLOW,
    tags: new Uint8Array(0),
    tagsBytes: 0,
    nodes: [],
    block: { number: 1, hash: ROOT },
    transactionHash: ROOT,
  };
}

describe('news of files', () => {
  let clock: VirtualClock;
  let entries: Map<number, LogEntry>;
  let finalized: Set<number>;
  let shard: ShardConfig;
  let oldestBlock: number;
  let told: number[];
  let listener: PeerListener | undefined;
  let news: FileNews;
  let book: PeerBook;
  let woken: number[];
  let strangers: string[];
  let stop: AbortController;

  beforeEach(() => {
    clock = new VirtualClock();
    entries = new Map([1, 2, 3].map((sequence) => [sequence, entryOf(sequence)]));
    finalized = new Set([1, 2, 3]);
    shard = SHARD;
    oldestBlock = 0;
    told = [];
    woken = [];
    strangers = [];
    book = new PeerBook({ clock, isConnected: () => true });
    stop = new AbortController();
    news = new FileNews({
      network: {
        publish: async (_, bytes) => {
          told.push(parseFileAnnouncement(bytes).sequence);
        },
        subscribe: (_, heard) => {
          listener = heard;
        },
      },
      book,
      log,
      shard: () => shard,
      store: {
        nextSequence: sequenceOf(4),
        entryAt: async (sequence) => entries.get(sequence),
        marks: () => [{ number: oldestBlock, hash: ROOT }],
        stateOf: async (sequence) => ({ finalized: finalized.has(sequence), pruned: false }),
      },
      clock,
      rng: seededRng(1),
      logger: silentLogger(),
      metrics: createSyncMetrics(noMetrics()),
      onNews: (sequence) => woken.push(sequence),
      onStranger: (peer) => strangers.push(peer),
    });
    news.open();
    void news.run(stop.signal).catch(() => undefined);
  });
  afterEach(() => stop.abort(new Error('the test is over')));

  const hear = (from: string, facts: { sequence: number; root?: Root; shard?: ShardConfig }) => {
    const said = { ...log, root: ROOT, shard: SHARD, saidAtMs: clock.now(), ...facts };
    const bytes = encodeFileAnnouncement({ ...said, sequence: sequenceOf(facts.sequence) });
    return listener?.({ from, bytes }) as PeerVerdict;
  };
  const pass = async (durationMs: number): Promise<void> => {
    let isOver = false;
    clock.after(durationMs, () => {
      isOver = true;
    });
    while (!isOver && (await clock.turn()));
  };
  const tell = (sequence: number): void => news.tell(entries.get(sequence) ?? entryOf(sequence));

  it('tells at once of a file that nobody else said they hold', async () => {
    tell(1);
    await pass(0);
    assert.deepEqual(told, [1]);
  });

  it('leaves it to two others that hold as much, whenever they say so', async () => {
    assert.equal(hear('a', { sequence: 1 }), 'accept');
    tell(1);
    hear('b', { sequence: 1, shard: { id: 1, count: 2 } });
    await pass(LONG_MS);
    assert.deepEqual(told, []);
  });

  it('tells in a while of a file that only one other holds', async () => {
    hear('a', { sequence: 1 });
    tell(1);
    await pass(0);
    assert.deepEqual(told, []);
    await pass(LONG_MS);
    assert.deepEqual(told, [1]);
  });

  it('counts nobody twice, nobody who holds less, and nobody who spoke of another file', async () => {
    hear('a', { sequence: 1 });
    await pass(10);
    hear('a', { sequence: 1 });
    hear('b', { sequence: 1, shard: { id: 1, count: 8 } });
    hear('c', { sequence: 1, shard: { id: 3, count: 4 } });
    tell(1);
    await pass(LONG_MS);
    hear('a', { sequence: 2, root: OTHER_ROOT });
    hear('b', { sequence: 2, root: OTHER_ROOT });
    tell(2);
    await pass(0);
    assert.deepEqual(told, [1, 2]);
  });

  it('forgets after a minute who said so: they may have lost it', async () => {
    hear('a', { sequence: 1 });
    hear('b', { sequence: 1 });
    await pass(61_000);
    tell(1);
    await pass(0);
    assert.deepEqual(told, [1]);
  });

  it('says nothing of what is gone when its time comes: replaced, damaged, or of another shard', async () => {
    for (const sequence of [1, 2, 3]) hear('a', { sequence });
    for (const sequence of [1, 2, 3]) tell(sequence);
    entries.set(1, entryOf(1, OTHER_ROOT));
    finalized.delete(2);
    shard = { id: 3, count: 4 };
    await pass(LONG_MS);
    assert.deepEqual(told, []);
  });

  it('says nothing of what it got from a peer long after it was paid for, but of what others bring', async () => {
    oldestBlock = 2;
    news.noteFetched(sequenceOf(1));
    tell(1);
    tell(2);
    await pass(LONG_MS);
    assert.deepEqual(told, [2]);
    oldestBlock = 1;
    tell(1);
    await pass(LONG_MS);
    assert.deepEqual(told, [2, 1]);
  });

  it('wakes nobody for what only other shards hold, and passes that on all the same', () => {
    assert.equal(hear('other', { sequence: 1, shard: { id: 2, count: 4 } }), 'accept');
    assert.deepEqual(woken, []);
    const common = [SHARD, { id: 1, count: 2 }, { id: 0, count: 1 }, { id: 5, count: 8 }];
    for (const [at, kept] of common.entries()) {
      assert.equal(hear(`peer ${at}`, { sequence: 1, shard: kept }), 'accept');
      assert.equal(woken.length, at + 1);
    }
  });

  it('hears nothing of a peer that is kept out, which is no stranger to ask about', () => {
    assert.equal(hear('liar', { sequence: 1 }), 'accept');
    assert.deepEqual(strangers, ['liar']);
    book.ban('liar', LONG_MS);
    assert.equal(hear('liar', { sequence: 2 }), 'ignore');
    assert.deepEqual([woken, strangers], [[1], ['liar']]);
  });

  it('says nothing of a file of which its shard owns nothing', async () => {
    shard = { id: 3, count: 4 };
    tell(1);
    await pass(LONG_MS);
    assert.deepEqual(told, []);
  });
});
