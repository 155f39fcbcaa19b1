import assert from 'node:assert/strict';
import {
  type Address,
  type ChainLog,
  parseAddress,
  seededRng,
  silentLogger,
} from '@cairn/primitives';
import type { ChainClient } from '../../src/client/chain-client.ts';
import { createChainLog } from '../../src/log/create-chain-log.ts';
import { Anvil, FIRST_ACCOUNT, hasAnvil, oneSector, testSignal } from '../anvil.ts';
import { followUntil, LogModel } from '../log-model.ts';

const logger = silentLogger();

describe('following the log of a real chain', () => {
  let anvil: Anvil;
  let flow: Address;
  let snapshot: string;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
    flow = (await anvil.deploy()).contracts.flow;
  });
  beforeEach(async () => {
    snapshot = String(await anvil.rpc('evm_snapshot'));
  });
  afterEach(async () => {
    if (snapshot !== undefined) await anvil.rpc('evm_revert', snapshot);
  });
  after(async () => anvil?.stop());

  const open = (client: ChainClient = anvil.client, pageBlocks = 999): Promise<ChainLog> =>
    createChainLog(
      { client, flow, confirmations: 0, pollMs: 5, pageBlocks, logger },
      { signal: testSignal() },
    );
  const headNumber = () => anvil.client.blockNumber({ signal: testSignal() });
  const fresh = async (): Promise<LogModel> => {
    const model = new LogModel();
    const head = await headNumber();
    await followUntil(await open(), model, (_, step) => reaches(step, head), testSignal());
    return model;
  };

  it('hands on history, then what comes, each entry once and in order', async () => {
    const rng = seededRng(1);
    await anvil.submit(flow, [oneSector(rng), oneSector(rng)]);
    await anvil.mine(3);
    const model = new LogModel();
    const following = followUntil(
      await open(),
      model,
      ({ entries }) => entries.length === 5,
      testSignal(),
    );
    await anvil.submit(flow, [oneSector(rng)]);
    await anvil.submit(flow, [oneSector(rng), oneSector(rng)]);
    await following;
    assert.deepEqual(
      model.entries.map(({ sequence }) => sequence),
      [0, 1, 2, 3, 4],
    );
    assert.equal(model.entries[0]?.submitter, FIRST_ACCOUNT);
  });

  it('goes on from known marks without repeating anything', async () => {
    const rng = seededRng(2);
    await anvil.submit(flow, [oneSector(rng)]);
    const model = await fresh();
    await anvil.submit(flow, [oneSector(rng)]);
    await followUntil(await open(), model, ({ entries }) => entries.length === 2, testSignal());
    assert.equal(model.rollbacks, 0);
  });

  it('keeps its distance from the head', async () => {
    const rng = seededRng(3);
    await anvil.submit(flow, [oneSector(rng)]);
    const held = await headNumber();
    const chainLog = await createChainLog(
      { client: anvil.client, flow, confirmations: 3, pollMs: 5, logger },
      { signal: testSignal() },
    );
    const model = new LogModel();
    await followUntil(chainLog, model, (_, step) => reaches(step, held - 3), testSignal());
    assert.equal(model.entries.length, 0);
    await anvil.mine(3);
    await followUntil(chainLog, model, (_, step) => reaches(step, held), testSignal());
    assert.equal(model.entries.length, 1);
    assert.equal(model.marks.at(-1)?.number, held);
  });

  it('reads a long history in pages and small steps', async () => {
    const rng = seededRng(4);
    for (let round = 0; round < 3; round += 1) {
      await anvil.mine(110);
      await anvil.submit(
        flow,
        Array.from({ length: 20 }, () => oneSector(rng)),
      );
    }
    const model = new LogModel();
    const head = await headNumber();
    const chainLog = await open(anvil.client, 100);
    await followUntil(chainLog, model, (_, step) => reaches(step, head), testSignal());
    assert.equal(model.entries.length, 60);
    assert.ok(model.marks.length > 5);
  });

  it('gives the flow root right after an entry, and none for entries to come', async () => {
    await anvil.submit(flow, [oneSector(seededRng(5))]);
    const chainLog = await open();
    const { entries } = await fresh();
    const [entry] = entries;
    assert.ok(entry !== undefined);
    assert.equal((await chainLog.flowRootAt(entry.sequence, { signal: testSignal() }))?.length, 32);
    const next = { ...entry, sequence: entry.sequence + 1 } as typeof entry;
    assert.equal(await chainLog.flowRootAt(next.sequence, { signal: testSignal() }), undefined);
  });

  for (const depth of [1, 2, 5, 12, 32]) {
    it(`unwinds a reorganisation of ${depth} blocks`, async () => {
      const rng = seededRng(depth);
      await anvil.mine(20);
      for (let index = 0; index < 20; index += 1) await anvil.submit(flow, [oneSector(rng)]);
      const model = await fresh();
      await anvil.reorg(depth);
      const head = await headNumber();
      await followUntil(await open(), model, (_, step) => reaches(step, head), testSignal());
      assert.equal(model.rollbacks, 1);
      assert.deepEqual(model.digest(), (await fresh()).digest());
    });
  }

  it('agrees with a fresh follower after any run of submissions and reorganisations', async () => {
    const seed = 20_261_122;
    const rng = seededRng(seed);
    const model = new LogModel();
    await anvil.mine(10);
    for (let round = 0; round < 10; round += 1) {
      if (rng.below(2) === 0) await anvil.reorg(1 + rng.below(6));
      await anvil.mine(1 + rng.below(3));
      // Blocks with transactions last: an empty block may be replaced by one with the same hash.
      for (let index = 1 + rng.below(3); index > 0; index -= 1) {
        await anvil.submit(flow, [oneSector(rng), oneSector(rng)]);
      }
      const head = await headNumber();
      await followUntil(await open(), model, (_, step) => reaches(step, head), testSignal());
      assert.deepEqual(model.digest(), (await fresh()).digest(), `seed ${seed}, round ${round}`);
    }
    assert.ok(model.rollbacks > 0);
  });

  it('starts over when no known mark is on the chain', async () => {
    await anvil.submit(flow, [oneSector(seededRng(6))]);
    const model = new LogModel();
    const foreign = { number: 1, hash: `0x${'ab'.repeat(32)}` as const };
    model.marks = [foreign];
    const head = await headNumber();
    await followUntil(await open(), model, (_, step) => reaches(step, head), testSignal());
    assert.equal(model.rollbacks, 1);
    assert.equal(model.entries.length, 1);
  });

  it('ends with the reason of its signal, and with no other', async () => {
    const stop = new AbortController();
    const model = new LogModel();
    const following = followUntil(await open(), model, () => false, stop.signal);
    await anvil.mine(1);
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(following, (error) => error === reason);
  });

  it('refuses a wrong chain, an empty address and another contract, saying which', async () => {
    const { client } = anvil;
    const signal = testSignal();
    const attempt = (address: Address, chainId = 31_337): Promise<ChainLog> =>
      createChainLog({ client, flow: address, chainId: chainId as never, logger }, { signal });
    await assert.rejects(attempt(flow, 1), {
      code: 'CHAIN_WRONG_ID',
      message: /serves chain 31337, but chain 1 is expected/,
    });
    await assert.rejects(attempt(FIRST_ACCOUNT), { code: 'CHAIN_NO_CONTRACT' });
    const [market] = await client.call(flow, 'function market() view returns (address)', [], {
      signal,
    });
    await assert.rejects(attempt(parseAddress(String(market))), { code: 'CHAIN_WRONG_CONTRACT' });
  });
});

function reaches(step: { readonly kind: string }, head: number): boolean {
  return 'through' in step && (step.through as { readonly number: number }).number >= head;
}
