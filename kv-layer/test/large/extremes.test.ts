import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { memoryFileStore, seededRng, sequenceOf, utf8Bytes } from '@cairn/primitives';
import { mutate } from '../../../test/support/mutate.ts';
import { isSoak, runsOf, seedOf } from '../../../test/support/soak.ts';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { fileBatchSource } from '../../src/batch/stream-batch.ts';
import { StateProofs } from '../../src/read/state-proofs.ts';
import { StreamReads } from '../../src/read/stream-reads.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import { verifyStateProof, verifyValue } from '../../src/tree/state-proof.ts';
import { drawEntry, inputOf, openState, rootsOf } from '../support/history.ts';
import { ALICE, Model, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
const SEED = seedOf(20_261_124);
/** Of the longest key of a batch in the soak: hashing and comparing it takes seconds. */
const KEY_BYTES = isSoak ? 2 ** 24 - 1 : 2 ** 20;
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

/** Applies one batch whose file is read in parts, as from a disk. */
async function applyFile(state: StreamState, batch: BatchBuilder): Promise<string | undefined> {
  const { bytes, tags } = batch.build();
  const source = fileBatchSource(bytes.length, async (offset, length) =>
    bytes.slice(offset, offset + length),
  );
  const input = { sequence: state.nextSequence, sender: ALICE, tags, timeSeconds: 1, source };
  const { applied } = await state.apply([input], { signal });
  return applied[0]?.result;
}

describe('extremes of a state', () => {
  it(`keys of ${KEY_BYTES} bytes and long values are kept, proven and taken back`, async () => {
    const kv = sortedKeyValueStore();
    const values = memoryFileStore();
    let state = await openState({ kv, values, hasher }, [STREAM], { signal });
    const longest = new Uint8Array(KEY_BYTES).fill(7);
    const almost = longest.slice();
    almost[almost.length - 1] = 8;
    const large = Uint8Array.from({ length: 5_000_000 }, (_, index) => index % 251);
    const batch = new BatchBuilder();
    for (const key of [longest, almost, longest.subarray(0, 5000)])
      batch.put(STREAM, key, utf8Bytes('v'));
    for (const length of [65_535, 65_536, 65_537, 131_072, 300 * 1024, 5_000_000]) {
      batch.put(STREAM, utf8Bytes(`value of ${length}`), large.subarray(0, length));
    }
    assert.equal(await applyFile(state, batch), 'Commit');
    const roots = rootsOf(state);
    state = await openState({ kv, values, hasher }, [STREAM], { signal });
    assert.equal(
      await applyFile(
        state,
        new BatchBuilder()
          .put(STREAM, almost, utf8Bytes('w'))
          .put(STREAM, almost.subarray(0, 300), utf8Bytes('x')),
      ),
      'Commit',
    );
    const reads = new StreamReads(state);
    const key = utf8Bytes('value of 5000000');
    const { proof, stateRoot } = await new StateProofs(state).prove(
      STREAM,
      { keys: [key] },
      { signal },
    );
    const leaf = verifyStateProof(proof, { stateRoot, stream: STREAM }, hasher).get(key);
    const value = await reads.wholeValue(STREAM, key, { maxBytes: 8_000_000, signal });
    assert.ok(leaf !== undefined && value !== undefined);
    verifyValue(leaf, value.bytes, hasher);
    assert.ok(Buffer.compare(value.bytes, large) === 0);
    const next = await reads.next(STREAM, longest, {
      isInclusive: false,
      start: 0,
      length: 10,
      signal,
    });
    assert.ok(next !== undefined && Buffer.compare(next.key, almost) === 0 && next.version === 1);
    await state.rollback(sequenceOf(1), { signal });
    assert.deepEqual(rootsOf(state), roots);
  });

  it('a tree as deep as keys that begin each other make it', async () => {
    const state = await openState({ kv: sortedKeyValueStore(), hasher }, [STREAM], { signal });
    const batch = new BatchBuilder();
    for (let length = 1; length <= 700; length += 1)
      batch.put(STREAM, new Uint8Array(length).fill(0x61), utf8Bytes('v'));
    assert.equal(await applyFile(state, batch), 'Commit');
    const key = new Uint8Array(699).fill(0x61);
    const { proof, stateRoot } = await new StateProofs(state).prove(
      STREAM,
      { keys: [key] },
      { signal },
    );
    assert.ok(
      verifyStateProof(proof, { stateRoot, stream: STREAM }, hasher).get(key) !== undefined,
    );
  });
});

describe('hostile batches', () => {
  const inputs = runsOf(20_000);
  it(`${inputs} of them leave the stored state as the model's, whatever they hold`, async () => {
    const rng = seededRng(SEED);
    const streams = [STREAM, streamNumber(2)];
    for (let first = 0; first < inputs; first += 250) {
      const model = new Model(streams);
      const state = await openState({ kv: sortedKeyValueStore(), hasher }, streams, { signal });
      const entries = Array.from({ length: 250 }, (_, sequence) => {
        const entry = drawEntry(rng, sequence, streams);
        return rng.below(3) === 0 ? entry : { ...entry, bytes: mutate(entry.bytes.slice(), rng) };
      });
      const { applied } = await state.apply(entries.map(inputOf), { signal });
      const results = new Map(applied.map(({ sequence, result }) => [Number(sequence), result]));
      for (const entry of entries) {
        const where = `seed ${SEED}, input ${first + entry.sequence}`;
        assert.equal(results.get(entry.sequence) ?? null, model.apply(entry), where);
      }
      for (const stream of streams) {
        assert.equal(state.currentRoot(stream)?.keyCount ?? 0, model.rows.get(stream)?.size ?? 0);
        assert.equal(state.currentRoot(stream)?.roleCount ?? 0, model.roles.get(stream)?.size ?? 0);
      }
    }
  });
});
