import assert from 'node:assert/strict';
import { noMetrics, seededRng, silentLogger } from '@cairn/primitives';
import { PeerKeeper } from '../../src/sync/keep-peers.ts';
import { PeerBook } from '../../src/sync/peer-book.ts';
import type { Exchange } from '../../src/sync/record-office.ts';
import { createSyncMetrics } from '../../src/sync/sync-metrics.ts';

/** Looks of a keeper with one peer, which answers exchanges in turn; the last answer stays. */
async function looksAt(answers: readonly Exchange[], looks: number) {
  let nowMs = 0;
  const asked: number[] = [];
  const dropped: (readonly [string, number, number])[] = [];
  const met: number[] = [];
  const ended = new AbortController();
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async (durationMs: number, signal?: AbortSignal) => {
      nowMs += durationMs;
      if (nowMs >= looks * 1000) ended.abort(new Error('looked enough'));
      signal?.throwIfAborted();
    },
  };
  const isConnected = (): boolean => dropped.length === 0;
  const keeper = new PeerKeeper(
    {
      network: {
        self: 'us',
        peers: () => (isConnected() ? ['them'] : []),
        connect: async () => 'them',
        drop: async (peer, durationMs) => {
          dropped.push([peer, durationMs, nowMs]);
        },
        discover: async () => [],
      },
      book: new PeerBook({ clock, isConnected }),
      office: {
        exchange: async () => {
          asked.push(nowMs);
          return answers[Math.min(asked.length, answers.length) - 1] ?? 'no answer';
        },
      },
      clock,
      rng: seededRng(3),
      logger: silentLogger(),
      metrics: createSyncMetrics(noMetrics()),
      onMet: () => met.push(nowMs),
    },
    { boot: [], targetPeers: 1 },
  );
  await assert.rejects(keeper.run(ended.signal), /looked enough/);
  return { asked, dropped, met };
}

describe('keeping peers', () => {
  it('leaves one of another log at once', async () => {
    const { dropped } = await looksAt(['wrong log'], 5);
    assert.deepEqual(dropped, [['them', 600_000, 0]]);
  });

  it('meets one that is reached before it has begun, once it has', async () => {
    const { dropped, met, asked } = await looksAt(['unspoken', 'unspoken', 'unspoken', 'done'], 8);
    assert.deepEqual(dropped, []);
    assert.deepEqual(met, [2000]);
    assert.deepEqual(asked.slice(0, 4), [0, 0, 1000, 2000]); // the first look also exchanges records
  });

  it('leaves one that knows none of our protocols for longer than a node takes to begin', async () => {
    const { dropped, met } = await looksAt(['unspoken'], 60);
    assert.deepEqual(dropped, [['them', 600_000, 30_000]]);
    assert.deepEqual(met, []);
  });
});
