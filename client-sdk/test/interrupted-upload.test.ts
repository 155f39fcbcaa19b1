import assert from 'node:assert/strict';
import type { FileSource } from '@cairn/log-layer';
import { isFault, memoryKeyValueStore } from '@cairn/primitives';
import { headerBytesOf } from '../src/encryption/headers.ts';
import type { PutEvent } from '../src/put-options.ts';
import { aperiodicBytes, FakeNetwork, type FakeNodeOptions } from './support/fake-network.ts';

const SEGMENT = 262_144;

describe('an upload that was interrupted', () => {
  let network: FakeNetwork;
  const start = async (...nodes: FakeNodeOptions[]): Promise<void> => {
    network = await FakeNetwork.create(...nodes);
  };
  afterEach(async () => {
    await network.stop();
  });

  it('goes on after a crash right after the payment without paying twice', async () => {
    await start({});
    const bytes = aperiodicBytes(3 * SEGMENT);
    network.crashAfterPayment = true;
    await assert.rejects(network.client().put(bytes), /killed/);
    network.crashAfterPayment = false;
    const receipt = await network.client().put(bytes);
    assert.equal(network.payments, 1);
    assert.deepEqual(await network.client().getBytes(receipt.root), bytes);
  });

  for (const kind of ['cairn', 'zg'] as const) {
    it(`pays nothing twice when a ${kind} node reads the block between two questions`, async () => {
      await start({ kind });
      const bytes = aperiodicBytes(5 * SEGMENT);
      const options = { fragmentBytes: 2 * SEGMENT };
      network.crashAfterPayment = true;
      await assert.rejects(network.client().put(bytes, options), /killed/);
      network.crashAfterPayment = false;
      const [node] = network.nodes;
      assert.ok(node !== undefined);
      node.lagLeft = 1; // the first fragment is not known yet, the next ones are
      const { root } = await network.client().put(bytes, options);
      assert.equal(network.payments, 1);
      assert.deepEqual(await network.client().getBytes(root, { path: 'file' }), bytes);
    });
  }

  it('sends only what is missing after an upload that was cut off', async () => {
    await start({});
    const bytes = aperiodicBytes(8 * SEGMENT);
    const stop = new AbortController();
    const onProgress = (event: PutEvent): void => {
      if (event.step === 'sending' && event.doneSegments === 3) stop.abort(new Error('cut'));
    };
    const cut = network.client().put(bytes, { signal: stop.signal, onProgress, parallel: 1 });
    await assert.rejects(cut, /cut/);
    const before = network.nodes[0]?.sent.length ?? 0;
    await network.client().put(bytes);
    assert.equal(network.nodes[0]?.sent.length, 8, `${before} were there`);
    assert.equal(network.payments, 1);
  });

  it('does not hash again what the journal remembers', async () => {
    await start({});
    const bytes = aperiodicBytes(4 * SEGMENT);
    let streamed = 0;
    const source: FileSource = {
      sizeBytes: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      async *stream() {
        streamed += 1;
        yield bytes;
      },
    };
    const journal = memoryKeyValueStore();
    network.crashAfterPayment = true;
    await assert.rejects(network.client({ journal }).put(source, { resumeKey: 'a' }), /killed/);
    network.crashAfterPayment = false;
    const receipt = await network.client({ journal }).put(source, { resumeKey: 'a' });
    assert.equal(streamed, 1);
    assert.deepEqual(await network.client().getBytes(receipt.root), bytes);
    await network.client({ journal }).put(source, { resumeKey: 'a' });
    assert.equal(streamed, 2, 'a finished upload leaves no record');
  });

  it('encrypts to the same bytes when it is run again', async () => {
    await start({});
    const journal = memoryKeyValueStore();
    const encryption = { kind: 'sealed', key: new Uint8Array(32).fill(9) } as const;
    const options = { resumeKey: 'b', encryption };
    network.crashAfterPayment = true;
    const bytes = aperiodicBytes(SEGMENT);
    await assert.rejects(network.client({ journal, seed: 2 }).put(bytes, options), /killed/);
    network.crashAfterPayment = false;
    const receipt = await network.client({ journal, seed: 3 }).put(bytes, options);
    assert.equal(network.payments, 1);
    assert.equal(network.entries[0]?.root, receipt.root);
    const decryption = { key: encryption.key };
    assert.deepEqual(await network.client().getBytes(receipt.root, { decryption }), bytes);
  });

  for (const kind of ['sealed', 'zg-ctr'] as const) {
    it(`shows nobody other bytes under the ${kind} key stream of the file that was hashed`, async () => {
      await start({});
      const bytes = aperiodicBytes(2 * SEGMENT);
      const source: FileSource = {
        sizeBytes: bytes.length,
        read: async (offset, length) => bytes.slice(offset, offset + length),
        async *stream() {
          yield bytes.slice();
        },
      };
      const journal = memoryKeyValueStore();
      const key = new Uint8Array(32).fill(9);
      const options = { resumeKey: 'd', encryption: { kind, key } };
      network.crashAfterPayment = true;
      await assert.rejects(network.client({ journal, seed: 2 }).put(source, options), /killed/);
      network.crashAfterPayment = false;
      bytes[5] = 77;
      const changed = network.client({ journal, seed: 3 }).put(source, { ...options, parallel: 1 });
      await assert.rejects(changed, (error) => isFault(error, 'SDK_SOURCE_CHANGED'));
      assert.equal(network.nodes[0]?.offered, 0);
      const receipt = await network.client({ journal, seed: 4 }).put(source, options);
      assert.notEqual(receipt.root, network.entries[0]?.root);
      const decryption = { key };
      assert.deepEqual(await network.client().getBytes(receipt.root, { decryption }), bytes);
    });

    it(`draws a new ${kind} key stream for other bytes under the same name`, async () => {
      await start({});
      const journal = memoryKeyValueStore();
      const encryption = { kind, key: new Uint8Array(32).fill(9) };
      const client = network.client({ journal });
      const streams: string[] = [];
      for (const fill of [1, 2]) {
        const bytes = new Uint8Array(1000).fill(fill);
        const { root } = await client.put(bytes, { encryption, resumeKey: 'e' });
        const stored = await client.getBytes(root);
        streams.push(
          stored
            .subarray(headerBytesOf(kind), 900)
            .map((byte) => byte ^ fill)
            .join(),
        );
      }
      assert.notEqual(streams[0], streams[1]);
    });
  }

  it('notices a file that changed after it was hashed, and forgets what it knew', async () => {
    await start({});
    const bytes = aperiodicBytes(2 * SEGMENT);
    const source: FileSource = {
      sizeBytes: bytes.length,
      read: async (offset, length) => bytes.slice(offset, offset + length),
      async *stream() {
        yield bytes.slice();
      },
    };
    const journal = memoryKeyValueStore();
    network.crashAfterPayment = true;
    await assert.rejects(network.client({ journal }).put(source, { resumeKey: 'c' }), /killed/);
    network.crashAfterPayment = false;
    bytes[5] = 77;
    await assert.rejects(network.client({ journal }).put(source, { resumeKey: 'c' }), (error) =>
      isFault(error, 'SDK_SOURCE_CHANGED'),
    );
    const receipt = await network.client({ journal }).put(source, { resumeKey: 'c' });
    assert.deepEqual(await network.client().getBytes(receipt.root), bytes);
  });
});
