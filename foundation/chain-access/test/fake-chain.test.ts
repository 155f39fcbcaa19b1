import assert from 'node:assert/strict';
import { seededRng } from '@cairn/primitives';
import { createFakeChain, type FakeChain } from '../src/fake/fake-chain.ts';
import { oneSector, testSignal } from './anvil.ts';
import { followUntil, LogModel } from './log-model.ts';

const atHead = (chain: FakeChain) => (model: LogModel) =>
  model.marks.at(-1)?.hash === chain.head.hash;

describe('the simulated chain', () => {
  it('gives every follower what is on it, after any run of commands', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const chain = createFakeChain({ seed });
      const rng = seededRng(seed);
      const model = new LogModel();
      for (let round = 0; round < 15; round += 1) {
        for (let index = rng.below(4); index > 0; index -= 1) chain.submit(oneSector(rng));
        chain.mine(1 + rng.below(3));
        const depth = 1 + rng.below(6);
        if (rng.below(3) === 0 && depth < chain.head.number) chain.reorg(depth, rng.below(2) === 0);
        await followUntil(chain, model, atHead(chain), testSignal());
        const fresh = new LogModel();
        await followUntil(chain, fresh, atHead(chain), testSignal());
        assert.deepEqual(model.digest(), fresh.digest(), `seed ${seed}, round ${round}`);
        assert.equal(model.entries.length, chain.entries().length);
      }
    }
  });

  it('is the same chain for the same seed and commands', () => {
    const build = () => {
      const chain = createFakeChain({ seed: 9 });
      const rng = seededRng(9);
      for (let index = 0; index < 10; index += 1) chain.submit(oneSector(rng));
      chain.mine(4);
      chain.reorg(3);
      return chain;
    };
    assert.deepEqual(build().entries(), build().entries());
    assert.equal(build().entries().length, 10);
  });

  it('places files as the log contract does', () => {
    const chain = createFakeChain({ seed: 1 });
    const root = new Uint8Array(32);
    for (const [sizeBytes, heights] of [
      [256, [0]],
      [1, [0]],
      [257, [1]],
      [1023, [2]],
      [262_144, [10]],
    ] as const) {
      chain.submit({ sizeBytes, nodes: heights.map((height) => ({ root, height })) });
    }
    chain.mine();
    assert.deepEqual(
      chain.entries().map(({ startSector }) => startSector),
      [1, 2, 4, 8, 1024],
    );
  });

  it('holds everything back while it is stalled', async () => {
    const chain = createFakeChain({ seed: 2 });
    chain.stall();
    chain.submit(oneSector(seededRng(1)));
    chain.mine();
    const model = new LogModel();
    const following = followUntil(chain, model, atHead(chain), testSignal());
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(model.marks.length, 0);
    chain.resume();
    await following;
    assert.equal(model.entries.length, 1);
  });
});
