import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import {
  compareBytes,
  isFault,
  seededRng,
  sequenceOf,
  toHex,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { BatchBuilder } from '../../src/batch/batch-builder.ts';
import { encodeField, encodeIndexDefinition, type FieldValue } from '../../src/read/index-field.ts';
import { type IndexQuery, SecondaryIndexes } from '../../src/read/secondary-index.ts';
import { StreamReads } from '../../src/read/stream-reads.ts';
import { indexKey } from '../../src/reserved-keys.ts';
import type { StreamState } from '../../src/store/stream-state.ts';
import { inputOf, openState } from '../support/history.ts';
import { ALICE, streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
let hasher: Hasher;
before(async () => {
  hasher = await loadHasher();
});

async function apply(state: StreamState, batch: BatchBuilder): Promise<void> {
  const { bytes, tags } = batch.build();
  const entry = { sequence: state.nextSequence, sender: ALICE, tags, bytes, timeSeconds: 1 };
  const { applied } = await state.apply([inputOf(entry)], { signal });
  assert.equal(applied[0]?.result, 'Commit');
}

async function findAll(
  indexes: SecondaryIndexes,
  query: Omit<IndexQuery, 'signal' | 'stream' | 'name'>,
): Promise<string[]> {
  const found: string[] = [];
  let cursor: Uint8Array | undefined;
  do {
    const page = await indexes.find({
      stream: STREAM,
      name: 'age',
      ...query,
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.keys.map(({ key }) => utf8Text(key)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

describe('a secondary index', () => {
  it('finds what a look at every value finds, at every version, over rewrites, deletions and reorganisations', async () => {
    for (let seed = 81; seed < 84; seed += 1) {
      const rng = seededRng(seed);
      const state = await openState({ kv: sortedKeyValueStore(), hasher }, [STREAM], { signal });
      const indexes = new SecondaryIndexes(state, new StreamReads(state));
      /** What every key holds after each entry. */
      const states: Map<string, FieldValue | undefined>[] = [];
      const declare = new BatchBuilder().put(
        STREAM,
        indexKey('age'),
        encodeIndexDefinition({ field: ['who', 'age'], prefix: 'p' }),
      );
      const values: readonly FieldValue[] = [
        0,
        -0,
        -5,
        3.5,
        1e300,
        -1e300,
        true,
        false,
        'x',
        'xy',
        '',
        'ä',
        '\u0000',
        17,
      ];
      const write = async (): Promise<void> => {
        const now = new Map(states.at(-1));
        const batch = new BatchBuilder();
        for (let count = 1 + rng.below(5); count > 0; count -= 1) {
          const key = ['p', 'q'][rng.below(2)] + String(rng.below(9));
          const age = values[rng.below(values.length)] ?? 0;
          const shapes: readonly unknown[] = [
            { who: { age } },
            { who: { age: [age] } },
            { who: 3 },
            'none',
          ];
          const shape = rng.below(3) > 0 ? 0 : rng.below(shapes.length + 1);
          const value = shape === 4 ? new Uint8Array(0) : utf8Bytes(JSON.stringify(shapes[shape]));
          batch.put(STREAM, utf8Bytes(key), value);
          now.set(key, shape === 0 && key.startsWith('p') ? age : undefined);
        }
        await apply(state, batch);
        states.push(now);
      };
      await write();
      await apply(state, declare);
      states.push(new Map(states.at(-1)));
      for (let round = 0; round < 40; round += 1) {
        await write();
        if (rng.below(6) === 0) {
          const to = sequenceOf(Math.max(2, state.nextSequence - 1 - rng.below(6)));
          await state.rollback(to, { signal });
          if (rng.below(2) === 0) await indexes.rolledBack(to, { signal });
          states.length = to;
          await write();
        }
        if (rng.below(3) !== 0) continue;
        const version = states.length - 1;
        const order = ([, left]: [string, FieldValue], [, right]: [string, FieldValue]): number =>
          compareBytes(encodeField(left) ?? utf8Bytes(''), encodeField(right) ?? utf8Bytes(''));
        const expected = (at: number): [string, FieldValue][] =>
          [...(states[at] ?? [])]
            .flatMap(([key, age]): [string, FieldValue][] =>
              age === undefined ? [] : [[key, age]],
            )
            .sort((left, right) => order(left, right) || (left[0] < right[0] ? -1 : 1));
        const names = (list: [string, FieldValue][]): string[] => list.map(([key]) => key);
        const where = `seed ${seed}, version ${version}`;
        assert.deepEqual(
          await findAll(indexes, { limit: 1 + rng.below(4) }),
          names(expected(version)),
          where,
        );
        assert.deepEqual(
          await findAll(indexes, { from: -5, through: 17 }),
          names(
            expected(version).filter(
              ([, age]) => typeof age === 'number' && age >= -5 && age <= 17,
            ),
          ),
          where,
        );
        assert.deepEqual(
          await findAll(indexes, { from: 'x', through: 'x' }),
          names(expected(version).filter(([, age]) => age === 'x')),
          where,
        );
      }
    }
  });

  it('orders fields as values are ordered', () => {
    const ordered: FieldValue[] = [
      false,
      true,
      Number.NEGATIVE_INFINITY,
      -1e300,
      -5,
      -1e-300,
      0,
      1e-300,
      5,
      1e300,
      '',
      '\u0000',
      'a',
      'aa',
      'b',
    ];
    const encoded = ordered.map((value) => toHex(encodeField(value) ?? new Uint8Array(0)));
    assert.deepEqual([...encoded].sort(), encoded);
  });

  it('says that it does not exist, or was built later', async () => {
    const state = await openState({ kv: sortedKeyValueStore(), hasher }, [STREAM], { signal });
    const indexes = new SecondaryIndexes(state, new StreamReads(state));
    const query = { stream: STREAM, name: 'age', signal };
    await apply(state, new BatchBuilder().put(STREAM, utf8Bytes('a'), utf8Bytes('{"age":1}')));
    await assert.rejects(indexes.find(query), (error) => isFault(error, 'KV_INDEX_UNKNOWN'));
    await apply(
      state,
      new BatchBuilder().put(STREAM, indexKey('age'), encodeIndexDefinition({ field: ['age'] })),
    );
    await apply(state, new BatchBuilder().put(STREAM, utf8Bytes('b'), utf8Bytes('{"age":0}')));
    assert.deepEqual(
      (await indexes.find(query)).keys.map(({ key }) => utf8Text(key)),
      ['b', 'a'],
    );
    await assert.rejects(indexes.find({ ...query, version: 1 }), (error) =>
      isFault(error, 'KV_INDEX_YOUNG'),
    );
    await apply(state, new BatchBuilder().put(STREAM, utf8Bytes('b'), utf8Bytes('{"age":9}')));
    assert.deepEqual(
      (await indexes.find(query)).keys.map(({ key }) => utf8Text(key)),
      ['a', 'b'],
    );
    assert.deepEqual(
      (await indexes.find({ ...query, version: 2 })).keys.map(({ key }) => utf8Text(key)),
      ['b', 'a'],
    );
    await apply(state, new BatchBuilder().delete(STREAM, indexKey('age')));
    await assert.rejects(indexes.find(query), (error) => isFault(error, 'KV_INDEX_UNKNOWN'));
  });
});
