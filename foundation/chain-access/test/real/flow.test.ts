import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { flowAbi, SUBMIT_EVENT_TOPIC, SUBMIT_SELECTOR } from '@cairn/contracts';
import {
  type Address,
  fromHex,
  type Hex,
  memoryKeyValueStore,
  parseAddress,
  seededRng,
  sequenceOf,
  silentLogger,
  toHex,
} from '@cairn/primitives';
import { Interface } from 'ethers';
import fc from 'fast-check';
import { selectorOf } from '../../src/client/abi.ts';
import * as fragments from '../../src/flow/abi.ts';
import { openFlow } from '../../src/flow/open-flow.ts';
import { chargedSectors, encodeSubmissions } from '../../src/flow/submission.ts';
import { quoteFee, submitFile, submitFiles } from '../../src/flow/submit-file.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import { decodeSubmit } from '../../src/log/decode-submit.ts';
import { createTransactionSender } from '../../src/send/create-sender.ts';
import { ANVIL_KEYS, Anvil, hasAnvil, oneSector, testSignal } from '../anvil.ts';

const abi = new Interface(flowAbi);
/** Known answers made with the official contracts and clients. */
const VECTORS = new URL('../../../../test/vectors/storage.json', import.meta.url);

describe('submissions', () => {
  it('charge the sum of their nodes, exactly, at any height', () => {
    const root = new Uint8Array(32);
    const nodes = [31, 30, 29].map((height) => ({ root, height }));
    assert.equal(chargedSectors(nodes), 2n ** 31n + 2n ** 30n + 2n ** 29n);
    assert.equal(chargedSectors([{ root, height: 44 }]), 2n ** 44n);
    for (const heights of [[], [1, 1], [1, 2], [45], [-1], [0.5], [9, 8, 7, 6, 5]]) {
      const bad = heights.map((height) => ({ root, height }));
      assert.throws(() => chargedSectors(bad), { code: 'FLOW_NODES' });
    }
  });

  it('are encoded as the contract reads them', () => {
    const rng = seededRng(1);
    const one = oneSector(rng);
    assert.equal(toHex(encodeSubmissions([one])).slice(0, 10), SUBMIT_SELECTOR);
    const { submitCalldataExample: example } = JSON.parse(readFileSync(VECTORS, 'utf8'));
    const words = String(example.calldata);
    const known = {
      sizeBytes: Number(example.size),
      tags: new Uint8Array(),
      nodes: [{ root: fromHex(words.slice(-128, -64)), height: 1 }],
      submitter: parseAddress(example.submitter),
    };
    assert.equal(toHex(encodeSubmissions([known])), words);
    const read = abi.parseTransaction({ data: toHex(encodeSubmissions([one, one])) });
    assert.equal(read?.name, 'batchSubmit');
    assert.throws(() => encodeSubmissions([]), { code: 'FLOW_BATCH_SIZE' });
    assert.throws(() => encodeSubmissions(Array.from({ length: 33 }, () => one)), {
      code: 'FLOW_BATCH_SIZE',
    });
  });

  it('use functions that our contract has', () => {
    const { NUM_SUBMISSIONS, FLOW_ROOT_BY_SEQUENCE, MARKET, TREE, SUBMIT, BATCH_SUBMIT, LOG_ROOT } =
      fragments;
    const reads = [NUM_SUBMISSIONS, FLOW_ROOT_BY_SEQUENCE, MARKET, TREE, LOG_ROOT];
    for (const fragment of [...reads, SUBMIT, BATCH_SUBMIT]) {
      assert.ok(abi.getFunction(selectorOf(fragment)) !== null, fragment);
    }
  });
});

describe('decoding Submit events', () => {
  const event = abi.getEvent('Submit');
  assert.ok(event !== null);
  const submission = fc
    .record({
      sequence: fc.nat(2 ** 31),
      startSector: fc.maxSafeNat(),
      heights: fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 4 }),
      tags: fc.uint8Array({ maxLength: 70 }),
      sender: fc.uint8Array({ minLength: 20, maxLength: 20 }),
    })
    .map((value) => ({ ...value, heights: value.heights.sort((a, b) => b - a) }));
  const logOf = ({ sequence, startSector, heights, tags, sender }: Sample, sizeBytes: number) => {
    const sectors = heights.reduce((sum, height) => sum + 2 ** height, 0);
    const roots = heights.map((height) => new Uint8Array(32).fill(height + 1));
    const encoded = abi.encodeEventLog(event, [
      toHex(sender),
      toHex(new Uint8Array(32)),
      sequence,
      startSector,
      sectors,
      [sizeBytes, toHex(tags), roots.map((root, index) => [toHex(root), heights[index]])],
    ]);
    return {
      address: parseAddress(`0x${'11'.repeat(20)}`),
      topics: encoded.topics as Hex[],
      data: fromHex(encoded.data),
      block: { number: 5, hash: `0x${'22'.repeat(32)}` as const },
      transactionHash: `0x${'33'.repeat(32)}` as const,
      logIndex: 2,
    };
  };

  it('reads what an ABI coder wrote', () => {
    fc.assert(
      fc.property(submission, (sample) => {
        const log = logOf(sample, 1);
        assert.equal(log.topics[0], SUBMIT_EVENT_TOPIC);
        const entry = decodeSubmit(log);
        assert.equal(entry.sequence, sample.sequence);
        assert.equal(entry.startSector, sample.startSector);
        assert.deepEqual(
          entry.nodes.map(({ height }) => height),
          sample.heights,
        );
        assert.deepEqual(
          entry.nodes.map(({ root }) => root[0]),
          sample.heights.map((h) => h + 1),
        );
        assert.deepEqual(entry.tags, sample.tags);
        assert.equal(entry.submitter, toHex(sample.sender));
      }),
      { seed: 7, numRuns: 100 },
    );
  });

  it('never reads past the end or throws anything but its fault', () => {
    fc.assert(
      fc.property(submission, fc.nat(), fc.nat(255), fc.nat(), (sample, at, byte, cut) => {
        const log = logOf(sample, 1);
        const data = log.data.slice(0, log.data.length - (cut % 3 === 0 ? cut % 200 : 0));
        data[at % data.length] = byte;
        try {
          const entry = decodeSubmit({ ...log, data });
          assert.ok(entry.nodes.every(({ root }) => root.length === 32));
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'CHAIN_BAD_LOG');
        }
      }),
      { seed: 8, numRuns: 300 },
    );
  });
});

