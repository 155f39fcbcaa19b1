import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseShardText } from '@cairn/wire-protocol';
import {
  segmentData,
  type TestFile,
  TestNode,
  type TestNodeOptions,
  testFile,
  until,
} from '../../harness.ts';
import { ScriptedChain } from '../../scripted-chain.ts';

describe('a storage node that fills its shard from peers', () => {
  const nodes: TestNode[] = [];
  const start = async (
    options: TestNodeOptions,
    boot: readonly TestNode[] = [],
  ): Promise<TestNode> => {
    const addresses = boot.flatMap(({ node }) => node.address.peerAddresses.slice(0, 1));
    const node = await TestNode.start({ ...options, p2p: { boot: addresses, ...options.p2p } });
    nodes.push(node);
    return node;
  };
  const isFinal = async (node: TestNode, sequence: number): Promise<boolean> =>
    (await node.rpc('zgs_getFileInfoByTxSeq', [sequence])).result?.finalized === true;
  const allFinal = (node: TestNode, sequences: readonly number[]): Promise<void> =>
    until(async () =>
      (await Promise.all(sequences.map((one) => isFinal(node, one)))).every(Boolean),
    );
  /** Every owned segment as the node serves it is the file's. */
  const assertServes = async (
    node: TestNode,
    shard: string,
    file: TestFile,
    sequence: number,
  ): Promise<void> => {
    const { id, count } = parseShardText(shard);
    const { entries } = await node.json(`/v1/entries/${file.root}`);
    const first = Math.floor(entries[0].startSector / 1024);
    for (let index = 0; index < file.commitment.shape.segments; index += 1) {
      if ((first + index) % count !== id) continue;
      const reply = await node.get(`/v1/segments/${file.root}/${index}?seq=${sequence}`);
      assert.equal(reply.status, 200);
      const bytes = new Uint8Array(await reply.arrayBuffer());
      const data = segmentData(file, index);
      assert.deepEqual(Buffer.from(bytes.subarray(bytes.length - data.length)), Buffer.from(data));
    }
  };

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.remove()));
  });

  for (const way of ['over HTTP', 'over libp2p'] as const) {
    const publicUrl = way === 'over HTTP' ? 'listener' : undefined;

    it(`catches up from the chain and one peer alone, ${way}`, async () => {
      const chain = new ScriptedChain();
      const first = await start({ chain, p2p: { publicUrl } });
      const files = await Promise.all(
        [300, 262_144 * 5 + 5, 1, 262_144 * 2].map((size, at) => testFile(size, at + 1)),
      );
      const sequences = await first.announce(...files);
      for (const [at, file] of files.entries()) await first.upload(file, sequences[at] ?? 0);
      await allFinal(first, sequences);
      const late = await start({ chain, p2p: { publicUrl } }, [first]);
      await allFinal(late, sequences);
      for (const [at, file] of files.entries())
        await assertServes(late, '0/1', file, sequences[at] ?? 0);
    });
  }

  it('keeps only what its shard owns, from whoever keeps more', async () => {
    const chain = new ScriptedChain();
    const whole = await start({ chain });
    const file = await testFile(262_144 * 10, 9);
    const [sequence = 0] = await whole.announce(file);
    await whole.upload(file, sequence);
    const shards = ['0/4', '1/4', '2/4', '3/4'];
    const parts = await Promise.all(shards.map((shard) => start({ chain, shard }, [whole])));
    for (const [at, part] of parts.entries()) {
      await allFinal(part, [sequence]);
      await assertServes(part, shards[at] ?? '', file, sequence);
      const { entries } = await part.json(`/v1/entries/${file.root}`);
      assert.equal(entries[0].heldSegments, entries[0].ownedSegments);
    }
    await whole.stop();
    // What four quarters hold together is all of it: a whole node comes up from them alone.
    const again = await start({ chain }, parts);
    await allFinal(again, [sequence]);
    await assertServes(again, '0/1', file, sequence);
  });

  it('serves no damaged byte, and has what was damaged again from a peer', async () => {
    const chain = new ScriptedChain();
    const intact = await start({ chain });
    const file = await testFile(262_144 * 4, 8);
    const [sequence = 0] = await intact.announce(file);
    await intact.upload(file, sequence);
    const healed = await start({ chain }, [intact]);
    await allFinal(healed, [sequence]);
    const { entries } = await healed.json(`/v1/entries/${file.root}`);
    const place = entries[0].startSector * 256 + 262_144 * 2 + 5000;
    const segments = join(healed.directory, 'segments');
    const [name = ''] = (await readdir(segments)).sort(); // the first gibibyte of the flow
    const disk = await open(join(segments, name), 'r+');
    const { buffer } = await disk.read(Buffer.alloc(1), 0, 1, place);
    await disk.write(Buffer.of((buffer[0] ?? 0) ^ 16), 0, 1, place);
    await disk.close();
    const bad = await healed.get(`/v1/segments/${file.root}/2?seq=${sequence}`);
    assert.equal(bad.status, 404); // found damaged, and gone from what is served
    await bad.body?.cancel();
    await allFinal(healed, [sequence]);
    await assertServes(healed, '0/1', file, sequence);
  });

  it('hears of a file that a peer was given, from a peer of a peer', async () => {
    const chain = new ScriptedChain();
    const uploadedTo = await start({ chain });
    const between = await start({ chain, p2p: { sync: false } }, [uploadedTo]);
    const far = await start({ chain, p2p: { targetPeers: 1 } }, [between]);
    const file = await testFile(262_144 * 3, 4);
    const [sequence = 0] = await uploadedTo.announce(file);
    await uploadedTo.upload(file, sequence);
    await allFinal(far, [sequence]);
    await assertServes(far, '0/1', file, sequence);
    assert.equal(await isFinal(between, sequence), false);
  });

  it('serves and fetches without an inbound path, over the connections it opened', async () => {
    const chain = new ScriptedChain();
    const meeting = await start({ chain, p2p: { sync: false } });
    const hidden = { publicUrl: undefined, listen: [] };
    const giver = await start({ chain, p2p: hidden }, [meeting]);
    const file = await testFile(262_144 * 3, 6);
    const [sequence = 0] = await giver.announce(file);
    await giver.upload(file, sequence);
    const reached = await start({ chain, p2p: { publicUrl: undefined } }, [meeting]);
    // Only the hidden node can open the connection between the two.
    await allFinal(reached, [sequence]);
    const taker = await start({ chain, p2p: hidden }, [reached]);
    await allFinal(taker, [sequence]);
    await assertServes(taker, '0/1', file, sequence);
  });
});
