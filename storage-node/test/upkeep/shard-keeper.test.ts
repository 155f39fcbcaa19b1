import assert from 'node:assert/strict';
import { memoryKeyValueStore } from '@cairn/primitives';
import type { ShardConfig } from '@cairn/wire-protocol';
import { ShardKeeper } from '../../src/upkeep/shard-keeper.ts';

describe('the keeper of the shard', () => {
  /** Segments below 16 that are taken from uploaders. */
  const taken = (keeper: ShardKeeper): number[] =>
    Array.from({ length: 16 }, (_, segment) => segment).filter((one) => keeper.takes(one));
  const changing = async (from: ShardConfig, to: ShardConfig): Promise<ShardKeeper> => {
    const kv = memoryKeyValueStore();
    await (await ShardKeeper.open(kv, from)).begin(to, 'admin');
    return ShardKeeper.open(kv, from); // as after a crash
  };

  it('takes nothing from uploaders that is about to be given up', async () => {
    const keeper = await changing({ id: 1, count: 4 }, { id: 2, count: 4 });
    assert.deepEqual(keeper.current, { id: 1, count: 4 });
    assert.deepEqual(taken(keeper), []);
    await keeper.finishStage();
    assert.deepEqual(keeper.current, { id: 2, count: 4 });
    assert.deepEqual(taken(keeper), [2, 6, 10, 14]);
  });

  it('goes on taking what is of both shards', async () => {
    const grown = await changing({ id: 1, count: 4 }, { id: 1, count: 2 });
    assert.deepEqual(taken(grown), [1, 5, 9, 13]);
    const shrunk = await changing({ id: 1, count: 2 }, { id: 3, count: 4 });
    assert.deepEqual(taken(shrunk), [3, 7, 11, 15]);
  });
});