interface Sample {
  readonly sequence: number;
  readonly startSector: number;
  readonly heights: number[];
  readonly tags: Uint8Array;
  readonly sender: Uint8Array;
}

describe('the flow contract', () => {
  let anvil: Anvil;
  let address: Address;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
    address = (await anvil.deploy()).contracts.flow;
  });
  after(async () => anvil?.stop());
  const open = (flow: Address) => openFlow({ client: anvil.client, flow, signal: testSignal() });
  const sender = (client = anvil.client) =>
    createTransactionSender({
      client,
      signer: signerFromKey(ANVIL_KEYS[0]),
      journal: memoryKeyValueStore(),
      chainId: 31_337 as never,
      logger: silentLogger(),
      pollMs: 10,
    });

  it('takes a file for exactly the quoted fee and says where it is', async () => {
    const signal = testSignal();
    const flow = await open(address);
    const submission = {
      ...oneSector(seededRng(1)),
      sizeBytes: 76_800,
      nodes: [8, 6].map((height) => ({ root: new Uint8Array(32).fill(height), height })),
    };
    const quote = await quoteFee(flow, [submission], { signal });
    assert.deepEqual(quote, { sectors: 320n, pricePerSectorWei: 1000n, feeWei: 320_000n });
    const file = await submitFile({ flow, sender: sender(), submission }, { signal });
    assert.equal(file.sequence, 0);
    assert.equal(file.startSector, 256);
    assert.equal(file.feePaidWei, 320_000n);
    assert.ok(file.gasPaidWei > 0n);
    assert.equal(await flow.numSubmissions({ signal }), 1);
    assert.equal(await flow.flowLength({ signal }), 576);
    assert.equal((await flow.flowRootAt(sequenceOf(0), { signal }))?.length, 32);
    assert.equal((await flow.logRoot({ signal }))?.length, 32);
  });

  it('takes many files in one transaction, in order, and never twice', async () => {
    const signal = testSignal();
    const flow = await open(address);
    const rng = seededRng(2);
    const submissions = Array.from({ length: 8 }, () => oneSector(rng));
    const own = sender();
    const files = await submitFiles({ flow, sender: own, submissions }, { signal });
    assert.equal(new Set(files.map(({ transactionHash }) => transactionHash)).size, 1);
    const first = files[0]?.sequence ?? -1;
    assert.deepEqual(
      files.map(({ sequence }) => sequence - first),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(await submitFiles({ flow, sender: own, submissions }, { signal }), files);
    const again = { signal, intent: 'a second copy' };
    const copies = await submitFiles({ flow, sender: own, submissions }, again);
    assert.equal(copies[0]?.sequence, first + 8);
  });

  it('takes a file also if an epoch begins between the estimate of its gas and its block', async () => {
    const signal = testSignal();
    const own = (await anvil.deploy({ blocksPerEpoch: 20 })).contracts.flow;
    const flow = await open(own);
    const rng = seededRng(3);
    const submit = (client: typeof anvil.client) =>
      submitFile({ flow, sender: sender(client), submission: oneSector(rng) }, { signal });
    await anvil.mine(20);
    await submit(anvil.client); // no epoch is due now
    const late = new Proxy(anvil.client, {
      get: (client, name) => {
        const own: unknown = Reflect.get(client, name);
        if (typeof own !== 'function') return own;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          const result: unknown = await own.apply(client, args);
          if (name === 'estimateGas') await anvil.mine(40); // two epochs are due now
          return result;
        };
      },
    });
    const { sequence } = await submit(late);
    assert.equal(await flow.numSubmissions({ signal }), sequence + 1);
  });

  it('is told from the older generation, from other contracts and from nothing', async () => {
    // A contract that counts submissions, gives a reason only to the old submit, and knows nothing else.
    const old = parseAddress(`0x${'0d'.repeat(20)}`);
    const selectors = [fragments.NUM_SUBMISSIONS, fragments.OLD_SUBMIT].map(selectorOf);
    const [count, submit] = selectors.map((selector) => selector.slice(2));
    const code = `0x5f3560e01c8063${count}14601c578063${submit}146021575f5ffd5b60205ff35b60045ffd`;
    await anvil.rpc('anvil_setCode', old, code);
    await assert.rejects(open(old), (error: unknown) => {
      const { facts } = error as { facts: Record<string, unknown> };
      assert.equal(facts['code'], 'CHAIN_WRONG_CONTRACT');
      assert.equal(facts['generation'], 'old');
      return true;
    });
    const flow = await open(address);
    const market = await flow.market({ signal: testSignal() });
    await assert.rejects(open(market), { code: 'CHAIN_WRONG_CONTRACT' });
    await assert.rejects(open(parseAddress(`0x${'0e'.repeat(20)}`)), { code: 'CHAIN_NO_CONTRACT' });
  });
});
