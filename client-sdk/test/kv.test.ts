import assert from 'node:assert/strict';
import { BatchBuilder, parseStreamId, type StreamId } from '@cairn/kv-layer';
import {
  type Clock,
  isFault,
  parseAddress,
  seededRng,
  systemClock,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { NetworkKv } from '../src/kv/kv-client.ts';
import { KvNodeClient } from '../src/kv/kv-node-client.ts';
import type { KvEntry } from '../src/kv/kv-options.ts';
import { ReplayingNetwork } from './support/replaying-network.ts';

const STREAM = parseStreamId(`0x${'5a'.repeat(32)}`);
const OTHER = parseStreamId(`0x${'5b'.repeat(32)}`);
const STRANGER = parseAddress(`0x${'b2'.repeat(20)}`);

function kvOver(network: ReplayingNetwork): NetworkKv {
  const node = new KvNodeClient(['http://127.0.0.1:1'], { transport: network, timeoutMs: 60_000 });
  // A second of waiting takes ten milliseconds, and what is no waiting takes no time.
  let nowMs = 0;
  const clock: Clock = {
    ...systemClock(),
    monotonic: () => nowMs,
    sleep: async (durationMs, signal) => {
      const untilMs = nowMs + durationMs;
      await systemClock().sleep(durationMs / 100, signal);
      nowMs = Math.max(nowMs, untilMs);
    },
  };
  return new NetworkKv({ files: network.files, node, clock, rng: seededRng(7) });
}

describe('keys and values through the client', () => {
  let network: ReplayingNetwork;
  let kv: NetworkKv;

  beforeEach(async () => {
    network = await ReplayingNetwork.watching([STREAM, OTHER]);
    kv = kvOver(network);
  });
  afterEach(() => kv.close());

  const textOf = async (key: string, stream: StreamId = STREAM): Promise<string | undefined> => {
    const found = await kv.stream(stream).get(key);
    return found === undefined ? undefined : utf8Text(found.value);
  };
  const keysOf = async (entries: AsyncIterable<KvEntry>): Promise<readonly string[]> => {
    const keys: string[] = [];
    for await (const { key } of entries) keys.push(utf8Text(key));
    return keys;
  };

  it('reads back what it wrote, at any version, and nothing of what is deleted', async () => {
    const stream = kv.stream(STREAM);
    const { sequence } = await stream.put('name', 'one');
    await stream.put('name', 'two');
    assert.equal(await textOf('name'), 'two');
    const then = await stream.get('name', { version: sequence });
    assert.equal(utf8Text(then?.value ?? new Uint8Array()), 'one');
    await stream.delete('name');
    assert.equal(await textOf('name'), undefined);
    assert.equal(await textOf('never'), undefined);
  });

  it('puts what is asked for together into one log entry, the last word of a key counting', async () => {
    const stream = kv.stream(STREAM);
    const commits = await Promise.all([
      ...Array.from({ length: 100 }, (_, at) => stream.put(`key ${at}`, `value ${at}`)),
      stream.put('key 7', 'another'),
    ]);
    assert.equal(network.stored.length, 1);
    assert.deepEqual(new Set(commits.map(({ sequence }) => sequence)).size, 1);
    assert.equal(commits[0]?.writes, 100);
    assert.equal(await textOf('key 7'), 'another');
    assert.equal(await textOf('key 99'), 'value 99');
  });

  it('keeps streams apart, so that nobody waits for a stream that is not watched', async () => {
    const unwatched = parseStreamId(`0x${'5c'.repeat(32)}`);
    const results = await Promise.allSettled([
      kv.stream(STREAM).put('a', '1'),
      kv.stream(unwatched).put('a', '1'),
      kv.stream(OTHER).put('a', '2'),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.ok(isFault((results[1] as PromiseRejectedResult).reason, 'SDK_KV_NOT_WATCHED'));
  });

  it('stores the same bytes anew, under a name of their own', async () => {
    const stream = kv.stream(STREAM);
    await stream.put('key', 'A');
    await stream.put('key', 'B');
    await stream.put('key', 'A');
    assert.equal(await textOf('key'), 'A');
    const [first, , third] = network.stored;
    assert.deepEqual(first?.bytes, third?.bytes);
    assert.notEqual(first?.resubmit, third?.resubmit);
  });

  it('fails no write for another that was refused beside it', async () => {
    const stream = kv.stream(STREAM);
    await stream.access.grantWriter(STRANGER);
    await stream.access.setKeyToSpecial('guarded');
    network.sender = STRANGER;
    const results = await Promise.allSettled(
      ['a', 'b', 'guarded', 'c'].map((key) => stream.put(key, 'x')),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    );
    const refused = (results[2] as PromiseRejectedResult).reason;
    assert.ok(isFault(refused, 'SDK_KV_REFUSED'));
    assert.match(String(refused), /WritePermissionDenied: stream: 0x5a.*, key: guarded/);
  });

  it('applies a batch whole or not at all, and gives a tagged stream to whoever was first', async () => {
    await kv.batch((batch) => batch.tag(STREAM));
    assert.equal(await kv.stream(STREAM).access.isWriter(STRANGER), false);
    await kv.batch((batch) => {
      batch.put(STREAM, utf8Bytes('a'), utf8Bytes('1')).put(OTHER, utf8Bytes('a'), utf8Bytes('2'));
    });
    assert.equal(await textOf('a', OTHER), '2');
    network.sender = STRANGER;
    const elsewhere = parseStreamId(`0x${'5b'.repeat(32)}`);
    await assert.rejects(
      kv.batch((batch) => {
        batch
          .put(STREAM, utf8Bytes('a'), utf8Bytes('3'))
          .put(elsewhere, utf8Bytes('a'), utf8Bytes('3'));
      }),
      (error) => isFault(error, 'SDK_KV_REFUSED'),
    );
    assert.equal(await textOf('a'), '1');
    assert.equal(await textOf('a', OTHER), '2');
  });

  it('runs an update again where another was first, with what is there then', async () => {
    const stream = kv.stream(STREAM);
    await stream.put('count', '1');
    let runs = 0;
    network.beforeStored = async () => {
      network.beforeStored = undefined;
      const { bytes, tags } = new BatchBuilder()
        .put(STREAM, utf8Bytes('count'), utf8Bytes('10'))
        .build();
      await network.apply(bytes, tags);
    };
    const { sequence } = await kv.update(async (update) => {
      runs += 1;
      const count = Number(utf8Text((await update.get(STREAM, 'count')) ?? utf8Bytes('0')));
      update.put(STREAM, 'count', String(count + 1));
      assert.equal(utf8Text((await update.get(STREAM, 'count')) ?? utf8Bytes('')), `${count + 1}`);
    });
    assert.equal(runs, 2);
    assert.equal(await textOf('count'), '11');
    assert.equal((await stream.get('count'))?.version, sequence);
  });

  it('says so when an update stays in conflict', async () => {
    await kv.stream(STREAM).put('before', 'x'); // what entry 0 wrote looks like what nobody wrote
    network.beforeStored = async () => {
      const { bytes, tags } = new BatchBuilder()
        .put(STREAM, utf8Bytes('count'), utf8Bytes('10'))
        .build();
      await network.apply(bytes, tags);
    };
    await assert.rejects(
      kv.update((update) => update.put(STREAM, 'count', '1'), { tries: 2 }),
      (error) => isFault(error, 'SDK_KV_CONFLICT'),
    );
    assert.equal(network.stored.length, 3);
  });

  it('scans ranges and prefixes in both directions, at one version', async () => {
    const stream = kv.stream(STREAM);
    const keys = ['a', 'b', 'b1', 'b2', 'b3', 'c', 'd'];
    await Promise.all(keys.map((key) => stream.put(key, key.repeat(3))));
    await stream.delete('b2');
    const present = keys.filter((key) => key !== 'b2');
    assert.deepEqual(await keysOf(stream.scan()), present);
    assert.deepEqual(await keysOf(stream.scan({ reverse: true })), present.toReversed());
    assert.deepEqual(await keysOf(stream.scan({ prefix: 'b' })), ['b', 'b1', 'b3']);
    assert.deepEqual(await keysOf(stream.scan({ prefix: 'b', reverse: true })), ['b3', 'b1', 'b']);
    assert.deepEqual(await keysOf(stream.scan({ gte: 'b1', lt: 'd' })), ['b1', 'b3', 'c']);
    assert.deepEqual(await keysOf(stream.scan({ prefix: 'b', gte: 'b1', limit: 1 })), ['b1']);
    const scan = stream.scan()[Symbol.asyncIterator]();
    assert.equal(utf8Text((await scan.next()).value.value), 'aaa');
    await stream.put('aa', 'late');
    assert.equal(utf8Text((await scan.next()).value.key), 'b', 'what comes later is not in it');
  });

  it('reads values of any length whole', async () => {
    const stream = kv.stream(STREAM);
    const value = Uint8Array.from({ length: 600_001 }, (_, at) => at % 251);
    await stream.put('long', value);
    assert.deepEqual((await stream.get('long'))?.value, value);
    for await (const entry of stream.scan()) assert.deepEqual(entry.value, value);
  });

  it('refuses what cannot be a key or a value, and whatever comes after it was closed', async () => {
    const stream = kv.stream(STREAM);
    assert.throws(() => kv.stream('0x12'), /a stream id is 0x and 64 hex digits/);
    await assert.rejects(stream.put('', 'x'), /a key has 1 to 16777215 bytes, not 0/);
    await assert.rejects(stream.put('x', ''), /would delete/);
    const waiting = stream.put('x', 'y');
    kv.close();
    await assert.rejects(waiting, (error) => isFault(error, 'SDK_CLOSED'));
    assert.equal(network.stored.length, 0);
  });

  it('gives a caller up, and writes nothing of what had not begun', async () => {
    const stream = kv.stream(STREAM);
    const giveUp = new AbortController();
    const given = stream.put('x', 'y', { signal: giveUp.signal });
    const other = stream.put('a', 'b');
    giveUp.abort(new Error('given up'));
    await assert.rejects(given, /given up/);
    await other;
    assert.equal(await textOf('x'), undefined);
    assert.equal(await textOf('a'), 'b');
  });
});
