import assert from 'node:assert/strict';
import {
  type Address,
  type ChainLog,
  type LogFields,
  type Logger,
  seededRng,
  silentLogger,
  systemClock,
} from '@cairn/primitives';
import { createChainClient } from '../../src/client/create-client.ts';
import { createChainLog } from '../../src/log/create-chain-log.ts';
import { Anvil, fastClock, hasAnvil, oneSector, testSignal } from '../anvil.ts';
import { FaultProxy, type ProxiedCall, type ProxyReply } from '../fault-proxy.ts';
import { followUntil, LogModel } from '../log-model.ts';

const ENTRIES = 30;
/** Two minutes on the clock of these tests, which runs twenty times as fast. */
const PATIENCE_MS = 20 * 120_000;

describe('following the log through an endpoint with faults', () => {
  let anvil: Anvil;
  let proxy: FaultProxy;
  let flow: Address;
  let head: number;
  let expected: readonly string[];
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start();
    flow = (await anvil.deploy()).contracts.flow;
    const rng = seededRng(11);
    for (let index = 0; index < ENTRIES; index += 2) {
      await anvil.submit(flow, [oneSector(rng), oneSector(rng)]);
      if (index % 10 === 0) await anvil.mine(12);
    }
    await anvil.mine(5);
    head = await anvil.client.blockNumber({ signal: testSignal() });
    const model = new LogModel();
    await followUntil(await open(anvil.url), model, atHead, testSignal());
    expected = model.digest();
    assert.equal(expected.length, ENTRIES);
  });
  beforeEach(async () => {
    proxy = await FaultProxy.start(anvil.url);
  });
  afterEach(async () => {
    await proxy?.stop();
  });
  after(async () => anvil?.stop());

  const atHead = (model: LogModel): boolean => (model.marks.at(-1)?.number ?? 0) >= head;
  const open = async (
    rpcUrl: string,
    { logger = silentLogger(), pageBlocks = 999, timeoutMs = PATIENCE_MS, expectId = true } = {},
  ): Promise<ChainLog> => {
    const client = createChainClient({ rpcUrl, timeoutMs, attempts: 2, clock: fastClock() });
    const chainId = 31_337 as never;
    return createChainLog(
      {
        client,
        flow,
        ...(expectId ? { chainId } : {}),
        confirmations: 0,
        pollMs: 5,
        pageBlocks,
        logger,
      },
      { signal: testSignal() },
    );
  };
  const followThrough = async (options: Parameters<typeof open>[1] = {}): Promise<LogModel> => {
    const model = new LogModel();
    await followUntil(await open(proxy.url, options), model, atHead, testSignal());
    return model;
  };
  const forwarded = async (call: ProxiedCall): Promise<ProxyReply> => ({
    result: await call.forward(),
  });

  for (const limit of [1, 10]) {
    it(`reads through an endpoint that gives logs of ${limit} blocks at most`, async () => {
      proxy.handle = async (call) => {
        if (call.method === 'eth_getLogs' && rangeOf(call) > limit) {
          return { error: { code: -32005, message: 'query returned more than 10000 results' } };
        }
        return forwarded(call);
      };
      const model = await followThrough();
      assert.deepEqual(model.digest(), expected);
    });
  }

  const failures: readonly (readonly [string, ProxyReply])[] = [
    ['500s', { status: 500 }],
    ['429s', { status: 429 }],
    ['cut connections', 'drop'],
    ['answers that never come', 'hang'],
    ['results of the wrong shape', { result: 7 }],
    ['errors of unknown wording', { error: { code: -1, message: 'computer says no' } }],
  ];
  for (const [index, [name, fault]] of failures.entries()) {
    it(`reads everything in spite of ${name}`, async () => {
      const seed = 100 + index;
      const rng = seededRng(seed);
      const chainLog = await open(proxy.url, { timeoutMs: 3000 });
      let faults = 0;
      proxy.handle = async (call) => {
        if (faults >= 12 || rng.below(7) > 0) return forwarded(call);
        faults += 1;
        return fault;
      };
      const model = new LogModel();
      await followUntil(chainLog, model, atHead, testSignal());
      assert.deepEqual(model.digest(), expected, `seed ${seed}`);
      assert.equal(model.rollbacks, 0);
      assert.ok(faults > 3);
    });
  }

  it('waits while the endpoint is down, says so once, and says when it is back', async () => {
    const lines: string[] = [];
    const chainLog = await open(proxy.url, { logger: recording(lines) });
    let failed = 0;
    proxy.handle = async (call) => {
      failed += 1;
      return failed <= 10 ? 'drop' : forwarded(call);
    };
    const model = new LogModel();
    await followUntil(chainLog, model, atHead, testSignal());
    assert.deepEqual(model.digest(), expected);
    assert.deepEqual(lines, [
      'warn the chain gives nothing usable, waiting for it',
      'info the chain answers again',
    ]);
  });

  it('starts without a chain when it is told which chain to expect', async () => {
    let up = false;
    proxy.handle = async (call) => (up ? forwarded(call) : 'drop');
    await assert.rejects(open(proxy.url, { expectId: false }), { code: 'CHAIN_UNREACHABLE' });
    const chainLog = await open(proxy.url);
    up = true;
    const model = new LogModel();
    await followUntil(chainLog, model, atHead, testSignal());
    assert.deepEqual(model.digest(), expected);
  });

  it('never hands on a wrong chain that answers after an outage', async () => {
    let state: 'right' | 'down' | 'wrong' = 'right';
    let wrongAnswers = 0;
    proxy.handle = async (call) => {
      if (state === 'down') return 'drop';
      if (state === 'wrong' && call.method === 'eth_chainId') {
        wrongAnswers += 1;
        if (wrongAnswers === 3) state = 'right';
        return { result: '0x1' };
      }
      if (state === 'wrong') assert.fail('asked the wrong chain for its log');
      return forwarded(call);
    };
    const chainLog = await open(proxy.url);
    state = 'down';
    const model = new LogModel();
    const following = followUntil(chainLog, model, atHead, testSignal());
    const asked = proxy.calls.get('eth_chainId') ?? 0;
    while (proxy.calls.get('eth_chainId') === asked) {
      await systemClock().sleep(5, testSignal());
    }
    state = 'wrong';
    await following;
    assert.equal(wrongAnswers, 3);
    assert.deepEqual(model.digest(), expected);
  });

  it('does not go back when the endpoint serves an older head', async () => {
    let stale = 0;
    const model = new LogModel();
    const chainLog = await open(proxy.url, { pageBlocks: 20 });
    proxy.handle = async (call) => {
      if (call.method === 'eth_getBlockByNumber' && call.params[0] === 'latest' && stale < 6) {
        stale += stale > 2 || model.marks.length > 2 ? 1 : 0;
        const number = stale > 0 ? 10 : head;
        return { result: await blockAt(number) };
      }
      return forwarded(call);
    };
    await followUntil(chainLog, model, atHead, testSignal());
    assert.equal(stale, 6);
    assert.equal(model.rollbacks, 0);
    assert.deepEqual(model.digest(), expected);
  });

  it('drops repeated logs and puts shuffled ones in order', async () => {
    proxy.handle = async (call) => {
      const result = await call.forward();
      if (call.method !== 'eth_getLogs' || !Array.isArray(result)) return { result };
      return { result: [...result, ...result].reverse() };
    };
    assert.deepEqual((await followThrough()).digest(), expected);
  });

  for (const [name, hide] of [
    ['first', (logs: readonly unknown[]) => logs.slice(1)],
    ['last', (logs: readonly unknown[]) => logs.slice(0, -1)],
    ['middle', (logs: readonly unknown[]) => logs.filter((_, index) => index !== 1)],
    ['only', () => []],
  ] as const) {
    it(`asks again when the ${name} log of a page is missing`, async () => {
      let hidden = 0;
      proxy.handle = async (call) => {
        const result = await call.forward();
        if (call.method !== 'eth_getLogs' || !Array.isArray(result)) return { result };
        if (result.length === 0 || hidden >= 3) return { result };
        hidden += 1;
        return { result: hide(result) };
      };
      const model = await followThrough();
      assert.equal(hidden, 3);
      assert.deepEqual(model.digest(), expected);
    });
  }

  it('rolls back to before entries that an endpoint without old state hid at first', async () => {
    let hides = true;
    const lines: string[] = [];
    proxy.handle = async (call) => {
      if (call.method === 'eth_call') {
        return { error: { code: -32000, message: 'missing trie node' } };
      }
      const result = await call.forward();
      if (call.method !== 'eth_getLogs' || !Array.isArray(result)) return { result };
      if (hides && result.length > 0) return { result: result.slice(0, -1) };
      return { result };
    };
    const handle = proxy.handle;
    proxy.handle = undefined;
    const chainLog = await open(proxy.url, { logger: recording(lines), pageBlocks: 10 });
    proxy.handle = handle;
    const model = new LogModel();
    const following = followUntil(chainLog, model, atHead, testSignal());
    while (!lines.some((line) => line.startsWith('warn the chain gives'))) {
      await systemClock().sleep(5, testSignal());
    }
    hides = false;
    await following;
    assert.ok(model.rollbacks > 0);
    assert.deepEqual(model.digest(), expected);
  });

  it('never mixes forks when the chain moves between two calls of a page', async () => {
    const moving = await Anvil.start();
    try {
      const target = (await moving.deploy()).contracts.flow;
      const rng = seededRng(12);
      for (let index = 0; index < 10; index += 1) await moving.submit(target, [oneSector(rng)]);
      const own = await FaultProxy.start(moving.url);
      try {
        let reorgs = 0;
        own.handle = async (call) => {
          const result = await call.forward();
          if (call.method === 'eth_getLogs' && reorgs < 3) {
            reorgs += 1;
            await moving.reorg(2);
            await moving.submit(target, [oneSector(rng)]);
          }
          return { result };
        };
        const client = createChainClient({ rpcUrl: own.url });
        const options = { flow: target, confirmations: 0, pollMs: 5, logger: silentLogger() };
        const signal = testSignal();
        const chainLog = await createChainLog({ client, ...options }, { signal });
        const model = new LogModel();
        await followUntil(chainLog, model, () => reorgs === 3 && model.entries.length > 0, signal);
        const end = await moving.client.blockNumber({ signal });
        const reached = ({ marks }: LogModel) => (marks.at(-1)?.number ?? 0) >= end;
        if (!reached(model)) await followUntil(chainLog, model, reached, signal);
        const direct = await createChainLog({ client: moving.client, ...options }, { signal });
        const fresh = new LogModel();
        await followUntil(direct, fresh, reached, signal);
        assert.deepEqual(model.digest(), fresh.digest());
      } finally {
        await own.stop();
      }
    } finally {
      await moving.stop();
    }
  });

  async function blockAt(number: number): Promise<unknown> {
    return anvil.rpc('eth_getBlockByNumber', `0x${number.toString(16)}`, false);
  }
});

function rangeOf({ params }: ProxiedCall): number {
  const [filter] = params as [{ fromBlock: string; toBlock: string }];
  return Number(filter.toBlock) - Number(filter.fromBlock) + 1;
}

function recording(lines: string[]): Logger {
  const at = (level: string) => (_: LogFields, message: string) => {
    lines.push(`${level} ${message}`);
  };
  const logger: Logger = {
    error: at('error'),
    warn: at('warn'),
    info: at('info'),
    debug: () => undefined,
    child: () => logger,
  };
  return logger;
}
