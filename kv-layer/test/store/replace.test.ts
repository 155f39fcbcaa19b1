import assert from 'node:assert/strict';
import { type Hasher, loadHasher } from '@cairn/commitments';
import { type FileStore, seededRng } from '@cairn/primitives';
import { importSnapshot } from '../../src/store/import-snapshot.ts';
import { exportSnapshot } from '../../src/store/snapshot.ts';
import type { StreamId } from '../../src/stream-id.ts';
import { type Disk, openGenerations } from '../support/generations.ts';
import { drawEntry, inputOf, rootsOf } from '../support/history.ts';
import { streamNumber } from '../support/model.ts';
import { sortedKeyValueStore } from '../support/sorted-store.ts';

const { signal } = new AbortController();
const STREAMS = [streamNumber(1), streamNumber(2)];

describe('a state that is replaced', () => {
  let hasher: Hasher;
  let disk: Disk;
  before(async () => {
    hasher = await loadHasher();
  });
  beforeEach(() => {
    disk = { kv: sortedKeyValueStore(), values: new Map<number, FileStore>() };
  });

  const open = () => openGenerations(disk, { streams: STREAMS, hasher, signal });
  const keyCount = async (): Promise<number> => {
    let count = 0;
    for await (const _ of disk.kv.entries({}, { signal })) count += 1;
    return count;
  };
  /** Generations with some entries, and their snapshot. */
  const begun = async () => {
    const generations = await open();
    const rng = seededRng(12);
    const entries = Array.from({ length: 40 }, (_, at) => drawEntry(rng, at, STREAMS));
    await generations.active.apply(entries.map(inputOf), { signal });
    const { active } = generations;
    const trusted = new Map<StreamId, Uint8Array>();
    for (const stream of STREAMS) {
      const root = active.currentRoot(stream);
      if (root !== undefined) trusted.set(stream, root.stateRoot);
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of exportSnapshot(active, { signal })) pieces.push(piece);
    return { generations, trusted, pieces, version: active.nextSequence - 1 };
  };

  async function* given(pieces: readonly Uint8Array[], fail = false): AsyncGenerator<Uint8Array> {
    for (const [index, piece] of pieces.entries()) {
      if (fail && index === pieces.length >> 1) throw new Error('the source broke off');
      yield piece;
    }
  }

  it('answers from a snapshot in its place, and what was before is removed', async () => {
    const { generations, trusted, pieces, version } = await begun();
    const before = generations.active;
    const roots = rootsOf(before);
    await generations.replace(
      async (deps, identity, generation) => {
        const options = { trusted, version, signal, generation };
        await importSnapshot(deps, identity, given(pieces), options);
      },
      { signal },
    );
    assert.notEqual(generations.active, before);
    assert.deepEqual(rootsOf(generations.active), roots);
    const both = await keyCount();
    await generations.sweep({ signal });
    assert.ok((await keyCount()) < both);
    assert.deepEqual([...disk.values.keys()], [1]);
    const again = await open();
    assert.deepEqual(rootsOf(again.active), roots);
    assert.equal(again.active.firstSequence, version + 1);
  });

  it('stays as it was where the other one does not come about, and leaves nothing of it', async () => {
    const { generations, trusted, pieces, version } = await begun();
    const [roots, count] = [rootsOf(generations.active), await keyCount()];
    const before = generations.active;
    const attempt = generations.replace(
      async (deps, identity, generation) => {
        const options = { trusted, version, signal, generation };
        await importSnapshot(deps, identity, given(pieces, true), options);
      },
      { signal },
    );
    await assert.rejects(attempt, /broke off/);
    assert.equal(generations.active, before);
    // A crash now: the next start removes what was begun.
    const again = await open();
    assert.deepEqual(rootsOf(again.active), roots);
    assert.equal(await keyCount(), count);
    assert.deepEqual([...disk.values.keys()], [0]);
  });

  it('begins with the first entry where nothing fills it', async () => {
    const { generations } = await begun();
    await generations.replace(async () => undefined, { signal });
    assert.deepEqual([generations.active.nextSequence, generations.active.firstSequence], [0, 0]);
    await generations.sweep({ signal });
    assert.equal((await open()).active.nextSequence, 0);
  });
});
