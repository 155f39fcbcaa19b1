import assert from 'node:assert/strict';
import { type Hasher, loadHasher, nobleHasher } from '@cairn/commitments';
import { compareBytes, fromHex, isFault, seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import { StateProofs } from '../../src/read/state-proofs.ts';
import { StreamReads } from '../../src/read/stream-reads.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import { StateProofError, verifyStateProof, verifyValue } from '../../src/tree/state-proof.ts';
import { drawEntry, inputOf, openState } from '../support/history.ts';
import { Model, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
const OTHER = streamNumber(2);
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

async function history(
  seed: number,
  length: number,
): Promise<{ state: StreamState; model: Model }> {
  const rng = seededRng(seed);
  const model = new Model([STREAM, OTHER]);
  const state = await openState({ kv: sortedKeyValueStore(), hasher }, [STREAM, OTHER], { signal });
  const entries = Array.from({ length }, (_, sequence) =>
    drawEntry(rng, sequence, [STREAM, OTHER]),
  );
  for (const entry of entries) model.apply(entry);
  await state.apply(entries.map(inputOf), { signal });
  return { state, model };
}

describe('a proof of a state', () => {
  it('shows values, deletions, absence and whole ranges at every version', async () => {
    for (let seed = 31; seed < 34; seed += 1) {
      const { state, model } = await history(seed, 50);
      const proofs = new StateProofs(state);
      const reads = new StreamReads(state);
      const keys = [
        'k',
        'key',
        'key-',
        'key-3',
        'zz',
        'nothing',
        '~',
        '\u0000',
        '\u0000\u0000',
      ].map(utf8Bytes);
      for (let version = 0; version < 50; version += 1) {
        const root = await state.tables.rootAt(STREAM, version, signal);
        if (root === undefined) continue;
        const { stateRoot, proof } = await proofs.prove(STREAM, { keys }, { version, signal });
        assert.equal(toHex(stateRoot), toHex(root.stateRoot));
        const proven = verifyStateProof(
          proof,
          { stateRoot, stream: STREAM },
          version % 7 === 0 ? nobleHasher : hasher,
        );
        const where = `seed ${seed}, version ${version}`;
        for (const key of keys) {
          const row = model.get(STREAM, key, version);
          const leaf = proven.get(key);
          assert.equal(leaf?.version, row?.version, where);
          if (leaf === undefined || row === undefined) continue;
          verifyValue(leaf, row.value, hasher);
          const stored = await reads.wholeValue(STREAM, key, {
            version,
            signal,
            maxBytes: 100_000,
          });
          if (stored !== undefined) verifyValue(leaf, stored.bytes, hasher);
          assert.throws(
            () => verifyValue(leaf, Uint8Array.from([...row.value, 0]), hasher),
            isProofError('KV_PROOF_VALUE'),
          );
        }
        const [from, to] = [utf8Bytes('key'), utf8Bytes('key-9')];
        const range = await proofs.prove(STREAM, { range: { from, to } }, { version, signal });
        const shown = verifyStateProof(range.proof, { stateRoot, stream: STREAM }, hasher).range(
          from,
          to,
        );
        const expected = [...(model.rows.get(STREAM)?.keys() ?? [])]
          .map((key) => fromHex(key))
          .filter((key) => compareBytes(key, from) >= 0 && compareBytes(key, to) < 0)
          .filter((key) => model.get(STREAM, key, version) !== undefined)
          .sort(compareBytes);
        assert.deepEqual(
          shown.map(({ key }) => toHex(key)),
          expected.map(toHex),
          where,
        );
        const everything = await proofs.prove(
          STREAM,
          { range: { from: new Uint8Array(0) } },
          { version, signal },
        );
        const all = verifyStateProof(everything.proof, { stateRoot, stream: STREAM }, hasher);
        assert.equal(all.range(new Uint8Array(0)).length, all.keyCount);
        assert.equal(all.keyCount, root.keyCount);
      }
    }
  });

  it('shows roles', async () => {
    const { state } = await history(35, 40);
    const { proof, stateRoot } = await new StateProofs(state).prove(
      STREAM,
      { range: { from: new Uint8Array(0) }, table: 'roles' },
      { signal },
    );
    const proven = verifyStateProof(proof, { stateRoot, stream: STREAM }, hasher);
    assert.equal(proven.table, 'roles');
    assert.equal(proven.range(new Uint8Array(0)).length, proven.roleCount);
  });

  it('fails on every changed bit, and cut or lengthened anywhere', async () => {
    const { state } = await history(36, 30);
    const proofs = new StateProofs(state);
    for (const request of [
      { keys: [utf8Bytes('key')] },
      { keys: [utf8Bytes('nothing at all')] },
      { range: { from: utf8Bytes('key'), to: utf8Bytes('key-5') } },
    ]) {
      const { proof, stateRoot } = await proofs.prove(STREAM, request, { signal });
      const trusted = { stateRoot, stream: STREAM };
      verifyStateProof(proof, trusted, hasher);
      for (let bit = 0; bit < proof.length * 8; bit += 1) {
        const changed = proof.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(
          () => verifyStateProof(changed, trusted, hasher),
          StateProofError,
          `bit ${bit}`,
        );
      }
      for (let length = 0; length < proof.length; length += 1) {
        assert.throws(
          () => verifyStateProof(proof.subarray(0, length), trusted, hasher),
          StateProofError,
        );
      }
      assert.throws(
        () => verifyStateProof(Uint8Array.from([...proof, 1]), trusted, hasher),
        StateProofError,
      );
      for (let bit = 0; bit < 256; bit += 1) {
        const root = stateRoot.slice();
        root[bit >> 3] = (root[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(
          () => verifyStateProof(proof, { ...trusted, stateRoot: root }, hasher),
          isProofError('KV_PROOF_WRONG_ROOT'),
        );
      }
    }
  });

  it('fails under a stale root, for another stream, and with leaves in another order', async () => {
    const { state } = await history(37, 40);
    const proofs = new StateProofs(state);
    const range = { from: new Uint8Array(0) };
    const { proof, stateRoot, rootSequence } = await proofs.prove(STREAM, { range }, { signal });
    const stale = await state.tables.rootAt(STREAM, rootSequence - 1, signal);
    assert.ok(stale !== undefined);
    const trusted = { stateRoot, stream: STREAM };
    assert.throws(
      () => verifyStateProof(proof, { ...trusted, stateRoot: stale.stateRoot }, hasher),
      isProofError('KV_PROOF_WRONG_ROOT'),
    );
    assert.throws(
      () => verifyStateProof(proof, { ...trusted, stream: OTHER }, hasher),
      isProofError('KV_PROOF_STREAM'),
    );
    const leaves = verifyStateProof(proof, trusted, hasher).leaves;
    assert.ok(leaves.length > 3);
    const placeOf = (key: Uint8Array, from: number): number =>
      Buffer.from(proof).indexOf(Buffer.from(key), from);
    const [first, second] = [leaves[0], leaves[1]];
    assert.ok(first !== undefined && second !== undefined);
    const swapped = proof.slice();
    if (first.key.length === second.key.length) {
      swapped.set(second.key, placeOf(first.key, 110));
      swapped.set(first.key, placeOf(second.key, placeOf(first.key, 110) + 1));
      assert.throws(() => verifyStateProof(swapped, trusted, hasher), StateProofError);
    }
    const refused = [
      () => proofs.prove(STREAM, { range }, { version: 1000, signal }),
      () => proofs.prove(streamNumber(9), { range }, { signal }),
      () => proofs.prove(STREAM, { keys: new Array(1025).fill(utf8Bytes('k')) }, { signal }),
    ];
    for (const [index, code] of [
      'KV_VERSION_AHEAD',
      'KV_STREAM_UNKNOWN',
      'KV_TOO_MUCH',
    ].entries()) {
      await assert.rejects(refused[index] ?? assert.fail(), (error) => isFault(error, code));
    }
  });

  it('says so when it is asked for what it does not show', async () => {
    const { state, model } = await history(38, 60);
    const present = model.keys(STREAM);
    const [key] = present;
    assert.ok(key !== undefined && present.length > 4);
    const { proof, stateRoot } = await new StateProofs(state).prove(
      STREAM,
      { keys: [key] },
      { signal },
    );
    const proven = verifyStateProof(proof, { stateRoot, stream: STREAM }, hasher);
    assert.ok(proven.get(key) !== undefined);
    assert.throws(() => proven.get(present.at(-1) ?? key), isProofError('KV_PROOF_UNPROVEN'));
    assert.throws(() => proven.range(new Uint8Array(0)), isProofError('KV_PROOF_UNPROVEN'));
    assert.equal(proven.range(key, Uint8Array.from([...key, 0])).length, 1);
  });
});

function isProofError(code: string): (error: unknown) => boolean {
  return (error) => error instanceof StateProofError && error.code === code;
}
