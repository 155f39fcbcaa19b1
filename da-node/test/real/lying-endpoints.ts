import assert from 'node:assert/strict';
import { createChainClient } from '@cairn/chain-access';
import { LightChain } from '@cairn/light-client/chain';
import { isFault, isRecord, toHex } from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS } from '../../../foundation/chain-access/test/da-network.ts';
import { FaultProxy } from '../../../foundation/chain-access/test/fault-proxy.ts';
import type { BlobRecord } from '../../src/disperser/blob-record.ts';
import type { ShardWorld } from './shard-world.ts';

const options = () => ({ signal: testSignal() });
type Lie = (result: unknown) => unknown;

/** What a light client refuses of two endpoints, each of which lies in its own way about a blob of the shard. */
export async function assertLiesAreRefused(
  { network }: ShardWorld,
  { batch, certificate, order }: BlobRecord,
): Promise<void> {
  assert.ok(batch !== undefined && certificate !== undefined && order !== undefined);
  const hub = await FaultProxy.start(network.hub.anvil.url);
  const shard = await FaultProxy.start(network.anvil.url);
  const open = (witnesses: readonly string[] = []) => {
    const place = { entrance: network.entrance.domain.address, finality: 2, backend: BLS };
    const [client, hubClient] = [shard, hub].map(({ url }) => createChainClient({ rpcUrl: url }));
    assert.ok(client !== undefined && hubClient !== undefined);
    const others = witnesses.map((rpcUrl) => createChainClient({ rpcUrl }));
    return LightChain.open({ ...place, client, hubClient, witnesses: others }, options());
  };
  const isCounted = async (chain: LightChain): Promise<boolean> => {
    const leaf = { root: batch.root, leafIndex: batch.leafIndex };
    return chain.isCounted(leaf, await chain.finalBlock(options()), options());
  };
  const anchor = async (chain: LightChain) =>
    chain.anchorAt((await chain.finalBlock(options())).hash, options());
  const { commitment } = order.header;
  const find = async (chain: LightChain) => chain.findBlob(commitment, options());
  try {
    const honest = await open([network.hub.anvil.url, network.anvil.url]);
    assert.ok(await isCounted(honest));
    const { header } = await anchor(honest);
    assert.ok(header.epoch >= order.epoch);
    const found = await find(honest);
    assert.deepEqual(found?.header.commitment, commitment);

    const cases: readonly [FaultProxy, string, Lie, (chain: LightChain) => unknown, string][] = [
      [hub, 'eth_getProof', withAnotherNode, anchor, 'CHAIN_BAD_PROOF'],
      [hub, 'eth_getBlockByHash', withAnotherState, anchor, 'CHAIN_BAD_REPLY'],
      [hub, 'eth_getBlockByNumber', withAnotherHash, anchor, 'TRUST_WITNESS_DIFFERS'],
      [hub, 'eth_getLogs', withoutTheFirst, anchor, 'DA_LOG_INCONSISTENT'],
      [shard, 'eth_getProof', withAnotherNode, isCounted, 'CHAIN_BAD_PROOF'],
      [shard, 'eth_getBlockByHash', withAnotherState, isCounted, 'CHAIN_BAD_REPLY'],
      [shard, 'eth_getBlockByNumber', withAnotherHash, isCounted, 'TRUST_WITNESS_DIFFERS'],
    ];
    for (const [proxy, method, lie, ask, code] of cases) {
      const chain = await open([network.hub.anvil.url, network.anvil.url]);
      proxy.handle = async (call) => {
        const result = await call.forward();
        return { result: call.method === method ? lie(result) : result };
      };
      const asked = Promise.resolve(ask(chain));
      const outcome = await asked.then(
        () => 'it was believed',
        (error: unknown) => error,
      );
      assert.ok(isFault(outcome, code), `${method}: ${code} expected, ${outcome}`);
      proxy.handle = undefined;
    }

    // The shard's endpoint tells another header in the call that had the batch confirmed, or ordered.
    const digits = toHex(commitment).slice(2);
    shard.handle = async (call) => {
      const result = await call.forward();
      const text = JSON.stringify(result).replaceAll(digits, 'ab'.repeat(32));
      return { result: JSON.parse(text) };
    };
    const lied = await open();
    assert.equal(await find(lied), undefined);
    const made = new Uint8Array(32).fill(0xab);
    assert.equal(await lied.findBlob(made, options()), undefined, 'nor is what it made up');
  } finally {
    await hub.stop();
    await shard.stop();
  }
}

function withAnotherNode(result: unknown): unknown {
  assert.ok(isRecord(result) && Array.isArray(result['storageProof']));
  const [first, ...rest] = result['storageProof'] as { proof: string[] }[];
  assert.ok(first !== undefined);
  const proof = first.proof.map((node) =>
    node.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')),
  );
  return { ...result, storageProof: [{ ...first, proof }, ...rest] };
}

function withAnotherState(result: unknown): unknown {
  return isRecord(result) ? { ...result, stateRoot: `0x${'11'.repeat(32)}` } : result;
}

function withAnotherHash(result: unknown): unknown {
  return isRecord(result) ? { ...result, hash: `0x${'22'.repeat(32)}` } : result;
}

function withoutTheFirst(result: unknown): unknown {
  return Array.isArray(result) ? result.slice(1) : result;
}
