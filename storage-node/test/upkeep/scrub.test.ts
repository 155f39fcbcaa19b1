import { deepEqual, equal, ok } from 'node:assert/strict';
import { memoryKeyValueStore, noMetrics, silentLogger } from '@cairn/primitives';
import { createUpkeepMetrics } from '../../src/upkeep/metrics.ts';
import { Scrubber, type ScrubberDeps, type ScrubOptions } from '../../src/upkeep/scrub.ts';
import { steppedClock } from './stepped-clock.ts';

const PIECE = 262_144;

/** A store of `pieces` sound pieces that notes what was looked at. */
function storeOf(pieces: number, looked: number[]) {
  return {
    scrub: async (from: number, limit: number) => {
      const count = Math.min(limit, 4, pieces - from);
      for (let at = 0; at < count; at += 1) looked.push(from + at);
      const next = from + count;
      const found = { checked: count, bytes: count * PIECE, damaged: 0 };
      return { ...found, next: next < pieces ? next : undefined };
    },
  };
}

describe('scrubbing', () => {
  const OPTIONS: ScrubOptions = {
    enabled: true,
    periodMs: 100_000,
    bytesPerSecond: 4 * PIECE,
    duty: 1,
  };
  const openOn = (deps: Partial<ScrubberDeps>, options: Partial<ScrubOptions> = {}) =>
    Scrubber.open(
      {
        segments: storeOf(40, []),
        log: { flowLength: 40 },
        kv: memoryKeyValueStore(),
        isReading: () => false,
        clock: steppedClock(1_000_000),
        logger: silentLogger(),
        metrics: createUpkeepMetrics(noMetrics()),
        ...deps,
      },
      { ...OPTIONS, ...options },
    );
  /** Runs until the clock has gone past `untilMs`. */
  const runUntil = async (
    scrubber: Scrubber,
    clock: ReturnType<typeof steppedClock>,
    untilMs: number,
  ): Promise<void> => {
    const stop = clock.abortAt(untilMs);
    await scrubber.run(stop).catch((error: unknown) => {
      if (!stop.aborted) throw error;
    });
  };

  it('keeps to its rate, and begins again after its period', async () => {
    const clock = steppedClock(1_000_000);
    const looked: number[] = [];
    const scrubber = await openOn({ clock, segments: storeOf(40, looked) });
    await runUntil(scrubber, clock, 1_005_000); // 4 pieces a second
    ok(looked.length >= 20 && looked.length <= 28, `${looked.length} pieces in 5 s`);
    ok(scrubber.report.isRunning);
    ok(scrubber.report.progress > 0.4 && scrubber.report.progress < 0.8);
    await runUntil(scrubber, clock, 1_090_000);
    deepEqual(
      looked,
      Array.from({ length: 40 }, (_, at) => at),
      'every piece once',
    );
    equal(scrubber.report.lastPass?.bytes, 40 * PIECE);
    await runUntil(scrubber, clock, 1_112_000);
    equal(looked.length, 80, 'a second pass has run');
  });

  it('goes on after a restart where it was', async () => {
    const clock = steppedClock(1_000_000);
    const kv = memoryKeyValueStore();
    const looked: number[] = [];
    const deps = { clock, kv, segments: storeOf(40, looked) };
    await runUntil(await openOn(deps), clock, 1_004_000);
    const before = looked.length;
    ok(before > 8 && before < 40);
    const again = await openOn(deps);
    ok(again.report.isRunning);
    await runUntil(again, clock, 1_050_000);
    deepEqual(
      looked,
      Array.from({ length: 40 }, (_, at) => at),
    );
    equal(again.report.lastPass?.checked, 40, 'the pass counts what both did');
    equal(again.report.lastPass?.startedAt, 1_000_000);
  });

  it('lets readers go first, but not for ever', async () => {
    const clock = steppedClock(1_000_000);
    const looked: number[] = [];
    let isReading = true;
    const scrubber = await openOn(
      { clock, segments: storeOf(40, looked), isReading: () => isReading },
      { bytesPerSecond: 1e12 },
    );
    await runUntil(scrubber, clock, 1_003_500);
    ok(looked.length >= 8 && looked.length <= 16, `${looked.length} pieces beside readers`);
    isReading = false;
    await runUntil(scrubber, clock, 1_004_000);
    equal(looked.length, 40);
  });

  it('waits to be asked where passes do not begin by themselves', async () => {
    const clock = steppedClock(1_000_000);
    const looked: number[] = [];
    const scrubber = await openOn({ clock, segments: storeOf(40, looked) }, { enabled: false });
    await runUntil(scrubber, clock, 2_000_000);
    equal(looked.length, 0);
    scrubber.start(400 * PIECE);
    await runUntil(scrubber, clock, 2_000_500);
    equal(looked.length, 40, 'at the rate that was asked for');
  });
});
