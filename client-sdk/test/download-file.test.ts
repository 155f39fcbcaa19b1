import assert from 'node:assert/strict';
import { isFault } from '@cairn/primitives';
import fc from 'fast-check';
import { SdkError } from '../src/errors.ts';
import { aperiodicBytes, FakeNetwork, type FakeNodeOptions } from './support/fake-network.ts';

const SEGMENT = 262_144;

describe('read journey', () => {
  let network: FakeNetwork;
  /** A network whose nodes all hold the same file. */
  const startWith = async (bytes: Uint8Array, ...nodes: FakeNodeOptions[]): Promise<string> => {
    network = await FakeNetwork.create(
      ...nodes.map(({ kind = 'cairn', shard = { id: 0, count: 1 } }) => ({ kind, shard })),
    );
    const replicas = nodes.length;
    const { root } = await network.client().put(bytes, { replicas });
    for (const [index, node] of network.nodes.entries()) Object.assign(node.options, nodes[index]);
    return root;
  };
  afterEach(async () => {
    await network.stop();
  });
  const flip = (data: Uint8Array): Uint8Array => {
    data[0] = (data[0] ?? 0) ^ 1;
    return data;
  };

  for (const kind of ['cairn', 'zg'] as const) {
    it(`takes a lying ${kind} node's place away and reads on from an honest one`, async () => {
      const bytes = aperiodicBytes(6 * SEGMENT);
      const root = await startWith(bytes, { kind, lie: flip }, { kind });
      // it says that it keeps the even ones only: the liar is asked first for the others
      Object.assign(network.nodes[1]?.options ?? {}, { shard: { id: 0, count: 2 } });
      const client = network.client();
      const file = await client.open(root);
      assert.deepEqual(
        await file.read(0, bytes.length, { signal: AbortSignal.timeout(120_000) }),
        bytes,
      );
      assert.ok(file.evidence.length > 0);
      assert.equal(file.evidence[0]?.url, network.nodes[0]?.url);
      assert.equal(file.evidence[0]?.code, 'PROOF_WRONG_ROOT');
      const asked = network.nodes[0]?.served.length ?? 0;
      await client.getBytes(root);
      assert.equal(network.nodes[0]?.served.length, asked, 'a liar is not asked again');
    });
  }

  it('yields nothing when every holder lies, and says who did', async () => {
    const root = await startWith(aperiodicBytes(SEGMENT), { lie: flip });
    let given = 0;
    await assert.rejects(
      async () => {
        for await (const piece of network.client().get(root)) given += piece.length;
      },
      (error) =>
        error instanceof SdkError &&
        error.facts.code === 'SDK_SEGMENT_UNAVAILABLE' &&
        error.facts.evidence.length === 1,
    );
    assert.equal(given, 0);
  });

  it('passes over holders that miss a segment', async () => {
    const bytes = aperiodicBytes(4 * SEGMENT + 1);
    const root = await startWith(
      bytes,
      { missing: new Set([0, 2]) },
      { kind: 'zg', missing: new Set([1, 4]) },
    );
    const client = network.client();
    assert.deepEqual(await client.getBytes(root), bytes);
    assert.deepEqual((await client.open(root)).evidence, []);
  });

  it('asks another holder as well when one is slow', async () => {
    const bytes = aperiodicBytes(3 * SEGMENT);
    const root = await startWith(bytes, { delayMs: 250_000 }, {});
    assert.deepEqual(await network.client().getBytes(root), bytes);
    assert.deepEqual(network.nodes[0]?.served, [], 'the slow one has not answered yet');
  });

  it('fetches only the segments of a range', async () => {
    const bytes = aperiodicBytes(9 * SEGMENT + 100);
    const root = await startWith(bytes, {});
    const client = network.client();
    const served = network.nodes[0]?.served ?? [];
    const range = { offset: 3 * SEGMENT - 10, length: 20 };
    assert.deepEqual(
      await client.getBytes(root, { range }),
      bytes.subarray(range.offset, range.offset + 20),
    );
    assert.deepEqual([...served].sort(), [2, 3]);
  });

  it('gives the bytes of any range, cut at the end of the file', async () => {
    const bytes = aperiodicBytes(2 * SEGMENT + 777);
    const root = await startWith(bytes, {});
    const file = await network.client().open(root);
    const { signal } = new AbortController();
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length), fc.nat(bytes.length), async (from, to) => {
        const [offset, end] = from < to ? [from, to] : [to, from];
        const parts: Uint8Array[] = [];
        for await (const part of file.stream({ signal }, { offset, length: end - offset })) {
          parts.push(part);
        }
        assert.deepEqual(Buffer.concat(parts), Buffer.from(bytes.subarray(offset, end)));
      }),
      { numRuns: 25, seed: 11 },
    );
    const over = network.client().getBytes(root, { range: { offset: bytes.length + 1 } });
    await assert.rejects(over, (error) => isFault(error, 'SDK_RANGE'));
  });

  it('fetches a bounded number of segments ahead of a slow reader', async () => {
    const bytes = aperiodicBytes(20 * SEGMENT);
    const root = await startWith(bytes, {});
    let pieces = 0;
    for await (const _ of network.client().get(root, { parallel: 3 })) {
      pieces += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      const ahead = (network.nodes[0]?.served.length ?? 0) - pieces;
      assert.ok(ahead <= 3, `${ahead} segments ahead`);
    }
    assert.equal(pieces, 20);
  });

  it('stops fetching when the reader stops', async () => {
    const root = await startWith(aperiodicBytes(20 * SEGMENT), {});
    for await (const _ of network.client().get(root, { parallel: 2 })) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok((network.nodes[0]?.served.length ?? 0) <= 4);
  });

  it('reads by sequence', async () => {
    const bytes = aperiodicBytes(500);
    await startWith(bytes, {}, { kind: 'zg' });
    assert.deepEqual(await network.client().getBytes({ sequence: 0 }), bytes);
  });

  it('blames no node for a reference whose root is not the one at its sequence', async () => {
    const bytes = aperiodicBytes(500);
    const root = await startWith(bytes, {}, { kind: 'zg' });
    const client = network.client();
    const wrong = { root: `0x${'12'.repeat(32)}`, sequence: 0 };
    await assert.rejects(client.open(wrong), (error) => isFault(error, 'SDK_FILE_NOT_FOUND'));
    assert.equal((await client.stat(root))?.holders.length, 2);
    assert.deepEqual(await client.getBytes({ root, sequence: 0 }), bytes);
  });

  it('says that a file is unknown, and by how many nodes', async () => {
    await startWith(aperiodicBytes(5), {});
    const root = `0x${'12'.repeat(32)}`;
    await assert.rejects(network.client().getBytes(root), (error) =>
      isFault(error, 'SDK_FILE_NOT_FOUND'),
    );
    assert.equal(await network.client().stat(root), undefined);
  });

  it('does not believe a node whose length does not fit the submission', async () => {
    const bytes = aperiodicBytes(3 * SEGMENT);
    const root = await startWith(bytes, { kind: 'zg', claimBytes: 10 }, {});
    const file = await network.client().open(root);
    assert.equal(file.sizeBytes, bytes.length);
    assert.equal(file.evidence[0]?.code, 'NODE_LAYOUT');
  });

  it('follows the majority about trailing bytes, the chain where there is one, nobody on a tie', async () => {
    const bytes = aperiodicBytes(1000);
    const lie = { kind: 'zg', claimBytes: 1001 } as const;
    let root = await startWith(bytes, lie, {}, {});
    assert.deepEqual(await network.client().getBytes(root), bytes);
    await network.stop();
    root = await startWith(bytes, lie, {});
    await assert.rejects(network.client().open(root), (error) =>
      isFault(error, 'SDK_SIZE_DISPUTED'),
    );
    const checkEntry = async ({ sizeBytes }: { sizeBytes: number }): Promise<boolean> =>
      sizeBytes === 1000;
    assert.deepEqual(await network.client({ checkEntry }).getBytes(root), bytes);
    const nothing = network.client({ checkEntry: async () => false }).open(root);
    await assert.rejects(nothing, (error) => isFault(error, 'SDK_SIZE_DISPUTED'));
  });

  it('reads from the holders whose place in the log the chain has, and from no others', async () => {
    const bytes = aperiodicBytes(1000);
    const root = await startWith(bytes, { claimSequence: 7 }, {}, { claimSequence: 3 });
    const asked: number[] = [];
    const checkEntry = async ({ sequence }: { sequence: number }): Promise<boolean> => {
      asked.push(sequence);
      return sequence === 0;
    };
    const client = network.client({ checkEntry });
    assert.deepEqual(await client.getBytes(root), bytes);
    assert.deepEqual(asked.sort(), [0, 3, 7]);
    const stat = await client.stat(root);
    assert.equal(stat?.sequence, 0);
    assert.deepEqual(
      stat.holders.map(({ url }) => url),
      [network.nodes[1]?.url],
    );
  });

  it('refuses to take a file into memory beyond the bound', async () => {
    const root = await startWith(aperiodicBytes(1000), {});
    await assert.rejects(network.client().getBytes(root, { maxBytes: 999 }), (error) =>
      isFault(error, 'SDK_TOO_LARGE'),
    );
  });
});
