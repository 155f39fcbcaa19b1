import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import { aperiodicBytes, FakeNetwork, type FakeNodeOptions } from './support/fake-network.ts';

describe('entries that nodes say a file has already', () => {
  let network: FakeNetwork;
  const other = aperiodicBytes(700);
  const bytes = aperiodicBytes(500);
  /** A network that keeps another file as entry 0, which the first node says is any file's. */
  const startWithLiar = async (...nodes: FakeNodeOptions[]): Promise<void> => {
    network = await FakeNetwork.create(...nodes);
    await network.client().put(other, { replicas: nodes.length });
    const claimEntry = { sequence: 0, sizeBytes: bytes.length };
    Object.assign(network.nodes[0]?.options ?? {}, { claimEntry });
  };
  const assertPaidAndStored = async (put: Promise<{ root: string }>): Promise<void> => {
    const { root } = await put;
    assert.equal(network.payments, 2);
    assert.equal(network.entries[1]?.root, root);
    assert.deepEqual(await network.client().getBytes(root), bytes);
  };
  afterEach(async () => {
    await network.stop();
  });

  it('are not believed while another node denies them', async () => {
    await startWithLiar({}, {}, {});
    await assertPaidAndStored(network.client().put(bytes));
  });

  it('are not believed of the only node while the chain denies them', async () => {
    await startWithLiar({});
    const checkEntry = async (): Promise<boolean> => false;
    await assertPaidAndStored(network.client({ checkEntry }).put(bytes));
  });

  it('are believed of the only node where the chain cannot be asked', async () => {
    network = await FakeNetwork.create({});
    const checkEntry = async (): Promise<undefined> => undefined;
    for (let run = 0; run < 2; run += 1) await network.client({ checkEntry }).put(bytes);
    assert.equal(network.payments, 1);
  });

  it('are believed of one node against another that lags, where the chain has them', async () => {
    network = await FakeNetwork.create({}, {});
    await network.client().put(bytes, { replicas: 2 });
    await network.nodes[0]?.stop();
    await network.add({ lagReads: 1 });
    const checkEntry = async (): Promise<boolean> => true;
    await network.client({ checkEntry }).put(bytes);
    assert.equal(network.payments, 1);
  });

  for (const kind of ['cairn', 'zg'] as const) {
    it(`are waited for while a ${kind} node has another file in their place`, async () => {
      network = await FakeNetwork.create({ kind });
      await network.client().put(other);
      const [stored] = network.entries;
      const put = network.client().put(bytes, {
        timeoutMs: 300,
        // a reorg: the other file takes the place that was just paid for
        onProgress: ({ step }) => {
          if (step === 'submitted' && stored !== undefined) network.entries[1] = stored;
        },
      });
      await assert.rejects(put, (error) => isFault(error, 'SDK_NOT_FINAL'));
    });
  }
});
