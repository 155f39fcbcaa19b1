import assert from 'node:assert/strict';
import { fragmentRanges } from '@cairn/log-layer';
import { isFault } from '@cairn/primitives';
import {
  parseCount,
  parseDuration,
  parseFragmentSize,
  parsePort,
  parseRange,
  parseSeed,
  parseSize,
  parseTags,
  parseUrl,
  resolveRange,
} from '../src/parse-options.ts';

const isUsage = (error: unknown) => isFault(error, 'CLI_USAGE');

describe('options', () => {
  it('read sizes in units of 1,024', () => {
    const cases = { '0': 0, '4096': 4096, '256KiB': 262_144, '64m': 67_108_864, '4GiB': 2 ** 32 };
    for (const [text, size] of Object.entries(cases)) assert.equal(parseSize(text), size, text);
    for (const text of ['', 'x', '-1', '1.5M', '1KB', '99999999999999999999', '9999999TiB']) {
      assert.throws(() => parseSize(text), isUsage, text);
    }
  });

  it('read the size of fragments as the log cuts files', () => {
    for (const wish of ['1', '255', '256', '257', '1000', '64KiB', '3MiB', '4GiB']) {
      const [first] = fragmentRanges(2 ** 40, parseSize(wish));
      assert.equal(parseFragmentSize(wish), first?.length, wish);
    }
    for (const text of ['0', '5000TiB', '-1'])
      assert.throws(() => parseFragmentSize(text), isUsage, text);
  });

  it('read ranges with both ends included, as HTTP does', () => {
    assert.deepEqual(resolveRange(parseRange('0-0'), 10), { offset: 0, length: 1 });
    assert.deepEqual(resolveRange(parseRange('2-5'), 10), { offset: 2, length: 4 });
    assert.deepEqual(resolveRange(parseRange('4-'), 10), { offset: 4, length: 6 });
    assert.deepEqual(resolveRange(parseRange('-3'), 10), { offset: 7, length: 3 });
    assert.deepEqual(resolveRange(parseRange('-30'), 10), { offset: 0, length: 10 });
    assert.deepEqual(resolveRange(parseRange('8-99'), 10), { offset: 8, length: 2 });
    for (const text of ['', '-', '5-2', 'a-b', '1-2-3', '1']) {
      assert.throws(() => parseRange(text), isUsage, text);
    }
    assert.throws(() => resolveRange(parseRange('10-'), 10), isUsage);
  });

  it('read durations, seconds unless told', () => {
    assert.deepEqual(
      ['500ms', '30', '30s', '5m', '2h'].map(parseDuration),
      [500, 30_000, 30_000, 300_000, 7_200_000],
    );
    for (const text of ['', '0', '-1', '1d']) assert.throws(() => parseDuration(text), isUsage);
  });

  it('read counts and ports within their bounds', () => {
    assert.equal(parseCount(1)('3'), 3);
    assert.throws(() => parseCount(1)('0'), isUsage);
    assert.throws(() => parseCount(0)('1e3'), isUsage);
    assert.equal(parsePort('0'), 0);
    assert.throws(() => parsePort('65536'), isUsage);
  });

  it('read addresses without a slash at their end', () => {
    assert.equal(parseUrl('http://127.0.0.1:5678/'), 'http://127.0.0.1:5678');
    for (const text of ['', 'localhost:5678', 'ftp://x', 'file:///etc/passwd']) {
      assert.throws(() => parseUrl(text), isUsage, text);
    }
  });

  it('read seeds of 32 bytes', () => {
    assert.deepEqual(parseSeed(`0x${'0a'.repeat(32)}`), new Uint8Array(32).fill(10));
    for (const text of ['', '0x', '0a'.repeat(32), `0x${'0a'.repeat(31)}`]) {
      assert.throws(() => parseSeed(text), isUsage, text);
    }
  });

  it('take tags as hex or as text', () => {
    assert.deepEqual(parseTags('0xCAFE01'), Uint8Array.of(0xca, 0xfe, 1));
    assert.deepEqual(parseTags('0x'), new Uint8Array(0));
    assert.deepEqual(parseTags('hé'), Uint8Array.of(0x68, 0xc3, 0xa9));
    assert.deepEqual(parseTags('0xzz'), new TextEncoder().encode('0xzz'));
  });
});
