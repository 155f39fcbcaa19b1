import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type Hasher, loadHasher } from '@cairn/commitments';
import {
  equalBytes,
  isFault,
  memoryFileStore,
  seededRng,
  sequenceOf,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { StreamReads } from '../../src/read/stream-reads.ts';
import {
  hasWritePermission,
  isAdmin,
  isSpecialKey,
  isWriterOfKey,
  isWriterOfStream,
} from '../../src/replay/role.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import { drawEntry, type HistoryEntry, inputOf, openState, rootsOf } from '../support/history.ts';
import { ALICE, BOB, CAROL, Model, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAMS = [streamNumber(1), streamNumber(2)];
const ALL = [...STREAMS, streamNumber(3)];
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

describe('a stream state', () => {
  it('gives every entry the result that the model gives, and reads like it at every version', async () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const rng = seededRng(seed);
      const model = new Model(STREAMS);
      const state = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
      const entries: HistoryEntry[] = [];
      while (entries.length < 60) {
        const group = Array.from({ length: 1 + rng.below(8) }, (_, at) =>
          drawEntry(rng, entries.length + at, ALL),
        );
        const { applied } = await state.apply(group.map(inputOf), { signal });
        const results = new Map(applied.map(({ sequence, result }) => [Number(sequence), result]));
        for (const entry of group) {
          const where = `seed ${seed}, sequence ${entry.sequence}`;
          assert.equal(results.get(entry.sequence) ?? null, model.apply(entry), where);
          const stored = await state.resultOf(sequenceOf(entry.sequence));
          assert.equal(stored ?? null, results.get(entry.sequence) ?? null, where);
        }
        entries.push(...group);
      }
      await assertReads(state, model, `seed ${seed}`);
    }
  });

  it('comes back to the same roots after reorganisations of any depth', async () => {
    for (let seed = 10; seed < 14; seed += 1) {
      const rng = seededRng(seed);
      const kv = sortedKeyValueStore();
      const values = memoryFileStore();
      let state = await openState({ kv, values, hasher }, STREAMS, { signal });
      let entries: HistoryEntry[] = [];
      for (let round = 0; round < 8; round += 1) {
        const group = Array.from({ length: 10 }, (_, at) =>
          drawEntry(rng, entries.length + at, ALL),
        );
        await state.apply(group.map(inputOf), { signal });
        entries = [...entries, ...group];
        if (rng.below(2) === 0)
          state = await openState({ kv, values, hasher }, STREAMS, { signal });
        const to = rng.below(entries.length + 1);
        await state.rollback(sequenceOf(to), { signal });
        entries = entries.slice(0, to);
        const fresh = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
        await fresh.apply(entries.map(inputOf), { signal });
        assert.deepEqual(rootsOf(state), rootsOf(fresh), `seed ${seed}, round ${round}`);
        assert.equal(state.timeSeconds, fresh.timeSeconds);
      }
      const model = new Model(STREAMS);
      for (const entry of entries) model.apply(entry);
      await assertReads(state, model, `seed ${seed}`);
    }
  });

  it('waits for a file that decides, and for no other', async () => {
    const rng = seededRng(3);
    const state = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
    const write = (sequence: number, sender = ALICE) => {
      for (;;) {
        const entry = drawEntry(rng, sequence, [streamNumber(1)]);
        if (entry.tags.length >= 64 && entry.bytes.length > 100)
          return { ...inputOf({ ...entry, sender }) };
      }
    };
    const without = ({ source: _, ...rest }: ReturnType<typeof write>) => rest;
    assert.equal(await state.gate(write(0)), 'read');
    const first = await state.apply([without(write(0)), write(1)], { signal });
    assert.deepEqual(first, { applied: [], waitsFor: sequenceOf(0) });
    const own = {
      ...write(0),
      source: inputOf({ ...drawEntry(rng, 0, STREAMS), bytes: new Uint8Array(20) }).source,
    };
    assert.ok(own.source !== undefined);
    const source = own.source;
    await state.apply([{ ...own, source }], { signal });
    assert.equal(await state.gate(write(1, BOB)), 'refuse');
    const refused = await state.apply([without(write(1, BOB)), without(write(2))], { signal });
    assert.deepEqual(
      refused.applied.map(({ result }) => result),
      ['SenderNoWritePermission'],
    );
    assert.equal(refused.waitsFor, 2);
    const gone = await state.apply([{ ...without(write(2)), source: 'gone' }], { signal });
    assert.deepEqual(
      gone.applied.map(({ result }) => result),
      ['DownloadFailed'],
    );
    assert.deepEqual([state.holeCount, await state.holes({ signal })], [1, [2]]);
    await state.rollback(sequenceOf(2), { signal });
    assert.deepEqual([state.holeCount, await state.holes({ signal })], [0, []]);
    await assert.rejects(state.apply([write(3)], { signal }), (error) => isFault(error, 'KV_GAP'));
    await assert.rejects(state.rollback(sequenceOf(3), { signal }), (error) =>
      isFault(error, 'KV_ROLLBACK_AHEAD'),
    );
  });

  it('gives no read what is half taken back', async () => {
    const rng = seededRng(31);
    const kv = sortedKeyValueStore();
    const held = new EventEmitter();
    const [written, released] = [once(held, 'written'), once(held, 'released')];
    let isHeld = false;
    const holding = {
      ...kv,
      write: async (...args: Parameters<typeof kv.write>) => {
        await kv.write(...args);
        if (!isHeld) return;
        held.emit('written');
        await released;
      },
    };
    const values = memoryFileStore();
    const state = await openState({ kv: holding, values, hasher }, STREAMS, { signal });
    await state.apply(
      Array.from({ length: 20 }, (_, at) => inputOf(drawEntry(rng, at, STREAMS))),
      { signal },
    );
    const reads = new StreamReads(state);
    const [stream] = STREAMS;
    assert.ok(stream !== undefined);
    const rootsSeen = (): Promise<unknown> =>
      reads.steady({ signal }, async (version) => [
        version,
        (await state.tables.rootAt(stream, version, signal))?.sequence,
      ]);
    isHeld = true;
    const back = state.rollback(sequenceOf(10), { signal });
    await written; // rows are gone, and the state says 20 entries
    const meanwhile = rootsSeen();
    assert.equal(reads.valueNow(stream, utf8Bytes('k'), { start: 0, length: 1 }), undefined);
    const begun = await Promise.race([meanwhile, Promise.resolve('waits')]);
    assert.equal(begun, 'waits');
    isHeld = false;
    held.emit('released');
    await back;
    const after = await rootsSeen();
    assert.deepEqual(await meanwhile, after);
    assert.deepEqual((after as unknown[])[0], 9);
  });

  it('is whole after a write that failed, and goes on', async () => {
    const rng = seededRng(21);
    const kv = sortedKeyValueStore();
    let failures = 0;
    const failing = {
      ...kv,
      write: async (...args: Parameters<typeof kv.write>) => {
        if (rng.below(3) === 0) {
          failures += 1;
          throw new Error('the disk is full');
        }
        return kv.write(...args);
      },
    };
    const values = memoryFileStore();
    let state: StreamState | undefined;
    while (state === undefined) {
      state = await openState({ kv: failing, values, hasher }, STREAMS, { signal }).catch(
        () => undefined,
      );
    }
    const entries = Array.from({ length: 60 }, (_, sequence) => drawEntry(rng, sequence, ALL));
    while (state.nextSequence < entries.length) {
      const rest = entries.slice(state.nextSequence, state.nextSequence + 7).map(inputOf);
      await state
        .apply(rest, { signal })
        .catch((error: Error) => assert.equal(error.message, 'the disk is full'));
      if (rng.below(6) === 0) {
        const to = sequenceOf(Math.max(0, state.nextSequence - rng.below(5)));
        await state
          .rollback(to, { signal })
          .catch((error: Error) => assert.equal(error.message, 'the disk is full'));
      }
    }
    assert.ok(failures > 3);
    const fresh = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
    await fresh.apply(entries.map(inputOf), { signal });
    assert.deepEqual(rootsOf(state), rootsOf(fresh));
  });

  it('refuses a store of another chain, log, sender source or set of streams', async () => {
    const kv = sortedKeyValueStore();
    await openState({ kv, hasher }, STREAMS, { signal });
    await assert.rejects(openState({ kv, hasher }, ALL, { signal }), (error) =>
      isFault(error, 'KV_WRONG_STATE'),
    );
    await openState({ kv, hasher }, ALL, { signal, generation: 1 });
    await openState({ kv, hasher }, STREAMS.toReversed(), { signal });
  });
});

