import assert from 'node:assert/strict';
import { loadHasher } from '@cairn/commitments';
import {
  BatchBuilder,
  exportSnapshot,
  Generations,
  importSnapshot,
  isSnapshotRefusal,
  memoryBatchSource,
  type ReplayInput,
} from '@cairn/kv-layer';
import {
  chainIdOf,
  memoryFileStore,
  memoryKeyValueStore,
  parseAddress,
  parseRoot,
  type Sequence,
  sequenceOf,
  silentLogger,
} from '@cairn/primitives';
import { writeBase } from '../../src/bootstrap/snapshot-base.ts';
import { StateKeeper, type StateKeeperDeps } from '../../src/replay/keep-state.ts';
import { ALICE, streamNumber } from '../support/replayed.ts';

const { signal } = new AbortController();
const STREAM = streamNumber(1);
const FLOW = parseAddress(`0x${'22'.repeat(20)}`);
const BLOCK = `0x${'b1'.repeat(32)}` as const;

function writing(sequence: number, keys: readonly string[]): ReplayInput {
  const batch = new BatchBuilder();
  for (const key of keys) batch.put(STREAM, Buffer.from(key), Buffer.from(`value of ${key}`));
  const { bytes, tags } = batch.build();
  const source = memoryBatchSource(bytes);
  return { sequence: sequenceOf(sequence), sender: ALICE, tags, timeSeconds: 1, source };
}

describe('the keeper of a state that began with a snapshot', () => {
  it('begins anew where a part does not hold that is needed to take entries back', async () => {
    const generations = await Generations.open(
      {
        kv: memoryKeyValueStore(),
        hasher: await loadHasher(),
        openValues: async () => memoryFileStore(),
        dropValues: async () => undefined,
      },
      { chainId: chainIdOf(1), flow: FLOW, streams: [STREAM] },
      { signal },
    );
    const names = Array.from({ length: 100 }, (_, index) => `key ${index}`);
    await generations.active.apply([writing(0, names)], { signal });
    const pieces: Uint8Array[] = [];
    for await (const piece of exportSnapshot(generations.active, { signal })) pieces.push(piece);
    const snapshot = new Uint8Array(Buffer.concat(pieces));
    const value = Buffer.from(snapshot).indexOf('value of key 7');
    snapshot.set(Buffer.from('other'), value);
    const { stateRoot } = generations.active.currentRoot(STREAM) ?? assert.fail();
    await generations.replace(
      async (deps, identity, generation) => {
        const source = (async function* () {
          yield snapshot;
        })();
        const trusted = new Map([[STREAM, stateRoot]]);
        await importSnapshot(deps, identity, source, { trusted, version: 0, signal, generation });
      },
      { signal },
    );
    const lying = generations.active;
    assert.equal(lying.unread.left, 1);
    // A key behind all of the part's: writing it needs nothing of the part, taking it back does.
    await lying.apply([writing(1, ['last'])], { signal });
    assert.equal(lying.unread.left, 1);

    const kv = memoryKeyValueStore();
    await writeBase(kv, { version: 0, block: BLOCK, file: parseRoot(`0x${'f1'.repeat(32)}`) });
    let promoted = 0;
    const refused: string[] = [];
    const deps = {
      generations,
      kv,
      log: {
        nextSequence: sequenceOf(1),
        entryAt: async (sequence: Sequence) => ({ sequence, block: { hash: BLOCK } }),
      },
      logger: silentLogger(),
      bootstrap: { refused: ({ code }: { code: string }) => refused.push(code) },
      onUndone: async () => assert.fail('another state answers'),
      onPromoted: () => {
        promoted += 1;
      },
    } as unknown as StateKeeperDeps;
    const keeper = new StateKeeper(deps, {
      skip: undefined,
      prefetchFiles: 1,
      prefetchBytes: 1,
      discover: false,
      healEveryMs: 1000,
    });
    await keeper.undo(signal);
    assert.notEqual(keeper.state, lying);
    assert.deepEqual([keeper.state.firstSequence, keeper.state.nextSequence], [0, 0]);
    assert.ok(isSnapshotRefusal(lying.unread.refused));
    assert.deepEqual([promoted, refused], [1, ['KV_SNAPSHOT_ROOT']]);
    await keeper.undo(signal); // which has nothing more to take back
    assert.equal(promoted, 1);
  });
});
