import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import {
  compareBytes,
  fromHex,
  isFault,
  seededRng,
  sequenceOf,
  toHex,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { StreamReads } from '../../src/read/stream-reads.ts';
import { type ScanOptions, type ScanPage, StreamScans } from '../../src/read/stream-scans.ts';
import { expiryKey } from '../../src/reserved-keys.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import { drawEntry, inputOf, openState } from '../support/history.ts';
import { ALICE, BOB, Model, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

const begin = (): Promise<StreamState> =>
  openState({ kv: sortedKeyValueStore(), hasher }, [STREAM], { signal });
const scansOf = (state: StreamState): StreamScans => new StreamScans(state, new StreamReads(state));

async function pagesOf(
  scans: StreamScans,
  options: Omit<ScanOptions, 'signal'>,
): Promise<ScanPage[]> {
  const pages: ScanPage[] = [];
  let cursor: Uint8Array | undefined;
  do {
    const page = await scans.scan(STREAM, {
      ...options,
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    pages.push(page);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return pages;
}

describe('scans of a stream', () => {
  it('give every key once, in pages of any size, both ways, at every version', async () => {
    const rng = seededRng(51);
    const state = await begin();
    const model = new Model([STREAM]);
    const entries = Array.from({ length: 60 }, (_, sequence) => drawEntry(rng, sequence, [STREAM]));
    for (const entry of entries) model.apply(entry);
    await state.apply(entries.map(inputOf), { signal });
    const scans = scansOf(state);
    for (let version = 0; version < 60; version += 3) {
      const all = model.keys(STREAM, version);
      const ranges = [
        { options: {}, isIn: () => true },
        {
          options: { from: utf8Bytes('key'), to: utf8Bytes('z') },
          isIn: (key: Uint8Array) =>
            compareBytes(key, utf8Bytes('key')) >= 0 && compareBytes(key, utf8Bytes('z')) < 0,
        },
        {
          options: { prefix: utf8Bytes('key') },
          isIn: (key: Uint8Array) => utf8Text(key).startsWith('key'),
        },
      ];
      for (const { options, isIn } of ranges) {
        for (const isReverse of [false, true]) {
          const expected = all.filter(isIn).map(toHex);
          if (isReverse) expected.reverse();
          const pages = await pagesOf(scans, {
            ...options,
            isReverse,
            version,
            limit: 1 + rng.below(5),
          });
          const found = pages.flatMap(({ keys }) => keys);
          assert.deepEqual(
            found.map(({ key }) => toHex(key)),
            expected,
            `version ${version}`,
          );
          for (const { key, value, version: written } of found) {
            const row = model.get(STREAM, key, version);
            assert.equal(written, row?.version);
            assert.ok(
              Buffer.compare(value ?? Buffer.alloc(0), row?.value ?? Buffer.alloc(1)) === 0,
            );
          }
        }
      }
      const many = await scans.multiGet(STREAM, [utf8Bytes('nothing'), ...all], {
        version,
        signal,
      });
      assert.deepEqual(
        many.keys.map((one) => one && toHex(one.key)),
        [undefined, ...all.map(toHex)],
      );
      const difference = await scans.difference(STREAM, {
        since: 20,
        version,
        signal,
        limit: 4096,
      });
      const changed = [...(model.rows.get(STREAM)?.entries() ?? [])]
        .filter(([, rows]) => rows.some((row) => row.version > 20 && row.version <= version))
        .map(([key]) => fromHex(key))
        .sort(compareBytes);
      assert.deepEqual(
        difference.keys.map(({ key }) => toHex(key)),
        changed.map(toHex),
      );
    }
    for (const [text, rows] of model.rows.get(STREAM) ?? []) {
      const history = await scans.history(STREAM, fromHex(text), { signal });
      assert.deepEqual(
        history.map(({ version }) => version),
        rows.map(({ version }) => version).reverse(),
      );
    }
  });

  it('stay at their version while the stream goes on, and end when that is taken back', async () => {
    const state = await begin();
    const scans = scansOf(state);
    const put = async (...names: string[]): Promise<void> => {
      const batch = new BatchBuilder();
      for (const name of names)
        batch.put(STREAM, utf8Bytes(name), utf8Bytes(`${name} at ${state.nextSequence}`));
      await apply(state, batch, 0);
    };
    await put('a', 'b', 'c');
    await put('d');
    const first = await scans.scan(STREAM, { limit: 2, signal });
    await put('b', 'c', 'cc');
    assert.ok(first.cursor !== undefined);
    const { cursor } = first;
    const second = await scans.scan(STREAM, { cursor, signal });
    assert.deepEqual(
      second.keys.map(({ value }) => utf8Text(value ?? new Uint8Array(0))),
      ['c at 0', 'd at 1'],
    );
    await state.rollback(sequenceOf(1), { signal });
    await put('e');
    await assert.rejects(scans.scan(STREAM, { cursor, signal }), (error) =>
      isFault(error, 'KV_ROLLED_BACK'),
    );
    await assert.rejects(scans.scan(STREAM, { cursor: new Uint8Array(3), signal }), (error) =>
      isFault(error, 'KV_CURSOR'),
    );
    await assert.rejects(scans.scan(STREAM, { limit: 5000, signal }), (error) =>
      isFault(error, 'KV_TOO_MUCH'),
    );
  });

  it('end pages by bytes, and leave out values that fit in none', async () => {
    const state = await begin();
    const batch = new BatchBuilder();
    for (const name of ['a', 'b', 'c', 'd'])
      batch.put(STREAM, utf8Bytes(name), new Uint8Array(3000).fill(1));
    batch.put(STREAM, utf8Bytes('bb'), new Uint8Array(9000).fill(1));
    await apply(state, batch, 0);
    for (const isReverse of [false, true]) {
      const pages = await pagesOf(scansOf(state), { maxBytes: 5000, isReverse });
      const found = pages.flatMap(({ keys }) =>
        keys.map(({ key, value }) => `${utf8Text(key)} ${value?.length}`),
      );
      const expected = ['a 3000', 'b 3000', 'bb undefined', 'c 3000', 'd 3000'];
      assert.deepEqual(isReverse ? found.reverse() : found, expected);
      assert.ok(pages.length >= 4);
    }
    const keysOnly = await scansOf(state).scan(STREAM, { isKeysOnly: true, signal });
    assert.deepEqual(
      keysOnly.keys.map(({ valueBytes }) => valueBytes),
      [3000, 3000, 9000, 3000, 3000],
    );
    assert.ok(keysOnly.keys.every(({ value }) => value === undefined));
  });
});

describe('expiry', () => {
  it('ends keys by the chain’s clock at the version read, and a new value takes it off', async () => {
    const state = await begin();
    const scans = scansOf(state);
    const key = utf8Bytes('session');
    const seen = async (version?: number): Promise<number> => {
      const page = await scans.scan(STREAM, {
        signal,
        ...(version === undefined ? {} : { version }),
      });
      const many = await scans.multiGet(STREAM, [key], {
        signal,
        ...(version === undefined ? {} : { version }),
      });
      assert.equal(many.keys[0] === undefined, page.keys.length === 0);
      return page.keys.length;
    };
    await apply(state, new BatchBuilder().putUntil(STREAM, key, utf8Bytes('v'), 1000), 900);
    assert.equal(await seen(), 1);
    await apply(state, new BatchBuilder().tag(STREAM), 999);
    assert.equal(await seen(), 1);
    await apply(state, new BatchBuilder().tag(STREAM), 1000);
    assert.equal(await seen(), 0);
    assert.equal(await scans.isExpired(STREAM, key, { signal }), true);
    assert.equal(await seen(1), 1, 'it was still there at the version before');
    await apply(state, new BatchBuilder().put(STREAM, key, utf8Bytes('again')), 2000);
    assert.equal(await seen(), 1);
    await state.rollback(sequenceOf(2), { signal });
    assert.equal(await seen(), 1);
  });

  it('of a special key needs a special key too', async () => {
    const state = await begin();
    const key = utf8Bytes('guarded');
    await apply(
      state,
      new BatchBuilder()
        .put(STREAM, key, utf8Bytes('v'))
        .setKeyToSpecial(STREAM, key)
        .grantWriter(STREAM, BOB),
      1,
    );
    const end = new BatchBuilder().put(STREAM, expiryKey(key), new Uint8Array(8));
    await apply(state, end, 2, BOB);
    assert.equal((await scansOf(state).scan(STREAM, { signal })).keys.length, 1);
    await apply(state, new BatchBuilder().setKeyToSpecial(STREAM, expiryKey(key)), 3);
    assert.equal((await scansOf(state).scan(STREAM, { signal })).keys.length, 0);
  });
});

async function apply(
  state: StreamState,
  batch: BatchBuilder,
  timeSeconds: number,
  sender = ALICE,
): Promise<void> {
  const { bytes, tags } = batch.build();
  const { applied } = await state.apply(
    [inputOf({ sequence: state.nextSequence, sender, tags, bytes, timeSeconds })],
    { signal },
  );
  assert.deepEqual(
    applied.map(({ result }) => result),
    ['Commit'],
  );
}