/** Compares every kind of read with the model's, at versions from before the first to past the last. */
async function assertReads(state: StreamState, model: Model, where: string): Promise<void> {
  const reads = new StreamReads(state);
  const last = state.nextSequence - 1;
  const probes = ['', 'k', 'key', 'key-', 'key-3', 'zz', 'zzz', '\u0000', 'a/b/', 'a/b/5', 'b'].map(
    utf8Bytes,
  );
  for (const version of [0, 1, Math.floor(last / 2), last - 1, last, last + 50]) {
    for (const stream of ALL) {
      const at = { signal, version, start: 0, length: 262_144 };
      const there = model.keys(stream, version).map(toHex);
      const texts = (slice: { key: Uint8Array } | undefined) =>
        slice === undefined ? undefined : toHex(slice.key);
      assert.equal(texts(await reads.first(stream, at)), there[0], where);
      assert.equal(texts(await reads.last(stream, at)), there.at(-1), where);
      const view = model.at(version);
      for (const key of probes.slice(1)) {
        const row = model.get(stream, key, version);
        const slice = await reads.value(stream, key, at);
        assert.equal(slice.version, row?.version ?? 0, where);
        assert.ok(
          equalBytes(slice.bytes, row?.value ?? new Uint8Array(0)),
          `${where}: another value`,
        );
        for (const isInclusive of [true, false]) {
          const found = { ...at, isInclusive };
          const text = toHex(key);
          const next = there.find((other) => (isInclusive ? other >= text : other > text));
          const previous = there.findLast((other) => (isInclusive ? other <= text : other < text));
          assert.equal(texts(await reads.next(stream, key, found)), next, where);
          assert.equal(texts(await reads.previous(stream, key, found)), previous, where);
        }
        assert.equal(
          await reads.isSpecialKey(stream, key, at),
          isSpecialKey(view, stream, key),
          where,
        );
        for (const account of [ALICE, BOB, CAROL]) {
          const pair = { account, key };
          assert.equal(
            await reads.hasWritePermission(stream, pair, at),
            hasWritePermission(view, account, stream, key),
            where,
          );
          assert.equal(
            await reads.isWriterOfKey(stream, pair, at),
            isWriterOfKey(view, account, stream, key),
            where,
          );
          assert.equal(
            await reads.isAdmin(stream, account, at),
            isAdmin(view, account, stream),
            where,
          );
          assert.equal(
            await reads.isWriterOfStream(stream, account, at),
            isWriterOfStream(view, account, stream),
            where,
          );
        }
      }
    }
  }
}
