import assert from 'node:assert/strict';
import { BoundedQueue } from '../../src/async/bounded-queue.ts';
import { withDeadline } from '../../src/async/deadline.ts';
import { forEachConcurrent, mapConcurrent } from '../../src/async/map-concurrent.ts';
import { retry } from '../../src/async/retry.ts';
import { runTogether } from '../../src/async/run-together.ts';
import { Semaphore } from '../../src/async/semaphore.ts';
import { SingleFlight } from '../../src/async/single-flight.ts';
import { isFault } from '../../src/fault.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { systemClock } from '../../src/ports/clock.ts';

const { signal } = new AbortController();

/** A turn of the event loop: lets everything that can run, run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('mapConcurrent', () => {
  it('keeps order and never runs further ahead than asked', async () => {
    let running = 0;
    let most = 0;
    const results: number[] = [];
    const map = async (item: number): Promise<number> => {
      running += 1;
      most = Math.max(most, running);
      for (let turns = 0; turns < (item * 7) % 5; turns += 1) await turn();
      running -= 1;
      return item * 2;
    };
    const items = Array.from({ length: 50 }, (_, index) => index);
    for await (const result of mapConcurrent(items, map, { parallel: 4, signal })) {
      results.push(result);
    }
    assert.deepEqual(
      results,
      items.map((item) => item * 2),
    );
    assert.ok(most <= 4 && most > 1, `${most} ran at once`);
  });

  it('aborts and awaits the others when one fails, and closes its source', async () => {
    let aborted = 0;
    let closed = false;
    let fail: () => void = () => undefined;
    const failing = new Promise<void>((resolve) => {
      fail = resolve;
    });
    async function* source(): AsyncGenerator<number> {
      try {
        for (let item = 0; ; item += 1) yield item;
      } finally {
        closed = true;
      }
    }
    const work = forEachConcurrent(
      source(),
      async (item, inner) => {
        if (item === 6) fail();
        if (item === 2) {
          await failing;
          throw new Error('item 2 failed');
        }
        await new Promise<void>((resolve) => {
          if (item < 2) resolve();
          else inner.addEventListener('abort', () => resolve());
        });
        if (inner.aborted) aborted += 1;
      },
      { parallel: 5, signal },
    );
    await assert.rejects(work, /item 2 failed/);
    assert.equal(aborted, 4);
    assert.equal(closed, true);
  });

  it('begins nothing after a failure, and none waits for what is slow', async () => {
    const begun: number[] = [];
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const work = forEachConcurrent(
      Array.from({ length: 20 }, (_, item) => item),
      async (item) => {
        begun.push(item);
        if (item === 0) return slow;
        await Promise.resolve();
        if (item !== 12) return;
        release();
        throw new Error('item 12 failed');
      },
      { parallel: 2, signal },
    );
    await assert.rejects(work, /item 12 failed/);
    assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('ends with the caller’s reason while items are at work', async () => {
    const stopped = new AbortController();
    const reason = new Error('enough');
    const work = forEachConcurrent(
      [1, 2, 3],
      (item, inner) =>
        new Promise<void>((_, reject) => {
          inner.addEventListener('abort', () => reject(inner.reason), { once: true });
          if (item === 2) stopped.abort(reason);
        }),
      { parallel: 2, signal: stopped.signal },
    );
    await assert.rejects(work, reason);
  });
});

describe('Semaphore', () => {
  it('runs no more than its limit, queues no more than its bound, and forgets aborted waiters', async () => {
    const semaphore = new Semaphore({ limit: 1, maxWaiting: 1 });
    let release: () => void = () => undefined;
    const first = semaphore.run(() => new Promise<void>((resolve) => (release = resolve)), signal);
    const stop = new AbortController();
    const second = semaphore.run(async () => 'never', stop.signal);
    await assert.rejects(
      semaphore.run(async () => undefined, signal),
      (error: unknown) => isFault(error, 'QUEUE_FULL'),
    );
    stop.abort(new Error('gave up'));
    await assert.rejects(second, /gave up/);
    const third = semaphore.run(async () => 'third', signal);
    release();
    await first;
    assert.equal(await third, 'third');
    assert.equal(semaphore.running, 0);
  });
});

describe('SingleFlight', () => {
  it('does the work once for those who ask together, and again afterwards', async () => {
    const flights = new SingleFlight<number>();
    let runs = 0;
    const work = async (): Promise<number> => {
      runs += 1;
      await turn();
      return runs;
    };
    assert.deepEqual(
      await Promise.all([flights.run('k', work, signal), flights.run('k', work, signal)]),
      [1, 1],
    );
    assert.equal(await flights.run('k', work, signal), 2);
  });

  it('lets one caller leave without ending the work of the others', async () => {
    const flights = new SingleFlight<string>();
    const stop = new AbortController();
    const work = async (): Promise<string> => {
      await turn();
      return 'done';
    };
    const leaver = flights.run('k', work, stop.signal);
    const stayer = flights.run('k', work, signal);
    stop.abort(new Error('left'));
    await assert.rejects(leaver, /left/);
    assert.equal(await stayer, 'done');
  });
});

describe('retry and withDeadline', () => {
  const sleeps: number[] = [];
  const clock: Pick<Clock, 'sleep'> = {
    sleep: async (durationMs) => {
      sleeps.push(durationMs);
    },
  };

  it('waits longer each time, up to the longest wait, and then gives up with the last failure', async () => {
    sleeps.length = 0;
    const failing = retry(
      async (attempt) => {
        throw new Error(`attempt ${attempt}`);
      },
      { clock, signal, attempts: 5, delayMs: 10, maxDelayMs: 25 },
    );
    await assert.rejects(failing, /attempt 5/);
    assert.deepEqual(sleeps, [10, 20, 25, 25]);
  });

  it('does not try again what cannot help', async () => {
    let tries = 0;
    await assert.rejects(
      retry(
        async () => {
          tries += 1;
          throw new Error('final');
        },
        { clock, signal, attempts: 5, delayMs: 1, isRetryable: () => false },
      ),
      /final/,
    );
    assert.equal(tries, 1);
  });

  it('names what took too long', async () => {
    const slow = withDeadline(
      'reading',
      5,
      (inner) =>
        new Promise((_, reject) => inner.addEventListener('abort', () => reject(inner.reason))),
      { clock: systemClock(), signal },
    );
    await assert.rejects(
      slow,
      (error: unknown) =>
        isFault(error, 'DEADLINE_PASSED') && /reading took longer/.test(error.message),
    );
    assert.equal(
      await withDeadline('fast', 60_000, async () => 'in time', { clock: systemClock(), signal }),
      'in time',
    );
  });

  it('waits no longer for work that does not listen', async () => {
    const deaf = withDeadline('a reply', 5, () => new Promise(() => undefined), {
      clock: systemClock(),
      signal,
    });
    await assert.rejects(deaf, (error: unknown) => isFault(error, 'DEADLINE_PASSED'));
    const leaving = new AbortController();
    const left = withDeadline('a reply', 60_000, () => new Promise(() => undefined), {
      clock: systemClock(),
      signal: leaving.signal,
    });
    leaving.abort(new Error('the caller went'));
    await assert.rejects(left, /the caller went/);
  });

  it('leaves the signal of work that ended in time alone', async () => {
    const kept = await withDeadline('fast', 60_000, async (inner) => inner, {
      clock: systemClock(),
      signal,
    });
    await turn();
    assert.equal(kept.aborted, false);
  });
});

describe('BoundedQueue', () => {
  it('hands items over in order, refuses when full, and ends when closed', async () => {
    const queue = new BoundedQueue<number>(2);
    queue.push(1);
    await queue.put(2, signal);
    assert.throws(() => queue.push(3), /most allowed/);
    const waiting = queue.put(3, signal);
    const taken: number[] = [];
    const consumer = (async () => {
      for await (const item of queue.take(signal)) taken.push(item);
    })();
    await waiting;
    queue.close();
    await consumer;
    assert.deepEqual(taken, [1, 2, 3]);
  });
});

describe('runTogether', () => {
  const forever = (inner: AbortSignal): Promise<void> =>
    new Promise((_, reject) => {
      inner.addEventListener('abort', () => reject(inner.reason), { once: true });
    });

  it('ends the others when one fails, and throws what it threw', async () => {
    let ended = 0;
    const other = (inner: AbortSignal): Promise<void> =>
      forever(inner).finally(() => {
        ended += 1;
      });
    const fails = async (): Promise<void> => {
      await turn();
      throw new Error('this one fails');
    };
    await assert.rejects(runTogether([other, fails, other], signal), /this one fails/);
    assert.equal(ended, 2);
  });

  it('throws the signal’s reason, and returns once all have', async () => {
    const stop = new AbortController();
    const running = runTogether([forever, async () => undefined], stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(running, /enough/);
    await runTogether([async () => undefined], signal);
  });
});
