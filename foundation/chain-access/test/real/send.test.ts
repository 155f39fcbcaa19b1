import assert from 'node:assert/strict';
import { flowAbi } from '@cairn/contracts';
import {
  type Address,
  fromHex,
  type HttpTransport,
  type KeyValueStore,
  memoryKeyValueStore,
  parseAddress,
  seededRng,
  silentLogger,
} from '@cairn/primitives';
import type { ChainClient } from '../../src/client/chain-client.ts';
import { createChainClient } from '../../src/client/create-client.ts';
import { fetchTransport } from '../../src/client/fetch-transport.ts';
import { encodeSubmissions } from '../../src/flow/submission.ts';
import { randomKey } from '../../src/keys/private-key.ts';
import { type LocalSigner, signerFromKey } from '../../src/keys/signer.ts';
import {
  createTransactionSender,
  type TransactionSenderOptions,
} from '../../src/send/create-sender.ts';
import type { TransactionIntent, TransactionSender } from '../../src/send/transaction-sender.ts';
import { Anvil, hasAnvil, oneSector, testSignal } from '../anvil.ts';
import { FaultProxy } from '../fault-proxy.ts';

const SINK: Address = parseAddress(`0x${'00'.repeat(18)}beef`);
const COIN = 10n ** 18n;

describe('sending transactions', () => {
  let anvil: Anvil;
  let snapshot: string;
  let seed = 0;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
  });
  beforeEach(async () => {
    snapshot = String(await anvil.rpc('evm_snapshot'));
  });
  afterEach(async () => {
    if (snapshot === undefined) return;
    await anvil.rpc('evm_setAutomine', true);
    await anvil.rpc('evm_revert', snapshot);
  });
  after(async () => anvil?.stop());

  const account = async (coins = 10n): Promise<LocalSigner> => {
    seed += 1;
    const signer = signerFromKey(randomKey(seededRng(seed)));
    await anvil.rpc('anvil_setBalance', signer.address, `0x${(coins * COIN).toString(16)}`);
    return signer;
  };
  const senderFor = (
    signer: LocalSigner,
    journal: KeyValueStore = memoryKeyValueStore(),
    options: Partial<TransactionSenderOptions> = {},
  ): TransactionSender =>
    createTransactionSender({
      client: anvil.client,
      signer,
      journal,
      chainId: 31_337 as never,
      logger: silentLogger(),
      pollMs: 10,
      finalBlocks: 2,
      ...options,
    });
  const pay = (intent: string, valueWei = COIN): TransactionIntent => ({
    intent,
    to: SINK,
    data: new Uint8Array(),
    valueWei,
  });
  const paid = () => anvil.client.getBalance(SINK, { signal: testSignal() });
  const manual = () => anvil.rpc('evm_setAutomine', false);
  const signal = () => testSignal();
  /** Waits until a transaction waits for its block: it is told of before it is sent. */
  const pooled = async (hash: () => string | undefined): Promise<void> => {
    for (;;) {
      const known = hash();
      const found = known && (await anvil.rpc('eth_getTransactionByHash', known));
      if (typeof found === 'object' && found !== null) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  it('pays once, however often the same intent is sent', async () => {
    const signer = await account();
    const journal = memoryKeyValueStore();
    const first = await senderFor(signer, journal).send(pay('a'), { signal: signal() });
    const sender = senderFor(signer, journal);
    const [second, third] = await Promise.all([
      sender.send(pay('a'), { signal: signal() }),
      sender.send(pay('a'), { signal: signal() }),
    ]);
    assert.equal(second.transactionHash, first.transactionHash);
    assert.equal(third.transactionHash, first.transactionHash);
    assert.equal(await paid(), COIN);
    assert.deepEqual(await sender.openIntents({ signal: signal() }), []);
  });

  it('gives twenty intents at once twenty nonces', async () => {
    const signer = await account(100n);
    const sender = senderFor(signer);
    const receipts = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        sender.send(pay(`intent ${index}`), { signal: signal() }),
      ),
    );
    assert.equal(new Set(receipts.map(({ transactionHash }) => transactionHash)).size, 20);
    assert.equal(await paid(), 20n * COIN);
  });

  it('takes the gas that its caller knows to be enough, and asks for an estimate where it is not', async () => {
    let estimates = 0;
    const client: ChainClient = {
      ...anvil.client,
      estimateGas: (...args) => {
        estimates += 1;
        return anvil.client.estimateGas(...args);
      },
    };
    const sender = senderFor(await account(), memoryKeyValueStore(), { client });
    const limits: bigint[] = [];
    for (const enoughGas of [50_000n, 21_000n - 1n]) {
      const intent = { ...pay(`with ${enoughGas}`), enoughGas };
      const { transactionHash } = await sender.send(intent, { signal: signal() });
      const sent = (await anvil.rpc('eth_getTransactionByHash', transactionHash)) as {
        gas: string;
      };
      limits.push(BigInt(sent.gas));
    }
    assert.equal(limits[0], 50_000n);
    assert.ok((limits[1] ?? 0n) > 21_000n);
    assert.equal(estimates, 1);
  });

  it('pays once when the process dies at any call or journal write', async () => {
    // Counts the steps of a whole payment, then dies at each of them, before and after it.
    let steps = 0;
    const whole = await crashing(() => {
      steps += 1;
    });
    await whole.run();
    assert.ok(steps > 8, `${steps} steps`);
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= steps; at += 1) {
        const before = await paid();
        let step = 0;
        const life = await crashing((moment) => {
          if (moment === 'before') step += 1;
          if (step === at && moment === when) throw new Error('the process died');
        });
        await life.run().catch(() => undefined);
        await life.again();
        assert.equal((await paid()) - before, COIN, `died ${when} step ${at}`);
      }
    }

    async function crashing(hook: (moment: 'before' | 'after') => void) {
      const signer = await account();
      const store = memoryKeyValueStore();
      let dead = false;
      const around = async <Result>(work: () => Promise<Result>): Promise<Result> => {
        if (dead) throw new Error('the process is dead');
        try {
          hook('before');
          const result = await work();
          hook('after');
          return result;
        } catch (error) {
          dead = true;
          throw error;
        }
      };
      const inner = fetchTransport();
      const transport: HttpTransport = {
        send: (request) => around(() => inner.send(request)),
        close: () => inner.close(),
      };
      const journal: KeyValueStore = {
        ...store,
        write: (batch, options) => around(() => store.write(batch, options)),
      };
      const client: ChainClient = createChainClient({ rpcUrl: anvil.url, transport, attempts: 1 });
      const end = new AbortController();
      return {
        run: async () => {
          const watch = setInterval(() => {
            if (dead) end.abort(new Error('dead'));
          }, 1);
          try {
            await senderFor(signer, journal, { client, pollMs: 1 }).send(pay('once'), {
              signal: end.signal,
            });
          } finally {
            clearInterval(watch);
          }
        },
        again: () => senderFor(signer, store).send(pay('once'), { signal: signal() }),
      };
    }
  });

  it('raises what it offers while no block takes the transaction', async () => {
    const signer = await account();
    await manual();
    const hashes: string[] = [];
    const sending = senderFor(signer, memoryKeyValueStore(), { raiseFeesMs: 40 }).send(
      pay('slow'),
      {
        signal: signal(),
        onSigned: (hash) => hashes.push(hash),
      },
    );
    while (hashes.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await anvil.mine(1);
    const receipt = await sending;
    assert.ok(hashes.includes(receipt.transactionHash));
    assert.equal(await paid(), COIN);
  });

  it('sends again what the pool forgot', async () => {
    const signer = await account();
    await manual();
    let hash: string | undefined;
    const sending = senderFor(signer, memoryKeyValueStore(), { rebroadcastMs: 30 }).send(
      pay('dropped'),
      {
        signal: signal(),
        onSigned: (value) => {
          hash = value;
        },
      },
    );
    await pooled(() => hash);
    await anvil.rpc('anvil_dropAllTransactions');
    await pooled(() => hash);
    await anvil.mine(1);
    assert.equal((await sending).transactionHash, hash);
  });

  it('signs anew only once a stranger used the nonce in a final block', async () => {
    const signer = await account();
    const journal = memoryKeyValueStore();
    await manual();
    const stop = new AbortController();
    const hashes: string[] = [];
    const options = { onSigned: (hash: string) => hashes.push(hash) };
    const sending = senderFor(signer, journal).send(pay('mine'), {
      signal: stop.signal,
      ...options,
    });
    await pooled(() => hashes[0]);
    stop.abort(new Error('crash'));
    await assert.rejects(sending);
    await anvil.rpc('anvil_dropAllTransactions');
    const foreign = signer.signTransaction({
      chainId: 31_337 as never,
      nonce: 0,
      to: parseAddress(`0x${'77'.repeat(20)}`),
      data: new Uint8Array(),
      valueWei: 1n,
      gasLimit: 21_000n,
      fees: { kind: 'legacy', gasPrice: 5_000_000_000n },
    });
    await anvil.client.sendRawTransaction(foreign.raw, { signal: signal() });
    await anvil.mine(1);
    const again = senderFor(signer, journal).send(pay('mine'), { signal: signal(), ...options });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(hashes.length, 1, 'not final yet');
    await anvil.mine(3);
    await pooled(() => hashes[1]);
    await anvil.mine(1);
    const receipt = await again;
    assert.equal(receipt.transactionHash, hashes[1]);
    assert.equal(await paid(), COIN);
  });

  /** A sender whose endpoint counts nonce 0 as used while no block has it, for so many answers. */
  async function countedEarly(
    answers: number,
    use: (sender: TransactionSender, left: () => number) => Promise<void>,
  ) {
    const signer = await account();
    await anvil.mine(3);
    await manual();
    const proxy = await FaultProxy.start(anvil.url);
    let isSigned = false;
    let left = answers;
    proxy.handle = async ({ method, forward }) => {
      if (method === 'eth_sendRawTransaction') isSigned = true;
      if (method !== 'eth_getTransactionCount' || !isSigned) return { result: await forward() };
      left -= 1;
      return { result: left >= 0 ? '0x1' : await forward() };
    };
    try {
      const client = createChainClient({ rpcUrl: proxy.url });
      await use(senderFor(signer, memoryKeyValueStore(), { client }), () => left);
    } finally {
      await proxy.stop();
    }
  }

  it('looks again where an endpoint counts a nonce before a block has it', async () => {
    await countedEarly(20, async (sender, left) => {
      const sending = sender.send(pay('counted early'), { signal: signal() });
      while (left() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await anvil.mine(1);
      await sending;
    });
    assert.equal(await paid(), COIN);
  });

  it('says that a fate cannot be told where an endpoint stays with it', async () => {
    await countedEarly(Number.POSITIVE_INFINITY, async (sender) => {
      await assert.rejects(sender.send(pay('never told'), { signal: signal() }), {
        code: 'TX_FATE_UNKNOWN',
      });
    });
  });

  it('waits again when a reorganisation takes its block back', async () => {
    const signer = await account();
    await anvil.mine(3);
    const sending = senderFor(signer, memoryKeyValueStore(), { rebroadcastMs: 20 }).send(
      pay('twice'),
      { signal: signal(), confirmations: 3 },
    );
    while ((await paid()) === 0n) await new Promise((resolve) => setTimeout(resolve, 5));
    await anvil.reorg(1);
    while ((await paid()) === 0n) await new Promise((resolve) => setTimeout(resolve, 5));
    await anvil.mine(3);
    await sending;
    assert.equal(await paid(), COIN);
  });

  it('says how much is missing before anything is signed', async () => {
    const signer = await account(1n);
    const sender = senderFor(signer);
    await assert.rejects(sender.send(pay('dear', 5n * COIN), { signal: signal() }), {
      code: 'TX_INSUFFICIENT_FUNDS',
      message: /holds 1 coins, up to 5/,
    });
    assert.deepEqual(await sender.openIntents({ signal: signal() }), []);
  });

  it('refuses another transaction under an intent that is taken', async () => {
    const signer = await account();
    const sender = senderFor(signer);
    await sender.send(pay('taken'), { signal: signal() });
    const other = { ...pay('taken'), data: fromHex('0x01') };
    await assert.rejects(sender.send(other, { signal: signal() }), { code: 'TX_INTENT_CHANGED' });
  });

  it('keeps to its cap', async () => {
    const signer = await account();
    const sender = senderFor(signer, memoryKeyValueStore(), { maxFeePerGasWei: 1n });
    await assert.rejects(sender.send(pay('cheap'), { signal: signal() }), {
      code: 'TX_FEE_ABOVE_CAP',
    });
  });

  it('names the error of a contract that refuses, on trial and in a block', async () => {
    const { flow } = (await anvil.deploy()).contracts;
    const signer = await account();
    const request: TransactionIntent = {
      intent: 'poor',
      to: flow,
      data: encodeSubmissions([oneSector(seededRng(9))]),
      valueWei: 1n,
      errors: [flowAbi],
    };
    await assert.rejects(
      senderFor(signer).send(request, { signal: signal() }),
      (error: unknown) => {
        const { facts } = error as { facts: Record<string, unknown> };
        assert.equal(facts['code'], 'TX_REVERTED');
        assert.equal(facts['errorName'], 'NotEnoughFee');
        assert.deepEqual(facts['errorArgs'], { price: '1000', amount: '1', paid: '1' });
        assert.equal(facts['transactionHash'], undefined);
        return true;
      },
    );
    // The price rises while the transaction waits.
    await manual();
    const journal = memoryKeyValueStore();
    let hash: string | undefined;
    const sending = senderFor(signer, journal).send(
      { ...request, valueWei: 1000n },
      {
        signal: signal(),
        onSigned: (value) => {
          hash = value;
        },
      },
    );
    const outcome = assert.rejects(sending, (error: unknown) => {
      const { facts } = error as { facts: Record<string, unknown> };
      assert.equal(facts['errorName'], 'EnforcedPause');
      assert.ok(String(facts['transactionHash']).startsWith('0x'));
      return true;
    });
    await pooled(() => hash);
    const admin = '0x70997970c51812dc3a010c7d01b50e0d17dc79c8';
    const tip = '0x174876e800';
    const control = async (data: string): Promise<void> => {
      const fees = { maxFeePerGas: '0x2e90edd000', maxPriorityFeePerGas: tip };
      await anvil.rpc('eth_sendTransaction', {
        from: admin,
        to: flow,
        data,
        gas: '0x30d40',
        ...fees,
      });
    };
    await control('0x8456cb59');
    await anvil.mine(1);
    await outcome;
    // Wanted again once it is final: the refused one no longer stands in the way.
    await control('0x3f4ba83a');
    await anvil.mine(3);
    await anvil.rpc('evm_setAutomine', true);
    const receipt = await senderFor(signer, journal).send(
      { ...request, valueWei: 1000n },
      { signal: signal() },
    );
    assert.ok(receipt.succeeded);
  });
});
