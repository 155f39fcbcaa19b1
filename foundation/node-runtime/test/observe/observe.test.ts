import assert from 'node:assert/strict';
import { Fault } from '@cairn/primitives';
import { createLogger, type LoggerOptions } from '../../src/observe/create-logger.ts';
import { createMetrics } from '../../src/observe/create-metrics.ts';
import { watchEventLoop } from '../../src/observe/event-loop-watch.ts';
import { RepeatFilter } from '../../src/observe/repeat-filter.ts';

function captured(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { lines, logger: createLogger({ level: 'info', destination, ...options }) };
}

describe('logger', () => {
  it('writes one JSON object a line with its fields, and nothing below its level', () => {
    const { lines, logger } = captured();
    logger.debug({ sequence: 1 }, 'log entry stored');
    logger.child({ chainId: 31337 }).warn({ sequence: 2 }, 'log entry refused');
    assert.equal(lines.length, 1);
    const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(line, {
      level: 'warn',
      chainId: 31337,
      sequence: 2,
      message: 'log entry refused',
    });
  });

  it('never writes the values of secret fields, its own, a level down or a child’s', () => {
    for (const pretty of [false, true]) {
      const { lines, logger } = captured({ pretty });
      const secret = 'canary-91f2';
      logger.error(
        { privateKey: secret, token: secret, password: secret, signer: { key: secret } },
        'bad key',
      );
      logger.child({ secret, account: { mnemonic: secret } }).info({}, 'child');
      assert.equal(lines.length, 2);
      assert.ok(!lines.join('').includes(secret), lines.join(''));
      assert.ok(lines.join('').includes('[redacted]'));
    }
  });

  it('writes a fault with its facts and causes', () => {
    const { lines, logger } = captured();
    const cause = new Fault({ code: 'DISK_IO' }, 'the disk failed');
    logger.error({ error: new Error('cannot store', { cause }) }, 'a request failed');
    const { error } = JSON.parse(lines[0] ?? '') as { error: Record<string, unknown> };
    assert.equal(error['message'], 'cannot store');
    assert.deepEqual(error['cause'], {
      name: 'Fault',
      message: 'the disk failed',
      facts: { code: 'DISK_IO' },
    });
  });

  it('holds back a sentence that repeats and says later how often', () => {
    let now = 0;
    const filter = new RepeatFilter(3, () => now);
    const admitted = Array.from({ length: 10 }, () => filter.admit('peer gone'));
    assert.deepEqual(admitted.slice(0, 4), [0, 0, 0, undefined]);
    assert.equal(filter.admit('another'), 0);
    now = 10_000;
    assert.equal(filter.admit('peer gone'), 7);
    const { lines, logger } = captured({ maxRepeats: 2 });
    for (let index = 0; index < 5; index += 1) logger.info({ index }, 'again');
    logger.child({ part: 'other' }).info({}, 'again');
    assert.equal(lines.length, 2, 'a logger and its children are counted together');
  });
});

describe('metrics', () => {
  it('renders counters, gauges and histograms with their labels', async () => {
    const { metrics, render } = createMetrics({ processMetrics: false });
    const spec = { name: 'cairn_upload_bytes_total', help: 'bytes taken in', labels: ['via'] };
    metrics.counter(spec).add(5, { via: 'http' });
    metrics.counter(spec).add(2, { via: 'http' });
    metrics.gauge({ name: 'cairn_chain_head_block', help: 'newest block' }).set(9);
    metrics.histogram({ name: 'cairn_wait_seconds', help: 'waits', buckets: [1, 2] }).observe(1.5);
    const { contentType, body } = await render();
    assert.match(contentType, /^text\/plain/);
    for (const line of [
      'cairn_upload_bytes_total{via="http"} 7',
      'cairn_chain_head_block 9',
      'cairn_wait_seconds_bucket{le="1"} 0',
      'cairn_wait_seconds_bucket{le="2"} 1',
    ]) {
      assert.ok(body.includes(line), line);
    }
    assert.throws(() => metrics.gauge(spec), /exists already as another kind/);
  });

  it('measures the process without the misnamed gauges, apart from other registries', async () => {
    const first = createMetrics();
    const second = createMetrics();
    first.metrics.counter({ name: 'cairn_only_total', help: 'of the first' }).add();
    const { body } = await first.render();
    assert.ok(body.includes('process_cpu_seconds_total'));
    assert.ok(!body.includes('nodejs_active_'), 'no nodejs_active_ gauges');
    assert.ok(!(await second.render()).body.includes('cairn_only_total'));
  });
});

describe('event loop watch', () => {
  it('sees a loop that was held up', async () => {
    const watch = watchEventLoop();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const until = performance.now() + 120;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.ok(watch.worstDelayMs >= 80, `${watch.worstDelayMs} ms seen`);
    watch.stop();
  });
});
