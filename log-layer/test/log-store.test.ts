import assert from 'node:assert/strict';
import { type Hasher, verifyFlowProof } from '@cairn/commitments';
import {
  equalBytes,
  isFault,
  memoryFileStore,
  memoryKeyValueStore,
  parseAddress,
  rootOf,
  seededRng,
  sequenceOf,
} from '@cairn/primitives';
import fc from 'fast-check';
import { LogStore } from '../src/log-store.ts';
import { Reader } from '../src/reader.ts';
import { proveSector } from '../src/sector-proof.ts';
import { CHAIN, fileOf, randomFile, type TestFile, testHasher } from './support/files.ts';
import { never, openNode, syncNode, upload } from './support/node.ts';
import { TestChain } from './support/test-chain.ts';

const disk = () => ({ files: memoryFileStore(), kv: memoryKeyValueStore() });

describe('LogStore', () => {
  let hasher: Hasher;
  let small: TestFile[];
  before(async () => {
    hasher = await testHasher();
    small = [1, 300, 700, 256, 5000, 12_000].map((size, seed) => randomFile(hasher, size, seed));
  });

  it('belongs to one chain and one log', async () => {
    const kv = memoryKeyValueStore();
    await LogStore.open(kv, CHAIN, { signal: never });
    await LogStore.open(kv, CHAIN, { signal: never });
    const others = [
      { ...CHAIN, chainId: 1 as never },
      { ...CHAIN, flow: parseAddress(`0x${'00'.repeat(20)}`) },
    ];
    for (const other of others) {
      await assert.rejects(LogStore.open(kv, other, { signal: never }), (error) => {
        assert.ok(isFault(error, 'LOG_STORE_WRONG_CHAIN'));
        assert.match(error.message, /31337/);
        return true;
      });
    }
  });

  it('keeps entries whole, also over a restart', async () => {
    const chain = new TestChain();
    chain.mine(...small);
    const store = disk();
    await syncNode(await openNode(store), chain);
    const { log } = await openNode(store);
    assert.equal(log.nextSequence, small.length);
    for (const announced of chain.entries()) {
      const entry = await log.entryAt(announced.sequence);
      assert.deepEqual(entry, {
        ...announced,
        root: small[announced.sequence]?.root,
        tagsBytes: 1,
      });
      for (const sector of [
        announced.startSector,
        announced.startSector + announced.paddedSectors - 1,
      ]) {
        assert.equal((await log.entryOfSector(sector, never))?.sequence, announced.sequence);
      }
    }
    const last = sequenceOf(small.length - 1);
    assert.ok(equalBytes(log.flowRoot(), (await chain.flowRootAt(last)) ?? new Uint8Array()));
    assert.equal(await log.entryOfSector(0, never), undefined);
  });

  it('finds the first finalised entry of a root, else the first that is not pruned', async () => {
    const [file] = small;
    assert.ok(file);
    const chain = new TestChain();
    chain.mine(file, file, file);
    const { log } = await openNode(disk(), { shard: { id: 1, count: 2 } });
    await log.apply(await firstStep(chain), never);
    const found = async (): Promise<number | undefined> =>
      (await log.findByRoot(file.root, never))?.sequence;
    const at = async (sequence: number) => {
      const entry = await log.entryAt(sequenceOf(sequence));
      assert.ok(entry);
      return entry;
    };
    assert.equal(await found(), 0);
    assert.equal(await log.setFinalized(await at(2), true), true);
    assert.equal(await log.setFinalized(await at(2), true), false);
    assert.equal(await found(), 2);
    await log.markPruned([await at(2)]);
    assert.equal(await found(), 0);
    await log.markPruned([await at(0)]);
    assert.equal(await found(), 1);
    assert.deepEqual(await log.stateOf(sequenceOf(2)), { finalized: false, pruned: true });
    assert.deepEqual(await log.pendingFrom(0, { signal: never }), [1]);
    await log.markPruned([await at(1)]);
    assert.equal(await found(), undefined);
  });

  it('refuses gaps, wrong places and wrong nodes, and changes nothing then', async () => {
    const chain = new TestChain();
    chain.mine(...small);
    const step = await firstStep(chain);
    const { log } = await openNode(disk());
    const [first, second, ...rest] = step.entries;
    assert.ok(first && second);
    const cases: [string, typeof step][] = [
      ['LOG_GAP', { ...step, entries: [second] }],
      ['LOG_MISPLACED', { ...step, entries: [first, { ...second, startSector: 9 }, ...rest] }],
      ['NODE_LAYOUT', { ...step, entries: [{ ...first, sizeBytes: 100_000 }] }],
    ];
    for (const [code, wrong] of cases) {
      await assert.rejects(log.apply(wrong, never), (error) => isFault(error, code), code);
      assert.equal(log.nextSequence, 0);
      assert.equal(log.flowLength, 1);
    }
    await log.apply(step, never);
    assert.equal((await log.apply(step, never)).added.length, 0, 'told again, nothing is new');
    await assert.rejects(
      log.apply({ kind: 'rollback', to: { number: 5, hash: '0x00' } }, never),
      (error) => isFault(error, 'LOG_ROLLBACK_AHEAD'),
    );
  });

  it('equals a model that replays the chain, whatever the chain does', async () => {
    const action = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('mine' as const),
          picks: fc.array(fc.nat(5), { maxLength: 4 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('reorg' as const),
          depth: fc.integer({ min: 1, max: 6 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 14 }),
        fc.integer({ min: 1, max: 3 }),
        async (actions, perStep) => {
          const chain = new TestChain(perStep);
          const store = disk();
          let node = await openNode(store);
          for (const act of actions) {
            if (act.kind === 'restart') node = await openNode(store);
            else if (act.kind === 'mine')
              chain.mine(...act.picks.flatMap((pick) => small[pick] ?? []));
            else {
              chain.takeBack(act.depth);
              chain.mine();
            }
            await syncNode(node, chain);
            const { log } = node;
            const expected = chain.entries();
            assert.equal(log.nextSequence, expected.length);
            const lastRoot = await chain.flowRootAt(sequenceOf(Math.max(0, expected.length - 1)));
            if (lastRoot !== undefined) assert.equal(rootOf(log.flowRoot()), rootOf(lastRoot));
            for (const { sequence, startSector, block } of expected) {
              const entry = await log.entryAt(sequence);
              assert.equal(entry?.startSector, startSector);
              assert.equal(entry?.block.hash, block.hash);
            }
            for (const file of small) {
              const sequences = expected
                .filter(({ nodes }) => nodes === file.commitment.nodes)
                .map((e) => e.sequence);
              assert.deepEqual(await log.sequencesOf(file.root, { signal: never }), sequences);
            }
            assert.equal(await log.entryAt(sequenceOf(expected.length)), undefined);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('proves every sector under the flow root, gaps and padding included, also after a reorg', async () => {
    const big = randomFile(hasher, 2 * 262_144 + 70_000, 9);
    const chain = new TestChain();
    const [a, b, c] = small;
    assert.ok(a && b && c);
    const node = await openNode(disk());
    chain.mine(a, b);
    chain.mine(c, c);
    await syncNode(node, chain);
    chain.takeBack(1);
    chain.mine(c, big);
    chain.mine(a);
    await syncNode(node, chain);
    const files = [a, b, c, big, a];
    for (const [sequence, file] of files.entries()) await upload(node, file, sequence);
    const { log } = node;
    const deps = { log, reader: new Reader(node), hasher };
    const rng = seededRng(5);
    const entries = chain.entries();
    const sectors = [0, 1, log.flowLength - 1];
    for (const { startSector, paddedSectors } of entries) {
      sectors.push(startSector, startSector - 1, startSector + paddedSectors - 1);
      sectors.push(startSector + rng.below(paddedSectors));
    }
    for (const sector of sectors) {
      const proof = await proveSector(sector, undefined, deps, never);
      assert.ok(proof, `sector ${sector}`);
      const { leaf: hash, siblings, root, length } = proof;
      verifyFlowProof({ level: 0, index: sector, length, hash, siblings, root }, hasher);
    }
    assert.equal(await proveSector(log.flowLength, undefined, deps, never), undefined);
    await assert.rejects(proveSector(1, new Uint8Array(32), deps, never), (error) =>
      isFault(error, 'FLOW_ROOT_UNKNOWN'),
    );
  });

  it('proves gaps where a branch that is gone had sectors', async () => {
    const [a] = small;
    assert.ok(a);
    const chain = new TestChain();
    chain.mine(a);
    chain.mine(a, a, a, a, a, a);
    const node = await openNode(disk());
    await syncNode(node, chain);
    chain.takeBack(1);
    chain.mine(randomFile(hasher, 262_144, 4));
    chain.mine();
    await syncNode(node, chain);
    const deps = { log: node.log, reader: new Reader(node), hasher };
    for (let sector = 2; sector < 9; sector += 1) {
      const proof = await proveSector(sector, undefined, deps, never);
      assert.ok(proof);
      const { leaf: hash, siblings, root, length } = proof;
      verifyFlowProof({ level: 0, index: sector, length, hash, siblings, root }, hasher);
    }
  });

  it('leaves out tags beyond its bound and says how long they were', async () => {
    const chain = new TestChain();
    chain.mine(fileOf(hasher, new Uint8Array(10)));
    const step = await firstStep(chain);
    const { log } = await openNode(disk());
    const entries = step.entries.map((entry) => ({ ...entry, tags: new Uint8Array(300_000) }));
    await log.apply({ ...step, entries }, never);
    const entry = await log.entryAt(sequenceOf(0));
    assert.equal(entry?.tags.length, 0);
    assert.equal(entry?.tagsBytes, 300_000);
  });
});

async function firstStep(chain: TestChain) {
  for await (const step of chain.follow([], { signal: never })) {
    assert.ok(step.kind === 'advance');
    return step;
  }
  throw new Error('the chain is empty');
}
