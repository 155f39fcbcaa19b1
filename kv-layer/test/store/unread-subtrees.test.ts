import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import {
  chainIdOf,
  compareBytes,
  type FileStore,
  isFault,
  type KeyValueStore,
  memoryFileStore,
  parseAddress,
  type Rng,
  seededRng,
  sequenceOf,
} from '@cairn/primitives';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { memoryBatchSource } from '../../src/batch/stream-batch.ts';
import { StateProofs } from '../../src/read/state-proofs.ts';
import { StreamReads } from '../../src/read/stream-reads.ts';
import { StreamScans } from '../../src/read/stream-scans.ts';
import type { ReplayInput } from '../../src/store/apply-group.ts';
import { StateError } from '../../src/store/errors.ts';
import { importSnapshot } from '../../src/store/import-snapshot.ts';
import { exportSnapshot } from '../../src/store/snapshot.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import { verifyStateProof } from '../../src/tree/state-proof.ts';
import { openState, rootsOf } from '../support/history.ts';
import { ALICE, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
const IDENTITY = {
  chainId: chainIdOf(31_337),
  flow: parseAddress(`0x${'f1'.repeat(20)}`),
  streams: [STREAM],
};
const KEYS = 4500;
const CHANGES = process.env['CAIRN_SOAK'] === '1' ? 400 : 40;
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

/** Keys of many shapes: spread, counted, and each a beginning of the next. */
function drawKey(rng: Rng): Uint8Array {
  const kind = rng.below(8);
  if (kind < 4) return rng.fill(new Uint8Array(24));
  if (kind < 6) return Buffer.from(`key/${rng.below(4000)}`);
  if (kind < 7) return Buffer.from('a'.repeat(1 + rng.below(300)));
  return Buffer.concat([Buffer.alloc(1500, 'long'), Buffer.from(`${rng.below(200)}`)]);
}

function drawValue(rng: Rng): Uint8Array {
  const length = rng.below(40) === 0 ? [70_000, 5000, 0][rng.below(3)] : rng.below(80);
  return rng.fill(new Uint8Array(length ?? 0));
}

function writing(
  sequence: number,
  writes: readonly (readonly [Uint8Array, Uint8Array])[],
): ReplayInput {
  const batch = new BatchBuilder();
  for (const [key, value] of writes) batch.put(STREAM, key, value);
  const { bytes, tags } = batch.build();
  const source = memoryBatchSource(bytes);
  return { sequence: sequenceOf(sequence), sender: ALICE, tags, timeSeconds: 7, source };
}

interface Made {
  readonly state: StreamState;
  /** Ascending. */
  readonly keys: readonly Uint8Array[];
  readonly snapshot: Uint8Array;
}

async function made(rng: Rng, count = KEYS): Promise<Made> {
  const state = await openState({ kv: sortedKeyValueStore(), hasher }, [STREAM], { signal });
  const keys = new Map<string, Uint8Array>();
  for (let sequence = 0; sequence < 3; sequence += 1) {
    const writes = Array.from({ length: count / 3 }, () => [drawKey(rng), drawValue(rng)] as const);
    for (const [key] of writes) keys.set(Buffer.from(key).toString('hex'), key);
    await state.apply([writing(sequence, writes)], { signal });
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of exportSnapshot(state, { signal })) pieces.push(piece);
  const snapshot = new Uint8Array(Buffer.concat(pieces));
  return { state, keys: [...keys.values()].sort(compareBytes), snapshot };
}

interface Stores {
  readonly kv: KeyValueStore;
  readonly values: FileStore;
}

async function begun(
  { state, snapshot }: Made,
  stores: Stores = { kv: sortedKeyValueStore(), values: memoryFileStore() },
): Promise<StreamState> {
  const { stateRoot } = state.currentRoot(STREAM) ?? assert.fail();
  const pieces = (async function* () {
    for (let at = 0; at < snapshot.length; at += 65_000) yield snapshot.subarray(at, at + 65_000);
  })();
  const trusted = new Map([[STREAM, stateRoot]]);
  const version = state.nextSequence - 1;
  await importSnapshot({ ...stores, hasher }, IDENTITY, pieces, { trusted, version, signal });
  return openState({ ...stores, hasher }, [STREAM], { signal });
}

/** Something that is asked of both states, drawn. */
function drawQuestion(
  rng: Rng,
  keys: readonly Uint8Array[],
): (state: StreamState) => Promise<unknown> {
  const known = (): Uint8Array => keys[rng.below(keys.length)] ?? assert.fail();
  const any = (): Uint8Array => (rng.below(3) === 0 ? drawKey(rng) : known());
  const kind = rng.below(6);
  const [low, high] = [any(), any()].sort(compareBytes);
  const range = {
    ...(rng.below(3) === 0 || low === undefined ? {} : { from: low }),
    ...(rng.below(3) === 0 || high === undefined ? {} : { to: high }),
  };
  if (kind < 2) {
    const key = any();
    return (state) =>
      new StreamReads(state).value(STREAM, key, { start: 0, length: 100_000, signal });
  }
  if (kind < 4) {
    const isReverse = rng.below(2) === 0;
    const limit = 1 + rng.below(1500);
    return async (state) => {
      const scans = new StreamScans(state, new StreamReads(state));
      const { keys: found } = await scans.scan(STREAM, { ...range, isReverse, limit, signal });
      return found.map(({ key, version, valueBytes }) => {
        return `${Buffer.from(key).toString('hex').slice(0, 60)}/${key.length} ${version} ${valueBytes}`;
      });
    };
  }
  const asked =
    kind === 4 ? { keys: [any(), any()] } : { range: { from: low ?? any(), limit: 60 } };
  return async (state) => {
    const { proof, stateRoot } = await new StateProofs(state).prove(STREAM, asked, { signal });
    return [stateRoot, verifyStateProof(proof, { stateRoot, stream: STREAM }, hasher)];
  };
}

describe('a snapshot’s subtrees', () => {
  it('are read when they are needed, and nobody can tell', async () => {
    const rng = seededRng(4101);
    const whole = await made(rng);
    const stores = { kv: sortedKeyValueStore(), values: memoryFileStore() };
    let state = await begun(whole, stores);
    const { left } = state.unread;
    assert.ok(left > 5, `${left} subtrees`);
    assert.deepEqual(rootsOf(state), rootsOf(whole.state));
    for (let round = 0; round < 60; round += 1) {
      const question = drawQuestion(rng, whole.keys);
      assert.deepEqual(await question(state), await question(whole.state), `question ${round}`);
      if (round % 6 === 0) {
        const sequence = whole.state.nextSequence;
        const keys = [drawKey(rng), whole.keys[rng.below(whole.keys.length)] ?? drawKey(rng)];
        const writes = keys.map((key) => [key, drawValue(rng)] as const);
        for (const each of [state, whole.state]) {
          await each.apply([writing(sequence, writes)], { signal });
        }
        assert.deepEqual(rootsOf(state), rootsOf(whole.state), `write ${round}`);
      }
      if (round === 20) state = await openState({ ...stores, hasher }, [STREAM], { signal });
      if (round === 40) {
        for (const each of [state, whole.state]) await each.rollback(sequenceOf(5), { signal });
        assert.deepEqual(rootsOf(state), rootsOf(whole.state));
      }
    }
    while (await state.unread.readNext({ signal })) await state.unread.readNext({ signal });
    assert.equal(state.unread.left, 0);
    const scans = (each: StreamState) => new StreamScans(each, new StreamReads(each));
    const options = { limit: 4096, maxBytes: 8 * 1024 ** 2, signal };
    for (const isReverse of [true, false]) {
      const [mine, other] = [scans(state), scans(whole.state)];
      const found = await mine.scan(STREAM, { ...options, isReverse });
      assert.deepEqual(found.keys, (await other.scan(STREAM, { ...options, isReverse })).keys);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of exportSnapshot(state, { signal })) pieces.push(piece);
    const again: Uint8Array[] = [];
    for await (const piece of exportSnapshot(whole.state, { signal })) again.push(piece);
    assert.ok(Buffer.concat(pieces).equals(Buffer.concat(again)), 'the same snapshot');
  });

  it('are read by whoever comes first, all at once or one by one', async () => {
    const whole = await made(seededRng(4102), 1500);
    const state = await begun(whole);
    const reads = new StreamReads(state);
    const [found] = await Promise.all([
      Promise.all(
        whole.keys.map((key) => reads.value(STREAM, key, { start: 0, length: 10, signal })),
      ),
      state.unread.readNext({ signal }),
      state.unread.readNext({ signal }),
    ]);
    const expected = new StreamReads(whole.state);
    for (const [index, key] of whole.keys.entries()) {
      const { bytes } = await expected.value(STREAM, key, { start: 0, length: 10, signal });
      assert.deepEqual(found[index]?.bytes, bytes);
    }
    assert.equal(state.unread.left, 0);
  });

  it('are a few in memory at once, however many ask', async () => {
    const whole = await made(seededRng(4105));
    const values = memoryFileStore();
    let [reading, most] = [0, 0];
    const counted: FileStore = {
      ...values,
      read: async (offset, length) => {
        reading += 1;
        most = Math.max(most, reading);
        await new Promise((resolve) => setImmediate(resolve));
        reading -= 1;
        return values.read(offset, length);
      },
    };
    const state = await begun(whole, { kv: sortedKeyValueStore(), values: counted });
    assert.ok(state.unread.left > 5, `${state.unread.left} subtrees`);
    await Promise.all(whole.keys.map(async (key) => state.unread.ready(STREAM, key)));
    assert.equal(state.unread.left, 0);
    assert.equal(most, 4);
  });

  it('are read no further for somebody who left', async () => {
    const whole = await made(seededRng(4107));
    const leaving = new AbortController();
    const values = memoryFileStore();
    const left: FileStore = {
      ...values,
      read: (offset, length) => {
        leaving.abort(new Error('left'));
        return values.read(offset, length);
      },
    };
    const state = await begun(whole, { kv: sortedKeyValueStore(), values: left });
    const { left: parts } = state.unread;
    assert.ok(parts > 5, `${parts} subtrees`);
    const keys = whole.keys.filter((_, at) => at % 5 === 0).slice(0, 900);
    const proven = new StateProofs(state).prove(STREAM, { keys }, { signal: leaving.signal });
    await assert.rejects(proven, /left/);
    assert.ok(state.unread.left >= parts - 2, `${state.unread.left} of ${parts}`);
  });

  it('are refused where their bounds are too long to be held', async () => {
    const whole = await made(seededRng(4106), 450);
    const at = whole.snapshot.indexOf(4, 53 + 41); // the first row is in a subtree
    const view = new DataView(whole.snapshot.buffer, at);
    const last = at + 49 + view.getUint32(41) + view.getUint32(45);
    const snapshot = new Uint8Array(
      Buffer.concat([
        whole.snapshot.subarray(0, last),
        new Uint8Array(2100),
        whole.snapshot.subarray(last),
      ]),
    );
    new DataView(snapshot.buffer, at).setUint32(45, view.getUint32(45) + 2100);
    await assert.rejects(begun({ ...whole, snapshot }), (error) =>
      isFault(error, 'KV_SNAPSHOT_MALFORMED'),
    );
  });

  it('are read again after a write that failed, and what is known of them outlives a start', async () => {
    const whole = await made(seededRng(4104), 1500);
    const kv = sortedKeyValueStore();
    let isFull = false;
    const failing: KeyValueStore = {
      ...kv,
      write: async (batch, options) => {
        if (isFull) throw new Error('No space left on device');
        await kv.write(batch, options);
      },
    };
    const stores = { kv: failing, values: memoryFileStore() };
    const state = await begun(whole, stores);
    const { left } = state.unread;
    const key = whole.keys[700] ?? assert.fail();
    const read = (from: StreamState) =>
      new StreamReads(from).value(STREAM, key, { start: 0, length: 10, signal });
    isFull = true;
    await assert.rejects(read(state), /No space left/);
    assert.deepEqual([state.unread.left, state.unread.refused], [left, undefined]);
    isFull = false;
    assert.deepEqual(await read(state), await read(whole.state));
    assert.ok(state.unread.left < left);
    const again = await openState({ ...stores, hasher }, [STREAM], { signal });
    assert.equal(again.unread.left, state.unread.left);
    while (await again.unread.readNext({ signal })) assert.ok(again.unread.left < left);
    const third = await openState({ ...stores, hasher }, [STREAM], { signal });
    assert.equal(third.unread.left, 0);
    assert.equal(await third.unread.readNext({ signal }), false);
    assert.deepEqual(await read(third), await read(whole.state));
  });

  it('with any byte changed are refused at once or when they are read, and tell nothing that is not so', async () => {
    const rng = seededRng(4103);
    const whole = await made(rng, 450);
    const answers = new Map<Uint8Array, Uint8Array>();
    const reads = new StreamReads(whole.state);
    for (const key of whole.keys) {
      const { bytes } = await reads.value(STREAM, key, { start: 0, length: 200, signal });
      answers.set(key, bytes);
    }
    let late = 0;
    for (let count = 0; count < CHANGES; count += 1) {
      const snapshot = whole.snapshot.slice();
      const at = 53 + 33 + 8 + rng.below(snapshot.length - 94);
      snapshot[at] = (snapshot[at] ?? 0) ^ (1 << rng.below(8));
      let state: StreamState;
      try {
        state = await begun({ ...whole, snapshot });
      } catch (error) {
        assert.ok(
          error instanceof StateError || error instanceof RangeError,
          `byte ${at}: ${error}`,
        );
        continue;
      }
      late += 1;
      const mine = new StreamReads(state);
      const refused: unknown[] = [];
      for (let look = 0; look < 8; look += 1) {
        const key = whole.keys[rng.below(whole.keys.length)] ?? assert.fail();
        try {
          const { bytes } = await mine.value(STREAM, key, { start: 0, length: 200, signal });
          assert.deepEqual(bytes, answers.get(key), `byte ${at}`);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          refused.push(error);
        }
      }
      await assert.rejects(async () => {
        while (await state.unread.readNext({ signal })) await state.unread.readNext({ signal });
      }, StateError);
      assert.ok(state.unread.refused !== undefined, `byte ${at}`);
      assert.ok(refused.every((error) => error instanceof StateError));
    }
    assert.ok(late > CHANGES / 5, `${late} were found late`);
  });
});
