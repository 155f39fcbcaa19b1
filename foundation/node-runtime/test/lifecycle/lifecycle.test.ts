import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { type Clock, type Logger, silentLogger, systemClock } from '@cairn/primitives';
import {
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceProcess,
} from '../../src/lifecycle/run-service.ts';
import { Runner } from '../../src/lifecycle/runner.ts';

/** A process whose signals are sent by hand and whose exit is only noted. */
class FakeProcess extends EventEmitter implements ServiceProcess {
  readonly codes: number[] = [];
  exit(code: number): void {
    this.codes.push(code);
  }
}

/** Sleeps pass at once and are noted. */
function instantClock(): Clock & { readonly sleeps: number[] } {
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => 0,
    monotonic: () => 0,
    sleep: async (durationMs) => {
      sleeps.push(durationMs);
    },
  };
}

function noting(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const note = (_: unknown, message: string) => void lines.push(message);
  const logger: Logger = { error: note, warn: note, info: note, debug: note, child: () => logger };
  return { lines, logger };
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('runner', () => {
  it('stops its loops and waits for them', async () => {
    const runner = new Runner({ clock: systemClock(), logger: silentLogger() });
    let ended = false;
    runner.run('follow', async (signal) => {
      await untilAborted(signal).catch(() => undefined);
      await turn();
      ended = true;
    });
    runner.run('once', async () => undefined);
    await turn();
    assert.equal(runner.running, 1);
    await runner.stop();
    assert.ok(ended);
    assert.equal(runner.running, 0);
  });

  it('begins a loop that may fail again with growing waits', async () => {
    const clock = instantClock();
    const runner = new Runner({ clock, logger: silentLogger() });
    let tries = 0;
    const done = new Promise<void>((resolve) => {
      runner.run(
        'sync',
        async () => {
          tries += 1;
          if (tries < 9) throw new Error('not yet');
          resolve();
        },
        { onFailure: 'restart' },
      );
    });
    await done;
    assert.deepEqual(clock.sleeps, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    await runner.stop();
  });

  it('aborts the others when a loop fails that must not', async () => {
    const runner = new Runner({ clock: systemClock(), logger: silentLogger() });
    let told: unknown;
    runner.run('other', async (signal) => {
      await untilAborted(signal).catch((error: unknown) => {
        told = error;
      });
    });
    const failure = new Error('the log is damaged');
    runner.run('follow', async () => {
      throw failure;
    });
    await assert.rejects(runner.failed, failure);
    await runner.stop();
    assert.equal(told, failure);
  });
});

describe('service', () => {
  const start = async (
    work: (context: ServiceContext) => Promise<RunningService>,
    clock: Clock = systemClock(),
    drainMs = 1000,
  ) => {
    const host = new FakeProcess();
    const { lines, logger } = noting();
    const ended = runService(work, { logger, clock, drainMs, process: host });
    await turn();
    return { host, lines, ended };
  };

  it('closes the service, its loops and its parts in reverse at a signal, then exits 0', async () => {
    const closed: string[] = [];
    const { host, ended } = await start(async ({ opened, runner }) => {
      opened('index', async () => void closed.push('index'));
      opened('files', async () => void closed.push('files'));
      runner.run('follow', async (signal) => {
        await untilAborted(signal).catch(() => undefined);
        closed.push('follow');
      });
      return { stop: async () => void closed.push('service') };
    });
    host.emit('SIGTERM');
    await ended;
    assert.deepEqual(closed, ['service', 'follow', 'files', 'index']);
    assert.deepEqual(host.codes, [0]);
    assert.equal(host.listenerCount('SIGTERM'), 0);
  });

  it('stops when its terminal closes, however often it is told', async () => {
    let stopped = 0;
    const { host, ended } = await start(async () => ({
      stop: async () => {
        stopped += 1;
        host.emit('SIGHUP');
      },
    }));
    host.emit('SIGHUP');
    host.emit('SIGHUP');
    await ended;
    assert.equal(stopped, 1);
    assert.deepEqual(host.codes, [0]);
    assert.equal(host.listenerCount('SIGHUP'), 0);
  });

  it('exits 130 at once at a second signal', async () => {
    let release = (): void => undefined;
    const { host, ended } = await start(async () => ({
      stop: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    }));
    host.emit('SIGINT');
    await turn();
    host.emit('SIGINT');
    assert.deepEqual(host.codes, [130]);
    release();
    await ended;
  });

  it('closes what was opened when the start fails, and exits 1', async () => {
    const closed: string[] = [];
    const { host, lines, ended } = await start(async ({ opened }) => {
      opened('index', async () => {
        closed.push('index');
        throw new Error('cannot close');
      });
      throw new Error('the port is taken');
    });
    await ended;
    assert.deepEqual(closed, ['index']);
    assert.deepEqual(host.codes, [1]);
    assert.ok(lines.includes('the service did not start'));
  });

  it('stops and exits 1 after a fatal loop or a rejection nobody handled', async () => {
    for (const cause of ['loop', 'rejection']) {
      let stopped = false;
      const { host, ended } = await start(async ({ runner }) => {
        if (cause === 'loop') {
          runner.run('follow', async () => {
            throw new Error('damaged');
          });
        }
        return {
          stop: async () => {
            stopped = true;
          },
        };
      });
      if (cause === 'rejection') host.emit('unhandledRejection', new Error('forgotten'));
      await ended;
      assert.ok(stopped);
      assert.deepEqual(host.codes, [1]);
    }
  });

  it('ends although a part never closes', async () => {
    const { host, lines, ended } = await start(
      async () => ({ stop: () => new Promise<void>(() => undefined) }),
      instantClock(),
    );
    host.emit('SIGTERM');
    await ended;
    assert.deepEqual(host.codes, [1]);
    assert.ok(lines.includes('the service did not stop in time'));
  });
});
