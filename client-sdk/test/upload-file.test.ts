import assert from 'node:assert/strict';
import type { FileSource } from '@cairn/log-layer';
import { isFault } from '@cairn/primitives';
import type { CostQuote } from '../src/cost.ts';
import type { PutEvent } from '../src/put-options.ts';
import { aperiodicBytes, FakeNetwork, type FakeNodeOptions } from './support/fake-network.ts';

const SEGMENT = 262_144;

describe('upload journey', () => {
  let network: FakeNetwork;
  const start = async (...nodes: FakeNodeOptions[]): Promise<void> => {
    network = await FakeNetwork.create(...nodes);
  };
  afterEach(async () => {
    await network.stop();
  });

  for (const kind of ['cairn', 'zg'] as const) {
    for (const size of [1, 256, 257, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 17]) {
      it(`stores ${size} bytes on a ${kind} node and reads them back`, async () => {
        await start({ kind });
        const bytes = aperiodicBytes(size);
        const receipt = await network.client().put(bytes);
        assert.equal(receipt.sizeBytes, size);
        assert.equal(receipt.finalised, true);
        assert.deepEqual(receipt.holders, [
          {
            url: network.nodes[0]?.url,
            shard: { id: 0, count: 1 },
            segments: Math.ceil(size / SEGMENT),
          },
        ]);
        assert.deepEqual(await network.client().getBytes(receipt.root), bytes);
      });
    }
  }

  it('sends every segment to the shard that keeps it, whatever the shards are', async () => {
    await start(
      { shard: { id: 0, count: 2 } },
      { shard: { id: 1, count: 4 }, kind: 'zg' },
      { shard: { id: 3, count: 4 } },
    );
    const bytes = aperiodicBytes(7 * SEGMENT + 5);
    const receipt = await network.client().put(bytes);
    assert.deepEqual(
      receipt.holders.map(({ segments }) => segments).reduce((sum, each) => sum + each, 0),
      8,
    );
    assert.deepEqual(await network.client().getBytes(receipt.root), bytes);
    assert.equal((await network.client().stat(receipt.root))?.replicas, 1);
  });

  it('stores as many full copies as are asked for', async () => {
    await start({}, {}, {});
    const receipt = await network.client().put(aperiodicBytes(2 * SEGMENT), { replicas: 2 });
    assert.equal(receipt.holders.length, 2);
    const stat = await network.client().stat(receipt.root);
    assert.equal(stat?.replicas, 2);
  });

  it('refuses before paying when the nodes cannot cover every shard', async () => {
    await start({ shard: { id: 0, count: 2 } });
    await assert.rejects(network.client().put(aperiodicBytes(10)), (error) =>
      isFault(error, 'SDK_NOT_ENOUGH_HOLDERS'),
    );
    assert.equal(network.payments, 0);
  });

  it('pays nothing and sends nothing for a file that is known and held', async () => {
    await start({});
    const bytes = aperiodicBytes(2 * SEGMENT);
    const first = await network.client().put(bytes);
    const sent = network.nodes[0]?.sent.length;
    const again = await network.client().put(bytes);
    assert.equal(network.payments, 1);
    assert.equal(network.nodes[0]?.sent.length, sent);
    assert.equal(again.sequence, first.sequence);
    assert.equal(again.transactionHash, undefined);
  });

  it('pays again for other tags and for a named resubmission, once each', async () => {
    await start({});
    const bytes = aperiodicBytes(300);
    await network.client().put(bytes);
    const tags = Uint8Array.of(1, 2, 3);
    for (let run = 0; run < 2; run += 1) {
      await network.client().put(bytes, { tags });
      await network.client().put(bytes, { resubmit: 'monthly' });
    }
    // the fake knows one entry a root, so tags are found under the first entry only
    assert.equal(network.payments, 3);
  });

  it('waits for a node that is busy and for one that lags behind the chain', async () => {
    await start({ busyTimes: 2, lagReads: 3 });
    const receipt = await network.client().put(aperiodicBytes(2 * SEGMENT));
    assert.equal(receipt.finalised, true);
    await network.stop();
    await start({ kind: 'zg', busyTimes: 2, lagReads: 3 });
    assert.equal((await network.client().put(aperiodicBytes(SEGMENT))).finalised, true);
  });

  it('gives the place of a holder that fails to another that covers its shard', async () => {
    await start(
      { dieAfter: 2, shard: { id: 0, count: 1 } },
      { shard: { id: 0, count: 2 } },
      { shard: { id: 1, count: 2 } },
    );
    const events: PutEvent[] = [];
    const bytes = aperiodicBytes(5 * SEGMENT);
    const receipt = await network.client().put(bytes, {
      onProgress: (event) => events.push(event),
      timeoutMs: 1000,
    });
    assert.equal(events.filter(({ step }) => step === 'holderLost').length, 1);
    assert.deepEqual(
      receipt.holders.map(({ shard }) => shard.count),
      [2, 2],
    );
    assert.equal(network.payments, 1);
    assert.deepEqual(await network.client().getBytes(receipt.root), bytes);
  });

  it('ends with SDK_NOT_FINAL when the only holder never gets there', async () => {
    await start({ lagReads: 1000 });
    const put = network.client().put(aperiodicBytes(10), { timeoutMs: 300 });
    await assert.rejects(put, (error) => isFault(error, 'SDK_NOT_FINAL'));
  });

  it('shows the price first and pays nothing when it is declined', async () => {
    await start({});
    let shown = 0n;
    const put = network.client().put(aperiodicBytes(SEGMENT + 1), {
      onQuote: ({ totalWei, chargedSectors }) => {
        shown = totalWei;
        assert.equal(chargedSectors, 1152);
        return false;
      },
    });
    await assert.rejects(put, (error) => isFault(error, 'SDK_DECLINED'));
    assert.equal(shown, 1152n * 7n + 600_000n);
    assert.equal(network.payments, 0);
  });

  it('cuts a file into fragments, pays them in one transaction and lists them in a manifest', async () => {
    await start({});
    const bytes = aperiodicBytes(5 * SEGMENT + 9);
    const receipt = await network
      .client()
      .put(bytes, { fragmentBytes: 2 * SEGMENT, name: 'a.bin' });
    assert.equal(receipt.fragments.length, 3);
    assert.equal(network.payments, 1);
    const roots = receipt.fragments.map(({ root }) => root);
    assert.deepEqual(await network.client().getBytes({ roots }), bytes);
    assert.deepEqual(await network.client().getBytes(receipt.root, { path: 'a.bin' }), bytes);
    const range = { offset: 2 * SEGMENT - 5, length: 11 };
    assert.deepEqual(
      await network.client().getBytes({ roots }, { range }),
      bytes.subarray(range.offset, range.offset + 11),
    );
  });

  it('quotes all that a put stores, the manifest of a cut file too', async () => {
    await start({});
    const bytes = aperiodicBytes(40 * 256 + 1);
    for (const encryption of [undefined, { kind: 'sealed', key: new Uint8Array(32) }] as const) {
      for (const fragmentBytes of [256, 65_536]) {
        const options = { fragmentBytes, name: 'a long name of a file that is cut'.repeat(7) };
        const quoted = await network.client().quote(bytes, {
          ...options,
          ...(encryption === undefined ? {} : { encryption: encryption.kind }),
        });
        let price: CostQuote | undefined;
        const put = network.client().put(bytes, {
          ...options,
          ...(encryption === undefined ? {} : { encryption }),
          onQuote: (quote) => {
            price = quote;
            return false;
          },
        });
        await assert.rejects(put, (error) => isFault(error, 'SDK_DECLINED'));
        assert.deepEqual(quoted, price);
      }
    }
  });

  it('counts the fee of fragments that are the same once', async () => {
    await start({});
    const zeros = new Uint8Array(3 * SEGMENT);
    const receipt = await network.client().put(zeros, { fragmentBytes: SEGMENT });
    const charged = network.entries.reduce((sum, { paddedSectors }) => sum + paddedSectors, 0);
    assert.equal(network.entries.length, 2, 'the fragment and the manifest');
    assert.equal(receipt.feeWei, 7n * BigInt(charged));
  });

  it('keeps no more than `parallel` segments in memory over all holders', async () => {
    await start({}, {}, {});
    const size = 24 * SEGMENT;
    const bytes = aperiodicBytes(size);
    let open = 0;
    let most = 0;
    const source: FileSource = {
      sizeBytes: size,
      async read(offset, length) {
        open += 1;
        most = Math.max(most, open);
        await new Promise((resolve) => setTimeout(resolve, 2));
        open -= 1;
        return bytes.subarray(offset, offset + length);
      },
      async *stream() {
        yield bytes;
      },
    };
    await network.client().put(source, { replicas: 3, parallel: 4 });
    assert.ok(most <= 4, `${most} reads at once`);
    for (const node of network.nodes) assert.ok(node.maxAtOnce <= 5, `${node.maxAtOnce} requests`);
  });

  it('refuses an empty file and stores a sealed empty one', async () => {
    await start({});
    await assert.rejects(network.client().put(new Uint8Array(0)), (error) =>
      isFault(error, 'SDK_EMPTY_FILE'),
    );
    const key = new Uint8Array(32).fill(3);
    const { root } = await network
      .client()
      .put(new Uint8Array(0), { encryption: { kind: 'sealed', key } });
    const read = await network.client().getBytes(root, { decryption: { key } });
    assert.equal(read.length, 0);
  });

  it('finds its nodes through an indexer', async () => {
    await start({}, { kind: 'zg' });
    const bytes = aperiodicBytes(1000);
    const receipt = await network.client({ indexer: true }).put(bytes);
    assert.deepEqual(await network.client({ indexer: true }).getBytes(receipt.root), bytes);
  });
});
