import assert from 'node:assert/strict';
import type { Committee } from '@cairn/attestation';
import { isRecord } from '@cairn/primitives';
import { createChainClient } from '../../src/client/create-client.ts';
import { EpochBook } from '../../src/da/epoch-book.ts';
import { openHub } from '../../src/da/open-hub.ts';
import { SignerBook } from '../../src/da/signer-book.ts';
import { Anvil, hasAnvil, testSignal } from '../anvil.ts';
import { BLS, DaNetwork } from '../da-network.ts';
import { FaultProxy, type ProxiedCall, type ProxyReply } from '../fault-proxy.ts';

describe('committees through an endpoint that errs or lies', () => {
  let anvil: Anvil;
  let proxy: FaultProxy;
  let network: DaNetwork;
  let honest: Committee;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    proxy = await FaultProxy.start(anvil.url);
    network = await DaNetwork.start(anvil);
    await network.turn();
    await network.turn();
    await network.mine(3);
    honest = await committeeThrough(anvil.url);
  });
  after(async () => {
    await proxy?.stop();
    await anvil?.stop();
  });

  const options = () => ({ signal: testSignal() });

  async function committeeThrough(rpcUrl: string, epoch = 2): Promise<Committee> {
    const hub = await openHub(
      {
        client: createChainClient({ rpcUrl }),
        sortition: network.deployment.contracts.sortition,
        finality: 2,
      },
      options(),
    );
    const book = new EpochBook({ hub, signers: new SignerBook(hub), backend: BLS });
    return book.committee({ epoch, quorumId: 0 }, options());
  }

  /** Lets the proxy change the events of one kind that came for a range of blocks. */
  function changing(event: string, change: (logs: Record<string, unknown>[]) => unknown[]): void {
    const topic = network.hub.sortition.topic(event);
    proxy.handle = async (call) => {
      const result = await call.forward();
      if (call.method !== 'eth_getLogs' || !Array.isArray(result)) return { result };
      const logs = result.filter(isRecord);
      const isKind = logs.some(({ topics }) => Array.isArray(topics) && topics[0] === topic);
      return { result: isKind ? change(logs) : result };
    };
  }

  it('are rebuilt from logs of three blocks at a time', async () => {
    proxy.handle = async (call): Promise<ProxyReply> =>
      call.method === 'eth_getLogs' && rangeOf(call) > 3
        ? { error: { code: -32005, message: 'block range is too wide' } }
        : { result: await call.forward() };
    const committee = await committeeThrough(proxy.url);
    assert.deepEqual(committee, honest);
  });

  it('are refused when a ticket is left out, moved or changed', async () => {
    const lies: ((logs: Record<string, unknown>[]) => unknown[])[] = [
      (logs) => logs.slice(1),
      (logs) => logs.map((log, index) => ({ ...log, logIndex: hexOf(logs.length - index) })),
      (logs) => logs.map((log) => ({ ...log, data: String(log['data']).replace(/8/, '7') })),
    ];
    for (const lie of lies) {
      changing('Ticket', lie);
      await assert.rejects(committeeThrough(proxy.url), { code: 'DA_LOG_INCONSISTENT' });
    }
  });

  it('are refused when header or snapshot are not those that the contract keeps', async () => {
    const flipped = (log: Record<string, unknown>, at: number) => {
      const data = String(log['data']);
      const digit = data[at] === '0' ? '1' : '0';
      return { ...log, data: `${data.slice(0, at)}${digit}${data.slice(at + 1)}` };
    };
    const weightAt = 2 + 4 * 64 - 1;
    changing('QuorumSealed', (logs) => logs.map((log) => flipped(log, weightAt)));
    await assert.rejects(committeeThrough(proxy.url), { code: 'DA_LOG_INCONSISTENT' });
    const endAt = 2 + 5 * 64 - 1;
    changing('EpochSealed', (logs) => logs.map((log) => flipped(log, endAt)));
    await assert.rejects(committeeThrough(proxy.url), { code: 'DA_LOG_INCONSISTENT' });
    changing('EpochSealed', () => []);
    await assert.rejects(committeeThrough(proxy.url), { code: 'DA_LOG_INCONSISTENT' });
  });

  it('are not made up for an endpoint that cannot be asked', async () => {
    proxy.handle = async (call) =>
      call.method === 'eth_getLogs' ? { status: 500 } : { result: await call.forward() };
    await assert.rejects(committeeThrough(proxy.url), { code: 'CHAIN_UNREACHABLE' });
  });
});

function rangeOf({ params: [filter] }: ProxiedCall): number {
  if (!isRecord(filter)) return 0;
  return Number(filter['toBlock']) - Number(filter['fromBlock']) + 1;
}

function hexOf(value: number): string {
  return `0x${value.toString(16)}`;
}
