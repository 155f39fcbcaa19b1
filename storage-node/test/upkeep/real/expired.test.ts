import { deepEqual, equal, ok } from 'node:assert/strict';
import {
  createTransactionSender,
  openFileFees,
  renewSectors,
  signerFromKey,
} from '@cairn/chain-access';
import { memoryKeyValueStore, silentLogger } from '@cairn/primitives';
import {
  ANVIL_KEYS,
  hasAnvil,
  testSignal,
} from '../../../../foundation/chain-access/test/anvil.ts';
import { type TestFile, testFile, until } from '../../harness.ts';
import { MiningNetwork, MiningNode } from '../../mining/network.ts';

/** A term of the network's reward contract, and how long after its end files are given up here. */
const TERM = 1000;
const AFTER = 500;
const DAY = 86_400;

describe('files that nobody pays for any more', () => {
  let network: MiningNetwork;
  let node: MiningNode;
  let files: readonly TestFile[];
  /** First sectors of the files. */
  let starts: number[];

  before(async function () {
    if (!hasAnvil) this.skip();
    // The chain's clock is behind ours, so that it can be moved on.
    const begun = Math.floor(Date.now() / 1000) - 30 * DAY;
    network = await MiningNetwork.start('--timestamp', String(begun));
    // Two pricing chunks each, the last one within a chunk that is not full.
    files = await Promise.all(
      [1, 2, 3, 4, 5].map((seed) => testFile(seed < 5 ? 500_000 : 900, seed)),
    );
    for (const file of files) await network.submit(file);
    const { storage, ...config } = await network.config('keeps');
    node = new MiningNode({
      ...config,
      mining: undefined,
      storage: { ...storage, pruneExpiredSeconds: AFTER },
    });
    await node.start();
    for (const [sequence, file] of files.entries()) await node.upload(file, sequence);
    const infos = await Promise.all(files.map((_, at) => node.rpc('zgs_getFileInfoByTxSeq', [at])));
    starts = infos.map(({ result }) => Number(result.tx.startEntryIndex));
  });
  after(async () => {
    await node?.stop();
    await network?.stop();
  });

  async function renew(startSector: number, sectors: number, terms: number): Promise<void> {
    const { client } = network.anvil;
    const signal = testSignal();
    const fees = await openFileFees(client, network.deployment.contracts.flow, { signal });
    ok(fees !== undefined);
    const sender = createTransactionSender({
      client,
      signer: signerFromKey(ANVIL_KEYS[1]),
      journal: memoryKeyValueStore(),
      chainId: await client.chainId({ signal }),
      logger: silentLogger(),
      pollMs: 10,
    });
    await renewSectors({ fees, sender }, { startSector, sectors }, terms, { signal });
  }

  /** Moves the chain's clock, and lets the node look at once by a start. */
  async function later(seconds: number): Promise<void> {
    await network.anvil.rpc('evm_increaseTime', seconds);
    await network.anvil.mine(1);
    await node.stop();
    await node.start();
    await until(async () => expired().lookedAt !== null && expired().stage === 'done');
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into replies of many shapes
  const expired = (): any => Reflect.get(Object(node.node.upkeep.statusJson()), 'expired');

  /** Which files are given up; the others are served whole. */
  async function givenUp(): Promise<boolean[]> {
    const states: boolean[] = [];
    for (const [sequence, file] of files.entries()) {
      const { result: info } = await node.rpc('zgs_getFileInfoByTxSeq', [sequence]);
      const sectors = Math.ceil(Math.min(262_144, file.bytes.length) / 256);
      const args = [sequence, 0, sectors];
      const { result } = await node.rpc('zgs_downloadSegmentByTxSeq', args);
      const isServed = typeof result === 'string';
      if (isServed) {
        const bytes = Buffer.from(result, 'base64').subarray(0, file.bytes.length);
        ok(bytes.equals(file.bytes.subarray(0, bytes.length)));
      }
      equal(info.pruned, !isServed);
      equal(info.finalized, isServed, `file ${sequence}`);
      states.push(info.pruned);
    }
    return states;
  }

  it('stay while their time lasts, and for so long after it', async () => {
    await until(async () => expired().lookedAt !== null);
    deepEqual(await givenUp(), [false, false, false, false, false]);
    await later(TERM + AFTER - 100);
    deepEqual(await givenUp(), [false, false, false, false, false]);
    equal(expired().files, 0);
  });

  it('are given up by themselves: what anybody renewed stays, though only some sectors of it', async () => {
    await renew(starts[1] ?? 0, 2048, 6);
    await renew((starts[2] ?? 0) + 64, 16, 3);
    const used = async (): Promise<number> => {
      await node.node.upkeep.budget.look();
      return node.node.upkeep.budget.usedBytes;
    };
    const before = await used();
    await later(200);
    deepEqual(await givenUp(), [true, false, false, true, false]);
    equal(expired().files, 2);
    ok((await used()) < before - 3 * 262_144, 'their room is free again');
  });

  it('are given up once what was renewed is over as well', async () => {
    // Renewed when their first term was over: they are paid for to the end of the third term after it.
    await later(2 * TERM);
    equal((await givenUp())[2], false);
    await later(TERM);
    deepEqual(await givenUp(), [true, false, true, true, false]);
    await later(20 * TERM);
    deepEqual(await givenUp(), [true, true, true, true, false]);
    equal(expired().files, 4);
  });
});
