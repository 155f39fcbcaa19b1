import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { type EpochHeader, encodeEpochHeader } from '@cairn/attestation';
import { blstBackend } from '@cairn/attestation/native';
import { sortitionAbi } from '@cairn/contracts';
import { bigEndianBytes, chainIdOf, fromHex, parseAddress, toHex } from '@cairn/primitives';
import { Interface } from 'ethers/abi';
import type { ChainClient } from '../src/client/chain-client.ts';
import { Contract } from '../src/da/contract.ts';
import { EpochBook } from '../src/da/epoch-book.ts';
import type { Hub } from '../src/da/open-hub.ts';
import type { SignerBook } from '../src/da/signer-book.ts';

const { signal } = new AbortController();
setMaxListeners(0, signal);
const ADDRESS = parseAddress(`0x${'5e'.repeat(20)}`);
const ABI = new Interface(sortitionAbi);
const CURRENT = 4;
const INFO = ABI.getFunction('epochInfo')?.outputs.map(({ name }) => name) ?? [];

function headerOf(epoch: number): EpochHeader {
  return {
    epoch,
    previous: new Uint8Array(32),
    startSeconds: 1000 * epoch,
    endSeconds: 1000 * epoch + 1000,
    seed: bigEndianBytes(epoch, 32),
    orderRoot: new Uint8Array(32),
    orderCount: 0,
    snapshotHashes: [new Uint8Array(32)],
  };
}

/** A hub in memory that has sealed epochs up to that in office, and counts what it is asked. */
class CountingHub {
  finalNumber = 100;
  /** Every request, by the name of the function or method. */
  readonly asked: string[] = [];
  /** What a header waits for. */
  gate: Promise<void> = Promise.resolve();

  get hub(): Hub {
    const client = {
      callRaw: async ({ data }: { readonly data: Uint8Array }) => this.#reply(data),
      getBlock: async (number: number) => ({ number, hash: toHex(bigEndianBytes(number, 32)) }),
      getLogs: async ({ indexed }: { readonly indexed: string }) => {
        this.asked.push('getLogs');
        await this.gate;
        const topics = [ABI.getEvent('EpochSealed')?.topicHash, indexed];
        const block = { number: 10, hash: toHex(bigEndianBytes(10, 32)) };
        const data = encodeEpochHeader(headerOf(Number(indexed)));
        return [{ address: ADDRESS, topics, data, block }];
      },
    } as unknown as ChainClient;
    const sortition = new Contract(client, ADDRESS, sortitionAbi);
    return {
      client,
      chainId: chainIdOf(31_337),
      network: { hubChainId: chainIdOf(31_337), hub: ADDRESS },
      sortition,
      registry: sortition,
      stakeHub: sortition,
      firstBlock: 0,
      finalBlock: async () => {
        this.asked.push('finalBlock');
        return this.finalNumber;
      },
    };
  }

  count(name: string): number {
    return this.asked.filter((asked) => asked === name).length;
  }

  #reply(data: Uint8Array): Uint8Array {
    const call = ABI.parseTransaction({ data: toHex(data) });
    if (call === null) throw new Error('no such function');
    this.asked.push(call.name);
    const epoch = Number([...call.args][0] ?? 0);
    const { startSeconds, endSeconds, seed } = headerOf(epoch);
    const isSealed = epoch >= 1 && epoch <= CURRENT;
    const info: Readonly<Record<string, unknown>> = {
      startTime: startSeconds,
      endTime: endSeconds,
      seed,
      groups: isSealed ? 1 : 0,
    };
    const results: Readonly<Record<string, readonly unknown[]>> = {
      currentEpoch: [CURRENT],
      startBlock: [50],
      carriesOf: [0],
      snapshotHash: [new Uint8Array(32)],
      epochInfo: INFO.map((name) => info[name] ?? 0),
    };
    const values = results[call.name];
    if (values === undefined) throw new Error(`nothing to say of ${call.name}`);
    return fromHex(ABI.encodeFunctionResult(call.name, values) as `0x${string}`);
  }
}

function bookOf(hub: Hub): EpochBook {
  return new EpochBook({ hub, signers: {} as unknown as SignerBook, backend: blstBackend() });
}

describe('the epoch book', () => {
  it('answers any number of invented epochs with one look at a final block', async () => {
    const counting = new CountingHub();
    const book = bookOf(counting.hub);
    const invented = Array.from({ length: 3000 }, (_, index) => CURRENT + 2 + index);
    const ask = () => Promise.all(invented.map((epoch) => book.sealed(epoch, { signal })));
    assert.ok((await ask()).every((sealed) => sealed === undefined));
    assert.deepEqual(counting.asked, ['finalBlock', 'currentEpoch']);
    await ask();
    assert.deepEqual(counting.asked.slice(2), ['finalBlock'], 'the block said all there is');
    const committee = book.committee({ epoch: 4000, quorumId: 0 }, { signal });
    await assert.rejects(committee, { code: 'DA_EPOCH_UNKNOWN' });
    counting.finalNumber += 1;
    await ask();
    assert.equal(counting.count('currentEpoch'), 2);
  });

  it('does not walk back for an epoch that is beyond the span', async () => {
    const counting = new CountingHub();
    const book = bookOf(counting.hub);
    assert.equal(await book.sealed(1, { signal, span: 3 }), undefined);
    assert.equal(counting.count('getLogs'), 0);
    const kept = await book.sealed(1, { signal });
    assert.ok(kept !== undefined && (await book.sealed(1, { signal, span: 3 })) === kept);
  });

  it('asks once in a final block whether the next epoch is sealed', async () => {
    const counting = new CountingHub();
    const book = bookOf(counting.hub);
    for (let again = 0; again < 3; again += 1) {
      assert.equal(await book.sealed(CURRENT + 1, { signal }), undefined);
    }
    assert.equal(counting.count('epochInfo'), 1);
    counting.finalNumber += 1;
    await book.sealed(CURRENT + 1, { signal });
    assert.equal(counting.count('epochInfo'), 2);
  });

  it('gives what it keeps while others wait for their turn', async () => {
    const counting = new CountingHub();
    const book = bookOf(counting.hub);
    const kept = await book.sealed(3, { signal });
    assert.equal(kept?.header.epoch, 3);
    let open = (): void => undefined;
    counting.gate = new Promise((resolve) => {
      open = resolve;
    });
    const slow = book.sealed(2, { signal });
    const crowd = Array.from({ length: 10 }, () => book.sealed(1, { signal }));
    assert.equal(await book.sealed(3, { signal }), kept);
    const none = book.committee({ epoch: 3, quorumId: 9 }, { signal });
    await assert.rejects(none, { code: 'DA_QUORUM_EMPTY' });
    open();
    assert.equal((await slow)?.header.epoch, 2);
    assert.ok((await Promise.all(crowd)).every((sealed) => sealed?.header.epoch === 1));
  });
});
