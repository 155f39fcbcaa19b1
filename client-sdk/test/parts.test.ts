import assert from 'node:assert/strict';
import { type ChainClient, ChainError } from '@cairn/chain-access';
import { loadHasher } from '@cairn/commitments';
import { memoryFileSource, prepareFile } from '@cairn/log-layer';
import {
  isFault,
  memoryKeyValueStore,
  parseAddress,
  parseRoot,
  sequenceOf,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import { RpcError } from '@cairn/wire-protocol';
import { chainEntryCheck } from '../src/check-entry.ts';
import { quoteOf } from '../src/cost.ts';
import { intentOf } from '../src/pay-files.ts';
import { recallUpload } from '../src/prepare-upload.ts';
import { blobSource, joinSources, readFromStream } from '../src/sources.ts';
import { uploadJournal } from '../src/upload-journal.ts';
import { outcomeOfRefusal } from '../src/zg-door.ts';
import { aperiodicBytes, CHAIN } from './support/fake-network.ts';

const { signal } = new AbortController();
const flow = parseAddress(`0x${'f1'.repeat(20)}`);

describe('cost', () => {
  it('charges padded sectors and shows what is padding', () => {
    const quote = quoteOf([262_145, 256], { pricePerSectorWei: 2n, gas: 10n, gasPriceWei: 5n });
    assert.equal(quote.chargedSectors, 1153);
    assert.equal(quote.sectors, 1026);
    assert.equal(quote.paddingBytes, 1153 * 256 - 262_401);
    assert.equal(quote.feeWei, 2306n);
    assert.equal(quote.totalWei, 2356n);
    assert.deepEqual(
      quote.fragments.map(({ chargedSectors }) => chargedSectors),
      [1152, 1],
    );
    assert.equal(quote.transactions, 1);
    assert.equal(quoteOf(Array(33).fill(1), { pricePerSectorWei: 1n }).transactions, 2);
  });

  it('is exact beyond 2^31 sectors', () => {
    const { feeWei } = quoteOf([2 ** 41], { pricePerSectorWei: 30_733_644_962n });
    assert.equal(feeWei, 2n ** 33n * 30_733_644_962n);
  });
});

describe('payment intents', () => {
  it('are the same for the same payment only, and short enough for the sender', () => {
    const chain = { chainId: CHAIN, flow };
    const [one, two] = ['1', '2'].map((digit) => ({
      root: parseRoot(`0x${digit.repeat(64)}`),
      sizeBytes: 3,
    }));
    assert.ok(one !== undefined && two !== undefined);
    const none = new Uint8Array(0);
    const intents = [
      intentOf(chain, [one], none, undefined),
      intentOf(chain, [two], none, undefined),
      intentOf(chain, [one, two], none, undefined),
      intentOf(chain, [{ ...one, sizeBytes: 4 }], none, undefined),
      intentOf(chain, [two, one], none, undefined),
      intentOf(chain, [one], Uint8Array.of(1), undefined),
      intentOf(chain, [one], none, 'again'),
      intentOf({ ...chain, flow: parseAddress(`0x${'f2'.repeat(20)}`) }, [one], none, undefined),
    ];
    assert.equal(new Set(intents).size, intents.length);
    assert.equal(intents[0], intentOf(chain, [one], none, undefined));
    for (const intent of intents) assert.ok(intent.length <= 200);
  });
});

describe('upload journal', () => {
  it('gives back what was put, and the tree with it', async () => {
    const hasher = await loadHasher();
    const source = memoryFileSource(aperiodicBytes(600_000));
    const prepared = await prepareFile(source, { hasher, signal });
    const store = memoryKeyValueStore();
    const journal = uploadJournal(store);
    const seed = new Uint8Array(32).fill(3);
    await journal.put('k', { plainBytes: 600_000, seed, files: [prepared] });
    const record = await journal.get('k');
    assert.deepEqual(record?.seed, seed);
    const [file] = record?.files ?? [];
    assert.ok(file !== undefined);
    const recalled = recallUpload(source, file, { hasher }, false);
    assert.equal(recalled?.root, prepared.root);
    assert.deepEqual(recalled?.tree.proofAt(1), prepared.tree.proofAt(1));
    const other = { ...file, segmentRoots: file.segmentRoots.slice().fill(1, 0, 1) };
    assert.equal(recallUpload(source, other, { hasher }, false), undefined);
    assert.equal(
      recallUpload(memoryFileSource(aperiodicBytes(5)), file, { hasher }, false),
      undefined,
    );
    await journal.delete('k');
    assert.equal(await journal.get('k'), undefined);
  });

  it('names what is wrong with a damaged record', async () => {
    const store = memoryKeyValueStore();
    const journal = uploadJournal(store);
    await journal.put('k', { plainBytes: 1, files: [] });
    const keys: Uint8Array[] = [];
    for await (const [key] of store.entries({}, { signal })) keys.push(key);
    const [key] = keys;
    assert.ok(key !== undefined);
    for (const text of [
      '',
      'null',
      '{}',
      '{"version":2}',
      '{"version":1,"plainBytes":-1,"files":[]}',
      '{"version":1,"plainBytes":1,"files":[{}]}',
    ]) {
      await store.write([{ type: 'put', key, value: new TextEncoder().encode(text) }]);
      await assert.rejects(journal.get('k'), (error) => isFault(error, 'SDK_JOURNAL'), text);
    }
  });
});

describe("a 0G node's refusals", () => {
  const refusal = (rpcMessage: string, rpcData?: string): RpcError =>
    new RpcError({ code: 'RPC_ERROR', rpcCode: -32000, rpcMessage, rpcData }, rpcMessage);

  it('are told apart by the words its own clients match', () => {
    const cases = [
      ['complete', refusal('Invalid params: root', 'already uploaded and finalized')],
      ['stored', refusal('segment has already been uploaded or is being uploaded')],
      ['later', refusal('too many data writing: 16')],
      ['later', refusal('Transaction reverted, please upload again')],
      [undefined, refusal('root mismatch, 0x… 0x…')],
      [undefined, new Error('too many data writing')],
    ] as const;
    for (const [outcome, error] of cases) assert.equal(outcomeOfRefusal(error), outcome);
  });
});

describe('checking an entry on the chain', () => {
  const nodes = [{ height: 1, root: new Uint8Array(32).fill(1) }];
  const word = (value: number): string => value.toString(16).padStart(64, '0');
  const event = (sequence: number, sizeBytes: number): unknown => ({
    data: `0x${word(sequence)}${word(4)}${word(2)}${word(128)}${word(sizeBytes)}${word(96)}${word(128)}`,
  });
  const check = async (logs: unknown, sizeBytes: number): Promise<boolean | undefined> => {
    const client = {
      clock: systemClock(),
      async rpc(method: string, params: readonly unknown[]) {
        assert.equal(method, 'eth_getLogs');
        assert.match(JSON.stringify(params), /"topics":\["0x[0-9a-f]{64}",null,"0x[0-9a-f]{64}"\]/);
        if (logs instanceof Error) throw logs;
        return logs;
      },
    };
    const ask = chainEntryCheck(client as unknown as ChainClient, flow, silentLogger());
    return ask({ sequence: sequenceOf(9), sizeBytes, nodes }, { signal });
  };

  it('believes the event with the same nodes, and nothing else', async () => {
    assert.equal(await check([event(3, 300), event(9, 300)], 300), true);
    assert.equal(await check([event(9, 301)], 300), false);
    assert.equal(await check([event(8, 300)], 300), false);
    assert.equal(await check([], 300), false);
    assert.equal(await check([{ data: '0x12' }, 5, null], 300), false);
  });

  it('knows nothing when the endpoint refuses', async () => {
    const refused = new ChainError(
      { code: 'CHAIN_BAD_REPLY', method: 'eth_getLogs', reason: 'range' },
      'too wide',
    );
    assert.equal(await check(refused, 300), undefined);
  });
});

describe('sources', () => {
  it('read blobs and joined parts at any place', async () => {
    const bytes = aperiodicBytes(700_000);
    const blob = blobSource(new Blob([new Uint8Array(bytes.subarray(0, 300_000))]));
    const whole = joinSources([blob, memoryFileSource(bytes.subarray(300_000))]);
    assert.equal(whole.sizeBytes, 700_000);
    assert.deepEqual(await whole.read(299_990, 20, { signal }), bytes.subarray(299_990, 300_010));
    assert.deepEqual(await whole.read(0, 700_000, { signal }), bytes);
  });

  it('notice a source that gives another number of bytes than it should', async () => {
    for (const size of [3, 5]) {
      const source = {
        async *stream() {
          yield new Uint8Array(2);
          yield new Uint8Array(size - 2);
        },
      };
      await assert.rejects(readFromStream(source, 0, 4, { signal }), (error) =>
        isFault(error, 'SDK_SOURCE_CHANGED'),
      );
    }
  });
});
