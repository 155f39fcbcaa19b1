import assert from 'node:assert/strict';
import { type ChainClient, createChainClient } from '@cairn/chain-access';
import { type Hub, openHub, readEpochInfo, readPhase } from '@cairn/chain-access/da';
import { DEVNET_CONSENSUS, parseAddress } from '@cairn/primitives';
import { cairnJson } from '../support/cli.ts';
import { type Network, rpc, startNetwork } from '../support/network.ts';
import { until } from '../support/wait.ts';

const { schedule, maxCarry } = DEVNET_CONSENSUS;

describe('a network whose signers stay away', () => {
  const { signal } = new AbortController();
  let network: Network;
  let client: ChainClient;
  let hub: Hub;

  before(async () => {
    network = await startNetwork(['--storage', '0/1', '--da', '1']);
    const sortition = parseAddress(network.endpoints.chains[0]?.contracts['sortition'] ?? '');
    client = createChainClient({ rpcUrl: network.chainRpc });
    hub = await openHub({ client, sortition, finality: schedule.finalityBlocks }, { signal });
  });

  after(async () => {
    await client?.close();
    await network?.stop();
  });

  it('begins with an epoch in office whose time is the present', async () => {
    const { epoch } = await readPhase(hub, { signal });
    const info = await readEpochInfo(hub, epoch, { signal });
    const newest = await client.getBlock('latest', { signal });
    const nowSeconds = Date.now() / 1000;
    assert.ok(info !== undefined && newest !== undefined);
    assert.ok(info.startSeconds <= nowSeconds, 'it has begun');
    assert.ok(newest.timestamp <= nowSeconds + 2, 'the chain is not ahead of the clock');
  });

  it('halts, and goes on by itself once they are back', async () => {
    const { processes } = await cairnJson(['devnet', 'status', '--dir', network.directory]);
    const { pid } = (processes as { name: string; pid: number }[]).find(
      ({ name }) => name === 'signer-0',
    ) ?? { pid: 0 };
    assert.ok(pid > 0);
    process.kill(pid, 'SIGSTOP');
    let halted = 0;
    for (let turn = 0; turn <= maxCarry + 1 && halted === 0; turn += 1) {
      const { epoch: before } = await readPhase(hub, { signal });
      const blocks = `0x${(schedule.epochBlocks + 1).toString(16)}`;
      await rpc(network.chainRpc, 'anvil_mine', [blocks, '0x0']);
      await until('the turn of the epoch', async () => {
        const { phase, epoch } = await readPhase(hub, { signal });
        if (phase === 'halted') halted = epoch;
        return phase === 'halted' || epoch > before;
      });
    }
    assert.ok(halted > 0, 'without tickets the network halts');
    process.kill(pid, 'SIGCONT');
    await until('a committee', async () => {
      const { epoch } = await readPhase(hub, { signal });
      const info = await readEpochInfo(hub, epoch, { signal });
      return epoch > halted && info !== undefined && info.endSeconds > Date.now() / 1000;
    });
  });
});
