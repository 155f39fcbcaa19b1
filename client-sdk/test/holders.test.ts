import assert from 'node:assert/strict';
import { fetchTransport } from '@cairn/chain-access';
import { parseRoot, silentLogger } from '@cairn/primitives';
import { HolderBook } from '../src/holders.ts';

describe('holder book', () => {
  let nowMs = 0;
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async (durationMs: number) => {
      nowMs += durationMs;
    },
  };
  const open = (): HolderBook =>
    new HolderBook({ transport: fetchTransport(), timeoutMs: 1, clock, logger: silentLogger() });

  it('does not ask a liar for an hour, then gives it another chance', () => {
    const book = open();
    const url = 'http://127.0.0.1:1';
    const root = parseRoot(`0x${'1'.repeat(64)}`);
    book.convict({ url, root, index: 0, code: 'PROOF_WRONG_ROOT', reason: 'other bytes' });
    assert.equal(book.isConvicted(url), true);
    assert.equal(book.isConvicted('http://127.0.0.1:2'), false);
    nowMs += 3_599_999;
    assert.equal(book.isConvicted(url), true);
    nowMs += 1;
    assert.equal(book.isConvicted(url), false);
  });

  it('expects of a node what it took lately, more while it is busy, and little after a failure', async () => {
    const book = open();
    const took = (url: string, durationMs: number): Promise<void> =>
      book.measure(url, () => clock.sleep(durationMs));
    await took('a', 10);
    await took('b', 50);
    assert.ok(book.expectedMs('a') < book.expectedMs('b'));
    for (let times = 0; times < 10; times += 1) await took('a', 200);
    assert.ok(book.expectedMs('a') > book.expectedMs('b'));
    const idle = book.expectedMs('b');
    await book.measure('b', async () => assert.ok(book.expectedMs('b') > idle));
    book.penalise('b');
    assert.ok(book.expectedMs('b') > book.expectedMs('a'));
  });
});
