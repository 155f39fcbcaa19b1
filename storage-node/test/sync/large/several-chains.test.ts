import { deepEqual } from 'node:assert/strict';
import { ChainsNode, OTHER_ID } from '../../chains/chains-node.ts';
import { type TestFile, testFile, until } from '../../harness.ts';
import { ScriptedChain } from '../../scripted-chain.ts';

describe('a storage node of several chains among peers', () => {
  it('gives to nodes of either chain and takes from them, over one connection each', async () => {
    const [first, second] = [new ScriptedChain(), new ScriptedChain(OTHER_ID)];
    const nodes: ChainsNode[] = [];
    const start = async (chains: readonly ScriptedChain[]): Promise<ChainsNode> => {
      const boot = nodes.slice(0, 1).flatMap(({ node }) => node.address.peerAddresses.slice(0, 1));
      const node = await ChainsNode.start(chains, { p2p: { boot } });
      nodes.push(node);
      return node;
    };
    const has = (node: ChainsNode, place: number, { root, bytes }: TestFile): Promise<void> =>
      until(async () => {
        const reply = await fetch(`${node.urlOf(place)}/v1/files/${root}`);
        if (!reply.ok) return false;
        deepEqual(new Uint8Array(await reply.arrayBuffer()), bytes);
        return true;
      });
    try {
      const both = await start([first, second]);
      const [ofFirst, ofSecond, later] = await Promise.all(
        [300_000, 3000, 700].map((size, at) => testFile(size, at + 1)),
      );
      if (!ofFirst || !ofSecond || !later) throw new Error('unreachable: three files are made');
      await both.upload(0, ofFirst, await both.announce(0, ofFirst));
      await both.upload(1, ofSecond, await both.announce(1, ofSecond));
      const [lone, other] = [await start([first]), await start([second])];
      await has(lone, 0, ofFirst);
      await has(other, 0, ofSecond);
      await other.upload(0, later, await other.announce(0, later));
      await has(both, 1, later);
      deepEqual((await lone.json(0, '/v1/status')).nextSequence, 1, 'nothing of the other chain');
    } finally {
      await Promise.all(nodes.map((node) => node.remove()));
    }
  });
});
