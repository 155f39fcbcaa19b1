import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import {
  chainIdOf,
  isFault,
  memoryFileStore,
  parseAddress,
  seededRng,
  sequenceOf,
} from '@cairn/primitives';
import { StateProofs } from '../../src/read/state-proofs.ts';
import { StreamReads } from '../../src/read/stream-reads.ts';
import { StateError } from '../../src/store/errors.ts';
import { importSnapshot } from '../../src/store/import-snapshot.ts';
import { exportSnapshot } from '../../src/store/snapshot.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import type { StreamId } from '../../src/stream-id.ts';
import { verifyStateProof } from '../../src/tree/state-proof.ts';
import { drawEntry, inputOf, openState, rootsOf } from '../support/history.ts';
import { Model, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAMS = [streamNumber(1), streamNumber(2), streamNumber(3)];
const IDENTITY = {
  chainId: chainIdOf(31_337),
  flow: parseAddress(`0x${'f1'.repeat(20)}`),
  streams: STREAMS,
};
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

async function bytesOf(state: StreamState): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of exportSnapshot(state, { signal })) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces)); // a Buffer's `slice` shares memory
}

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function trustedOf(state: StreamState): Map<StreamId, Uint8Array> {
  const roots = state.streams.flatMap((stream) => {
    const root = state.currentRoot(stream);
    return root === undefined ? [] : [[stream, root.stateRoot] as const];
  });
  return new Map(roots);
}

describe('a snapshot', () => {
  it('begins a state that goes on as if it had replayed everything', async () => {
    const rng = seededRng(71);
    const entries = Array.from({ length: 90 }, (_, sequence) =>
      drawEntry(rng, sequence, STREAMS.slice(0, 2)),
    );
    const model = new Model(STREAMS);
    for (const entry of entries) model.apply(entry);
    const whole = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
    await whole.apply(entries.slice(0, 60).map(inputOf), { signal });
    const snapshot = await bytesOf(whole);
    const deps = { kv: sortedKeyValueStore(), values: memoryFileStore(), hasher };
    const { version } = await importSnapshot(
      deps,
      IDENTITY,
      inPieces(snapshot, 1 + rng.below(5000)),
      { trusted: trustedOf(whole), version: 59, signal },
    );
    assert.equal(version, 59);
    const state = await openState(deps, STREAMS, { signal });
    assert.deepEqual(rootsOf(state), rootsOf(whole));
    assert.deepEqual(
      [state.nextSequence, state.timeSeconds],
      [whole.nextSequence, whole.timeSeconds],
    );
    await whole.apply(entries.slice(60).map(inputOf), { signal });
    await state.apply(entries.slice(60).map(inputOf), { signal });
    assert.deepEqual(rootsOf(state), rootsOf(whole));
    const reads = new StreamReads(state);
    for (const stream of STREAMS) {
      for (const key of model.keys(stream)) {
        const slice = await reads.value(stream, key, { start: 0, length: 262_144, signal });
        assert.ok(
          Buffer.compare(slice.bytes, model.get(stream, key)?.value ?? Buffer.alloc(0)) === 0,
        );
      }
    }
    await state.rollback(sequenceOf(60), { signal });
    const [stream] = STREAMS;
    assert.ok(stream !== undefined);
    const { proof, stateRoot } = await new StateProofs(state).prove(
      stream,
      { range: { from: new Uint8Array(0) } },
      { signal },
    );
    verifyStateProof(proof, { stateRoot, stream }, hasher);
    await assert.rejects(state.rollback(sequenceOf(59), { signal }), (error) =>
      isFault(error, 'KV_ROLLBACK_AHEAD'),
    );
    await assert.rejects(
      reads.value(stream, Buffer.from('k'), { start: 0, length: 1, version: 20, signal }),
      (error) => isFault(error, 'KV_VERSION_PRUNED'),
    );
  });

  it('of a root that it says a later entry made is refused', async () => {
    const state = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
    const rng = seededRng(73);
    const entries = Array.from({ length: 12 }, (_, at) => inputOf(drawEntry(rng, at, STREAMS)));
    await state.apply(entries, { signal });
    const snapshot = await bytesOf(state);
    for (const [sequence, isTaken] of [
      [0, true],
      [11, true],
      [12, false],
      [4_000_000_000, false],
    ] as const) {
      const changed = snapshot.slice();
      // Behind the head and the first stream's mark and id.
      new DataView(changed.buffer).setUint32(53 + 33 + 4, sequence);
      const taken = importSnapshot(
        { kv: sortedKeyValueStore(), values: memoryFileStore(), hasher },
        IDENTITY,
        inPieces(changed, 4096),
        { trusted: trustedOf(state), version: 11, signal },
      );
      if (isTaken) await taken;
      else await assert.rejects(taken, (error) => isFault(error, 'KV_SNAPSHOT_MALFORMED'));
    }
  });

  it('with any byte changed, cut or of another root is refused, and leaves nothing that opens', async () => {
    const rng = seededRng(72);
    const state = await openState({ kv: sortedKeyValueStore(), hasher }, STREAMS, { signal });
    await state.apply(
      Array.from({ length: 12 }, (_, sequence) => inputOf(drawEntry(rng, sequence, STREAMS))),
      { signal },
    );
    const snapshot = await bytesOf(state);
    const trusted = trustedOf(state);
    const kv = sortedKeyValueStore();
    const take = (bytes: Uint8Array, roots = trusted) =>
      importSnapshot({ kv, values: memoryFileStore(), hasher }, IDENTITY, inPieces(bytes, 4096), {
        trusted: roots,
        version: 11,
        signal,
      });
    // Under no root: the chain's time, and since which entry a stream has its root.
    const isFree = (at: number): boolean => (at >= 45 && at < 53) || isRootSequence(snapshot, at);
    for (let count = 0; count < 150; count += 1) {
      const changed = snapshot.slice();
      const at = rng.below(3) === 0 ? rng.below(120) : rng.below(snapshot.length);
      if (isFree(at)) continue;
      changed[at] = (changed[at] ?? 0) ^ (1 << rng.below(8));
      await assert.rejects(
        take(changed),
        (error) => error instanceof StateError || error instanceof RangeError,
        `byte ${at}`,
      );
    }
    for (let count = 0; count < 40; count += 1) {
      await assert.rejects(take(snapshot.subarray(0, rng.below(snapshot.length))), StateError);
    }
    await assert.rejects(take(Buffer.concat([snapshot, Buffer.alloc(1)])), StateError);
    const other = new Map(
      [...trusted].map(([stream, root]) => [stream, Uint8Array.from(root, (byte) => byte ^ 1)]),
    );
    await assert.rejects(take(snapshot, other), (error) => isFault(error, 'KV_SNAPSHOT_ROOT'));
    await assert.rejects(openState({ kv, hasher }, STREAMS, { signal }), (error) =>
      isFault(error, 'KV_STATE_VERSION'),
    );
    const first = snapshot.slice();
    first[4] = 1; // without subtrees, as here, the formats are one
    await take(first);
    await take(snapshot);
    assert.deepEqual(rootsOf(await openState({ kv, hasher }, STREAMS, { signal })), rootsOf(state));
  });
});

/** Whether a byte is in the sequence that a stream's root is of. */
function isRootSequence(snapshot: Uint8Array, at: number): boolean {
  return STREAMS.some((stream) => {
    const place = Buffer.from(snapshot).indexOf(
      Buffer.concat([Buffer.of(1), Buffer.from(stream.slice(2), 'hex')]),
    );
    return place >= 0 && at >= place + 33 && at < place + 41;
  });
}
