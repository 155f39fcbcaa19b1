import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ChainError } from '@cairn/chain-access';
import { type ChainStep, type Clock, systemClock } from '@cairn/primitives';
import { testFile, until } from '../harness.ts';
import { ScriptedChain } from '../scripted-chain.ts';
import { ChainsNode, OTHER_ID } from './chains-node.ts';

describe('chains of one node', () => {
  it('share one budget: whoever takes it, all are turned away, with the numbers of each', async () => {
    const maxBytes = 2_000_000;
    const chains = [new ScriptedChain(), new ScriptedChain(OTHER_ID)];
    const options = { storage: { maxBytes }, node: { clock: withoutLongWaits() } };
    const node = await ChainsNode.start(chains, options);
    try {
      const large = await testFile(2_100_000, 1);
      equal(await node.upload(1, large, await node.announce(1, large)), undefined);
      for (const { upkeep } of node.node.chains) await upkeep.budget.look();
      let refusal: string | undefined;
      let seed = 2;
      await until(async () => {
        const small = await testFile(1000, seed);
        seed += 1;
        refusal = await node.upload(0, small, await node.announce(0, small));
        return refusal !== undefined;
      });
      const told =
        /all that storage\.max_bytes allows this node to keep is taken, (\d+) of 2000000 bytes: chain 31337 takes (\d+), chain 31338 \(other-31338\) takes (\d+)/;
      const [sentence, sum, first, second] = told.exec(String(refusal)) ?? [];
      ok(sentence !== undefined, refusal);
      equal(Number(sum), Number(first) + Number(second));
      ok(Number(second) >= 2_100_000);
      const { url } = node.node.address;
      const { ready, reasons, facts } = await (await fetch(`${url}/health/ready`)).json();
      equal(ready, true, 'reads go on');
      deepEqual(reasons, [`${sentence}; uploads are turned away, reads go on`], 'told once');
      match(facts['chain 31338 (other-31338)'], new RegExp(`in ${second} bytes`));
      const page = await fetch(`${node.urlOf(1)}/v1/files/${large.root}`);
      deepEqual(new Uint8Array(await page.arrayBuffer()), large.bytes);
    } finally {
      await node.remove();
    }
  });

  it('go on where one contradicts what is stored, which is told by name', async () => {
    class Contradicting extends ScriptedChain {
      override follow(): AsyncIterable<ChainStep> {
        throw new ChainError(
          { code: 'CHAIN_WRONG_ID', expected: OTHER_ID, actual: 5 },
          'http://c is chain 5, not 31338',
        );
      }
    }
    const node = await ChainsNode.start([new ScriptedChain(), new Contradicting(OTHER_ID)]);
    let failure: unknown;
    node.node.failed.catch((error: unknown) => {
      failure = error;
    });
    try {
      const file = await testFile(5000, 3);
      equal(await node.upload(0, file, await node.announce(0, file)), undefined);
      const told = 'the log is not followed: CHAIN_WRONG_ID: http://c is chain 5, not 31338';
      await until(async () => (await node.json(1, '/health/ready')).reasons.includes(told));
      equal((await node.json(1, '/health/ready')).ready, false);
      equal((await node.json(0, '/health/ready')).ready, true);
      const { ready, reasons } = await (
        await fetch(`${node.node.address.url}/health/ready`)
      ).json();
      equal(ready, true);
      equal(reasons.includes(`chain 31338 (other-31338): ${told}`), true);
      equal(failure, undefined);
    } finally {
      await node.remove();
    }
  });

  it('end a node that keeps no other', async () => {
    class Contradicting extends ScriptedChain {
      override follow(): AsyncIterable<ChainStep> {
        throw new Error('another chain');
      }
    }
    const node = await ChainsNode.start([new Contradicting()]);
    try {
      const failure = await node.node.failed.catch((error: unknown) => error);
      match(String(failure), /another chain/);
    } finally {
      await node.remove();
    }
  });

  it('have their places, and a node with one chain has its doors there too', async () => {
    const node = await ChainsNode.start([new ScriptedChain()]);
    try {
      const { url } = node.node.address;
      deepEqual(
        node.node.chains.map(({ url: own, name }) => [own, name]),
        [[`${url}/chains/31337`, 'chain 31337']],
      );
      const file = await testFile(5000, 4);
      equal(await node.upload(0, file, await node.announce(0, file)), undefined);
      const there = await fetch(`${url}/chains/31337/v1/files/${file.root}`);
      deepEqual(new Uint8Array(await there.arrayBuffer()), file.bytes);
      const head = await fetch(`${url}/chains/31337?x=1`, { method: 'OPTIONS' });
      equal(head.status, 204);
      const nested = await fetch(`${url}/chains/31337/chains/31337/v1/status`);
      equal(nested.status, 404);
      const { chains } = await (await fetch(`${url}/chains`)).json();
      deepEqual([chains.length, chains[0].path, chains[0].ready], [1, '/chains/31337', true]);
    } finally {
      await node.remove();
    }
  });

  it('are not mixed with folders of chains that are not kept any more', async () => {
    const { unkeptChains } = await import('../../src/chains/unkept-chains.ts');
    const node = await ChainsNode.start([new ScriptedChain(), new ScriptedChain(OTHER_ID)]);
    try {
      deepEqual(await unkeptChains(node.directory, [OTHER_ID]), []);
      await mkdir(join(node.directory, 'chains', '77'));
      deepEqual(await unkeptChains(node.directory, [OTHER_ID]), [
        join(node.directory, 'chains', '77'),
      ]);
    } finally {
      await node.remove();
    }
  });
});

/** The machine's clock, on which waits of ten seconds and more do not end: nothing looks at the disk by itself. */
function withoutLongWaits(): Clock {
  const clock = systemClock();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    sleep: (durationMs, signal) => clock.sleep(durationMs < 10_000 ? durationMs : 1e8, signal),
  };
}
