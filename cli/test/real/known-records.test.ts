import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ChainClient, ChainError, signerFromKey } from '@cairn/chain-access';
import { deployContracts } from '@cairn/chain-access/deploy';
import { PossessionError, readLogRecords } from '@cairn/chain-access/possession';
import { loadHasher, type SubmissionRecord } from '@cairn/commitments';
import { type Address, silentLogger } from '@cairn/primitives';
import {
  ANVIL_KEYS,
  Anvil,
  FIRST_ACCOUNT,
  hasAnvil,
  testSignal,
} from '../../../foundation/chain-access/test/anvil.ts';
import { testFile } from '../../../storage-node/test/harness.ts';
import { KnownRecords } from '../../src/known-records.ts';

/** Blocks of a page that the endpoint takes. */
const MOST_BLOCKS = 16;
const FINALITY = 4;

describe('records of a log that a command remembers', () => {
  let anvil: Anvil;
  let flow: Address;
  let folder: string;
  let path: string;
  let asked: { fromBlock: number; toBlock: number }[];
  let client: ChainClient;
  const options = () => ({ signal: testSignal() });

  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
    const signer = signerFromKey(ANVIL_KEYS[1]);
    const params = { pricePerSectorWei: 1000n, blocksPerEpoch: 40 };
    const place = { client: anvil.client, signer, params, logger: silentLogger(), pollMs: 10 };
    ({ flow } = (await deployContracts(place, options())).contracts);
    await loadHasher();
    folder = await mkdtemp(join(tmpdir(), 'cairn-records-'));
    client = {
      ...anvil.client,
      getLogs: async (filter, given) => {
        const { fromBlock, toBlock } = filter;
        if (toBlock - fromBlock + 1 > MOST_BLOCKS) {
          const facts = { code: 'CHAIN_LOG_RANGE', fromBlock, toBlock, rpcMessage: 'no' } as const;
          throw new ChainError(facts, 'the range is too long');
        }
        asked.push({ fromBlock, toBlock });
        return anvil.client.getLogs(filter, given);
      },
    };
  });

  after(async () => {
    await anvil?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  beforeEach(() => {
    asked = [];
    path = join(folder, 'log.records');
  });

  const submit = async (count: number, seed: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const { commitment } = await testFile(1000 + index, seed + index);
      const { shape, nodes } = commitment;
      const { sizeBytes } = shape;
      await anvil.submit(flow, [
        { sizeBytes, tags: new Uint8Array(), nodes, submitter: FIRST_ACCOUNT },
      ]);
      await anvil.mine(9);
    }
  };
  const known = (): KnownRecords =>
    new KnownRecords({ client, flow, finalityBlocks: FINALITY, path });
  const head = () => anvil.client.blockNumber(options());
  const all = async (): Promise<readonly SubmissionRecord[]> =>
    readLogRecords(anvil.client, flow, { fromBlock: 0, toBlock: await head() }, options());

  it('are read in pages that the endpoint takes, and only what is new the next time', async () => {
    await submit(6, 10);
    assert.deepEqual(await known().upTo(await head(), options()), await all());
    assert.ok(asked.length > 3, `${asked.length} pages`);
    const before = await head();
    asked = [];
    await submit(2, 50);
    assert.deepEqual(await known().upTo(await head(), options()), await all());
    assert.ok(asked.every(({ fromBlock }) => fromBlock > before - FINALITY - 1));
  });

  it('are read again from where a line was cut off, or from the beginning', async () => {
    await submit(1, 90);
    await known().upTo(await head(), options());
    const sound = await readFile(path, 'utf8');
    await appendFile(path, '{"through":99999,"records":"AAAA');
    assert.deepEqual(await known().upTo(await head(), options()), await all());
    assert.ok((await readFile(path, 'utf8')).startsWith(sound));
    await writeFile(path, 'something else\n');
    assert.deepEqual(await known().upTo(await head(), options()), await all());
  });

  it('are forgotten when they turn out to be of another log', async () => {
    await known().upTo(await head(), options());
    const facts = {
      code: 'POSSESSION_OTHER_LOG',
      records: 1,
      expected: '0x',
      actual: '0x',
    } as const;
    const work = async () => {
      throw new PossessionError(facts, 'another log');
    };
    await assert.rejects(known().trust(work), { code: 'POSSESSION_OTHER_LOG' });
    await assert.rejects(readFile(path), { code: 'ENOENT' });
  });
});
