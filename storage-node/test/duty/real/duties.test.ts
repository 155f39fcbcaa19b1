import assert from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainClient, ChainError } from '@cairn/chain-access';
import {
  readDepositLeft,
  readDutyPayments,
  reportMissedPeriod,
} from '@cairn/chain-access/possession';
import { type Address, isRecord, memoryKeyValueStore } from '@cairn/primitives';
import { hasAnvil, testSignal } from '../../../../foundation/chain-access/test/anvil.ts';
import type { StorageNodeConfig } from '../../../src/config.ts';
import { DutyBook } from '../../../src/duty/duty-book.ts';
import { type TestFile, testFile, until, zgSegment } from '../../harness.ts';
import { MiningNode } from '../../mining/network.ts';
import { DEPOSIT, DutyNetwork, PRICE, PROVIDER_KEYS } from '../network.ts';

const [HONEST, LOSSY, STRANGER] = PROVIDER_KEYS;

const PAST = { through: 7, answered: 2, missed: 1, lastAnswered: 7, lastMissed: 5 };

describe('a storage node that keeps duties of possession, on a real chain', () => {
  let network: DutyNetwork;
  let files: readonly TestFile[];
  let honest: MiningNode;
  let lossy: MiningNode;
  let configs: { readonly honest: StorageNodeConfig; readonly lossy: StorageNodeConfig };
  const duties = { honest: 0, lossy: 0 };
  const options = () => ({ signal: testSignal() });

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await DutyNetwork.start();
    configs = {
      honest: await network.config('honest', HONEST),
      lossy: await network.config('lossy', LOSSY),
    };
    honest = new MiningNode(configs.honest);
    lossy = new MiningNode(configs.lossy);
    await Promise.all([honest.start(), lossy.start()]);
    files = await Promise.all([300_000, 1000, 600_000].map((size, at) => testFile(size, 40 + at)));
    for (const [sequence, file] of files.entries()) {
      await network.base.submit(file);
      for (const node of [honest, lossy]) await node.upload(file, sequence);
    }
    duties.honest = await network.open(HONEST, [0, 2]);
    duties.lossy = await network.open(LOSSY, [0, 1, 2]);
  });

  after(async () => {
    await honest?.stop();
    await lossy?.stop();
    await network?.stop();
  });

  const get = async (node: MiningNode, path: string): Promise<Response> =>
    fetch(`${node.node.address.url}${path}`);
  const health = async (node: MiningNode) => {
    const body: unknown = await (await get(node, '/health/ready')).json();
    assert.ok(isRecord(body) && isRecord(body['facts']));
    const reasons = Array.isArray(body['reasons']) ? body['reasons'].map(String) : [];
    return { isReady: body['ready'] === true, reasons, fact: String(body['facts']['duties']) };
  };
  const measured = async (node: MiningNode, name: string): Promise<number> => {
    const page = await (await get(node, '/metrics')).text();
    const line = page.split('\n').find((text) => text.startsWith(`${name} `));
    return Number(line?.split(' ')[1] ?? Number.NaN);
  };
  const paymentsOf = (key: string): Promise<bigint> =>
    readDutyPayments(network.possession, network.senderOf(key).address, options());
  const untilPaid = (key: string, wei: bigint): Promise<void> =>
    until(async () => (await paymentsOf(key)) >= wei);

  /** Flips a byte in the middle of each segment that a node stored: it finds out when it reads. */
  const rot = async (config: StorageNodeConfig): Promise<void> => {
    const folder = join(config.node.dataDirectory, 'segments');
    for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
      if (!entry.isFile()) continue;
      const handle = await open(join(entry.parentPath, entry.name), 'r+');
      const { size } = await handle.stat();
      for (let at = 500; at < size; at += 1024) await handle.write('rot', at);
      await handle.close();
    }
  };

  /** Sends a file's segments again; what was not found damaged yet is refused as there already. */
  const bringBack = async (node: MiningNode, file: TestFile, sequence: number): Promise<void> => {
    for (let index = 0; index < file.commitment.shape.segments; index += 1) {
      await node.rpc('zgs_uploadSegmentsByTxSeq', [[zgSegment(file, index)], sequence]);
    }
  };

  it('answers each paid period by itself, is paid, and says so', async () => {
    const first = await network.fund(duties.honest, 2);
    for (const period of [first, first + 1]) {
      await network.toSeedOf(period);
      await untilPaid(HONEST, PRICE * BigInt(period - first + 1));
    }
    await network.pastWindowOf(first + 1);
    await until(async () => (await health(honest)).fact.includes('2 periods answered, 0 missed'));
    const { isReady, reasons, fact } = await health(honest);
    assert.ok(isReady);
    assert.deepEqual(reasons, []);
    assert.match(fact, /^keeps 1 duty of 2 files in period \d+, none due; 2 periods answered/);
    assert.equal(await measured(honest, 'cairn_duty_periods_total{result="answered"}'), 2);
    assert.equal(await measured(honest, 'cairn_duty_pay_wei_total'), Number(2n * PRICE));
    assert.equal(await measured(honest, 'cairn_duty_deposit_wei'), Number(DEPOSIT));
    assert.equal(await measured(honest, 'cairn_duty_missing_segments'), 0);
    assert.equal(await measured(honest, 'cairn_duty_state{state="keeping"}'), 1);
  });

  it('goes on where it was after a restart', async () => {
    await honest.stop();
    const first = await network.fund(duties.honest, 1);
    honest = new MiningNode(configs.honest);
    await honest.start();
    await network.toSeedOf(first);
    await untilPaid(HONEST, 3n * PRICE);
    await network.pastWindowOf(first);
    await until(async () => (await health(honest)).fact.includes('3 periods answered, 0 missed'));
  });

  it('names what it lacks before and in the window, and loses stake for what it lost', async () => {
    const first = await network.fund(duties.lossy, 2);
    await lossy.stop();
    await rot(configs.lossy);
    lossy = new MiningNode(configs.lossy);
    await lossy.start();
    await network.toSeedOf(first);
    await until(async () =>
      (await health(lossy)).reasons.some((reason) => reason.includes('is not held here')),
    );
    const { isReady, reasons } = await health(lossy);
    assert.ok(isReady, 'it still serves what it has');
    const [reason = ''] = reasons;
    assert.match(
      reason,
      /^period \d+ of duty 1 is not answered, \d+ blocks are left: segment \d+ of log entry \d+, of which sector \d+ is drawn, is not held here$/,
    );
    assert.equal(await measured(lossy, 'cairn_duty_due_periods'), 1);
    assert.ok((await measured(lossy, 'cairn_duty_window_left_ratio')) <= 1);
    assert.ok((await measured(lossy, 'cairn_duty_answer_failures_total')) > 0);
    // Found damaged in the window; the next period's look counts what is not here.
    await network.pastWindowOf(first);
    await until(async () => (await health(lossy)).fact.includes('0 periods answered, 1 missed'));

    const { possession, payer } = network;
    const provider = network.senderOf(LOSSY).address;
    const report = { id: duties.lossy, span: 0, period: first };
    await reportMissedPeriod({ possession, sender: payer }, report, options());
    const left = await readDepositLeft(possession, duties.lossy, provider, options());
    assert.equal(DEPOSIT - left, DEPOSIT / 10n);
    assert.equal(await paymentsOf(LOSSY), 0n);

    await network.toSeedOf(first + 1);
    await until(async () => (await measured(lossy, 'cairn_duty_missing_segments')) > 0);
    await until(async () => (await measured(lossy, 'cairn_duty_deposit_wei')) === Number(left));
    const told = (await health(lossy)).reasons.join('\n');
    assert.match(told, /duty 1 is of \d+ segments that are not held here/);
    assert.match(told, new RegExp(`period ${first} of duty 1 was missed`));
    assert.equal(await paymentsOf(HONEST), 3n * PRICE, 'nothing of it concerns the other');
  });

  it('answers within the window once the bytes are back', async () => {
    const first = await network.fund(duties.lossy, 1);
    await network.toSeedOf(first);
    await until(async () => {
      for (const [sequence, file] of files.entries()) await bringBack(lossy, file, sequence);
      return (await paymentsOf(LOSSY)) >= PRICE;
    });
    // The chain knows of it before the node has looked again.
    await until(
      async () => !(await health(lossy)).reasons.some((reason) => reason.includes('not answered')),
    );
  });

  it('finds its duties in pages that the endpoint takes, and then asks for new blocks only', async () => {
    const asked: (readonly [from: number, to: number])[] = [];
    const { possession } = network;
    const client: ChainClient = {
      ...network.client,
      getLogs: async (filter, given) => {
        const { fromBlock, toBlock } = filter;
        if (toBlock - fromBlock >= 50) {
          const facts = { code: 'CHAIN_LOG_RANGE', fromBlock, toBlock, rpcMessage: 'no' } as const;
          throw new ChainError(facts, 'the range is too long');
        }
        asked.push([fromBlock, toBlock]);
        return network.client.getLogs(filter, given);
      },
    };
    const slow = { ...possession, client };
    const kv = memoryKeyValueStore();
    const contract = possession.contract.address;
    const provider = network.senderOf(LOSSY).address;
    const openBook = (who: Address) => DutyBook.open(kv, { contract, provider: who }, testSignal());
    const toBlock = await network.client.blockNumber(options());
    const book = await openBook(provider);
    await book.readUpTo(slow, { toBlock, pageBlocks: 999 }, testSignal());
    assert.deepEqual([...book.sets], [[duties.lossy, [0, 1, 2]]]);
    assert.ok(asked.length > 2, `${asked.length} pages`);
    assert.equal(asked[0]?.[0], possession.terms.firstBlock);

    asked.length = 0;
    await network.base.anvil.mine(3);
    const again = await openBook(provider);
    assert.deepEqual([...again.sets], [...book.sets]);
    await again.readUpTo(slow, { toBlock: toBlock + 3, pageBlocks: 999 }, testSignal());
    assert.deepEqual(asked, [[toBlock + 1, toBlock + 3]]);

    await again.notePast(duties.lossy, PAST);
    assert.deepEqual(await (await openBook(provider)).pastOf(duties.lossy), PAST);
    const other = await openBook(network.payer.address);
    assert.equal(other.sets.size, 0);
    assert.equal(other.throughBlock, undefined);
    assert.equal(await other.pastOf(duties.lossy), undefined);
  });

  it('says by name that it cannot reach the contract, and stores on', async () => {
    const config = await network.config('stranger', STRANGER);
    const { duty } = config;
    assert.ok(duty !== undefined);
    const { flow } = network.base.deployment.contracts;
    const node = new MiningNode({ ...config, duty: { ...duty, contract: flow } });
    await node.start();
    try {
      await until(async () => {
        const { isReady, fact } = await health(node);
        return isReady && fact.includes('it cannot go on');
      });
      const { reasons } = await health(node);
      assert.match(reasons.join('\n'), /duties are not kept \(CHAIN_WRONG_CONTRACT\)/);
    } finally {
      await node.stop();
    }
  });
});
