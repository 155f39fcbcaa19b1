import assert from 'node:assert/strict';
import { chainIdOf, rootOf, sequenceOf, TransportError } from '@cairn/primitives';
import { SdkError } from '../../src/errors.ts';
import type { FileLocator, LocatedFile } from '../../src/locate-file.ts';
import { locateOnShards } from '../../src/shards/locate-on-shards.ts';
import type { KnownShard, ShardConnection } from '../../src/shards/shard-directory.ts';

const ROOT = rootOf(new Uint8Array(32).fill(7));
const { signal } = new AbortController();

const located = (shard: number): LocatedFile => ({
  ...{ chainId: chainIdOf(31_337 + shard), root: ROOT, sequence: sequenceOf(shard), shard },
  ...{ sizeBytes: 256, startSector: 0, holders: [], evidence: [] },
  askable: { nodes: [], indexer: undefined },
});

const unreachable = async (): Promise<never> => {
  throw new Error('not asked for here');
};

/** A shard that answers questions about files by `locate`. */
const shardOf = (shard: number, locate: FileLocator | undefined): KnownShard => {
  const connection: ShardConnection | undefined = locate && {
    locate,
    ...{ openNetwork: unreachable, openDestination: unreachable, contract: unreachable },
    ...{ price: unreachable, fees: unreachable, economics: unreachable },
  };
  const pace = { finality: 2, periodBlocks: 5, coinWeight: 1, flow: undefined };
  return { shard, chainId: chainIdOf(31_337 + shard), ...pace, connection };
};

const lookup = (...shards: readonly KnownShard[]): FileLocator =>
  locateOnShards({ shards: async () => shards });

const notThere: FileLocator = async () => {
  const facts = { code: 'SDK_FILE_NOT_FOUND', reference: ROOT, asked: 3, failures: [] } as const;
  throw new SdkError(facts, 'none of 3 nodes knows it');
};
const silent: FileLocator = async () => {
  throw new TransportError({ code: 'TRANSPORT_UNREACHABLE', url: 'http://n' }, 'no answer');
};
/** Says nothing until it is told to stop. */
const slow: FileLocator = (_, { signal: within }) =>
  new Promise((_resolve, reject) => {
    within.addEventListener('abort', () => reject(within.reason), { once: true });
  });

describe('a file of any shard', () => {
  it('is found where it is, whatever becomes of the others', async () => {
    const here: FileLocator = async () => located(2);
    const shards = [shardOf(1, silent), shardOf(2, here), shardOf(3, notThere), shardOf(4, slow)];
    const file = await lookup(...shards, shardOf(5, undefined))({ root: ROOT }, { signal });
    assert.equal(file.shard, 2);
  });

  it('is looked for where the caller says, and nowhere else', async () => {
    const here: FileLocator = async () => located(2);
    const find = lookup(shardOf(1, notThere), shardOf(2, here));
    assert.equal((await find({ root: ROOT, shard: 2 }, { signal })).shard, 2);
    await assert.rejects(find({ root: ROOT, shard: 1 }, { signal }), /none of 1 shards/);
    await assert.rejects(find({ root: ROOT, shard: 9 }, { signal }), { code: 'SDK_OPTION' });
  });

  it('names every shard that was asked when none has it, and why', async () => {
    const find = lookup(shardOf(1, notThere), shardOf(2, silent), shardOf(3, undefined));
    await assert.rejects(find({ root: ROOT }, { signal }), (error) => {
      assert.ok(error instanceof SdkError && error.facts.code === 'SDK_FILE_NOT_FOUND');
      const shards = error.facts.shards ?? [];
      assert.deepEqual(
        shards.map(({ shard, asked, failures }) => [shard, asked, failures[0]?.code]),
        [
          [1, 3, undefined],
          [2, 1, 'TRANSPORT_UNREACHABLE'],
          [3, 0, undefined],
        ],
      );
      for (const text of ['shard 1 (chain 31338)', 'shard 2 (chain 31339): no answer', 'shard 3']) {
        assert.ok(error.message.includes(text), error.message);
      }
      return true;
    });
  });

  it('is not named by a sequence alone where there are several logs', async () => {
    const here: FileLocator = async () => located(1);
    const sequence = 0;
    await assert.rejects(lookup(shardOf(1, here), shardOf(2, here))({ sequence }, { signal }), {
      code: 'SDK_OPTION',
    });
    assert.equal((await lookup(shardOf(1, here))({ sequence }, { signal })).shard, 1);
  });

  it('stops with its caller', async () => {
    const stop = new AbortController();
    const finding = lookup(shardOf(1, slow), shardOf(2, slow))(
      { root: ROOT },
      { signal: stop.signal },
    );
    stop.abort(new Error('enough'));
    await assert.rejects(finding, /enough/);
  });
});
