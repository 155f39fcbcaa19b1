import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import { switchesOf } from '../src/commands/da-dev.ts';

describe('cairn da dev --latency', () => {
  it('gives stages their times and leaves the others', () => {
    const { confirmed, final, read, ...others } = switchesOf(
      'confirmed=12s, final=1m,read=0',
    ).latencyMs;
    assert.deepEqual([confirmed, final, read], [12_000, 60_000, 0]);
    const { accepted, dispersed } = switchesOf(undefined).latencyMs;
    assert.deepEqual(others, { accepted, dispersed });
  });

  it('refuses what is no stage, no time, or more than there may be', () => {
    for (const text of ['', 'confirmed', 'soon=1s', 'final=soon', 'final=11m', 'final=-1s']) {
      assert.throws(
        () => switchesOf(text),
        (error) => isFault(error, 'CLI_USAGE'),
        text,
      );
    }
  });
});
