import assert from 'node:assert/strict';
import {
  type HttpTransport,
  type Json,
  stringifyJson,
  systemClock,
  TransportError,
  utf8Bytes,
} from '@cairn/primitives';
import type { ChainClient } from '../src/client/chain-client.ts';
import { createChainClient } from '../src/client/create-client.ts';
import { fastClock, testSignal } from './anvil.ts';

const options = (): { readonly signal: AbortSignal } => ({ signal: testSignal(5000) });

/** A client whose transport answers from a list: a status and a body, or a failure. */
function clientOf(...answers: readonly (readonly [number, string] | Error)[]): {
  readonly client: ChainClient;
  readonly sent: () => number;
} {
  let sent = 0;
  const transport: HttpTransport = {
    send: async ({ url }) => {
      const answer = answers[Math.min(sent, answers.length - 1)];
      sent += 1;
      if (answer instanceof Error) throw answer;
      if (answer === undefined) throw new Error('no answer was given to the test');
      const [status, body] = answer;
      const bytes = utf8Bytes(body);
      return {
        status,
        headers: {},
        async *stream() {
          yield bytes;
        },
        bytes: async (maxBytes) => {
          if (bytes.length <= maxBytes) return bytes;
          throw new TransportError({ code: 'TRANSPORT_REPLY_TOO_LARGE', url, maxBytes }, 'large');
        },
        discard: async () => undefined,
      };
    },
    close: async () => undefined,
  };
  const rpcUrl = 'https://user:secret@chain.example/v3/access-key';
  const client = createChainClient({ rpcUrl, transport, clock: fastClock(), maxReplyBytes: 1000 });
  return { client, sent: () => sent };
}

const result = (value: Json): readonly [number, string] => [
  200,
  stringifyJson({ jsonrpc: '2.0', id: 1, result: value }),
];

describe('the chain client', () => {
  it('tries again what another attempt may mend, three times in all', async () => {
    for (const fault of [
      [500, 'oops'],
      [429, '{}'],
      [200, '{"jsonrpc":"2.0","resu'],
      [200, '{"error":{"code":-32005,"message":"rate limit exceeded"}}'],
      new TransportError({ code: 'TRANSPORT_UNREACHABLE', url: 'x' }, 'down'),
    ] as const) {
      const mended = clientOf(fault, fault, result('0x10'));
      assert.equal(await mended.client.blockNumber(options()), 16);
      const broken = clientOf(fault);
      await assert.rejects(broken.client.blockNumber(options()), { code: 'CHAIN_UNREACHABLE' });
      assert.equal(broken.sent(), 3);
    }
  });

  it('does not repeat what the chain refused, and passes on why', async () => {
    const { client, sent } = clientOf([
      400,
      '{"error":{"code":3,"message":"execution reverted: no","data":{"data":"0x01"}}}',
    ]);
    await assert.rejects(client.blockNumber(options()), (error: unknown) => {
      assert.deepEqual((error as { facts: unknown }).facts, {
        code: 'CHAIN_RPC_ERROR',
        method: 'eth_blockNumber',
        rpcCode: 3,
        rpcMessage: 'execution reverted: no',
        rpcData: '0x01',
      });
      return true;
    });
    assert.equal(sent(), 1);
  });

  it('never shows the path of its endpoint, where access keys are', async () => {
    const { client } = clientOf([503, '']);
    assert.equal(client.endpoint, 'https://chain.example');
    await assert.rejects(client.chainId(options()), (error: unknown) => {
      const { message, facts } = error as { message: string; facts: unknown };
      assert.doesNotMatch(`${message}${JSON.stringify(facts)}`, /secret|access-key/);
      return true;
    });
  });

  it('takes nothing that is not what the method returns', async () => {
    const hash = `0x${'ab'.repeat(32)}`;
    const block = { number: '0x1', hash, parentHash: hash, timestamp: '0x1', gasLimit: '0x1' };
    const bad: readonly Json[] = [
      7,
      {},
      { ...block, number: '1' },
      { ...block, hash: '0x12' },
      { ...block, parentHash: null },
      { ...block, number: `0x${'f'.repeat(16)}` },
      { ...block, baseFeePerGas: 'cheap' },
    ];
    for (const value of bad) {
      const { client } = clientOf(result(value));
      await assert.rejects(client.getBlock(1, options()), { code: 'CHAIN_BAD_REPLY' });
    }
    const other = clientOf(result({ ...block, number: '0x2' }));
    await assert.rejects(other.client.getBlock(1, options()), { code: 'CHAIN_BAD_REPLY' });
    assert.equal(await clientOf(result(null)).client.getBlock(1, options()), undefined);
    assert.equal((await clientOf(result(block)).client.getBlock(1, options()))?.number, 1);
  });

  it('asks for the newest block anew once its answer is as old as it may be', async () => {
    let now = 0;
    let sent = 0;
    const transport: HttpTransport = {
      send: async () => {
        sent += 1;
        const body = utf8Bytes(result(`0x${sent.toString(16)}`)[1]);
        return {
          ...{ status: 200, headers: {} },
          async *stream() {
            yield body;
          },
          bytes: async () => body,
          discard: async () => undefined,
        };
      },
      close: async () => undefined,
    };
    const clock = { ...systemClock(), monotonic: () => now };
    const rpcUrl = 'http://chain.example';
    const shared = createChainClient({ rpcUrl, transport, clock, headAgeMs: 100 });
    assert.deepEqual([await shared.blockNumber(options()), sent], [1, 1]);
    now = 99;
    assert.deepEqual([await shared.blockNumber(options()), sent], [1, 1]);
    now = 100;
    assert.deepEqual([await shared.blockNumber(options()), sent], [2, 2]);
    const own = createChainClient({ rpcUrl, transport, clock });
    assert.deepEqual([await own.blockNumber(options()), await own.blockNumber(options())], [3, 4]);
  });

  it('bounds the size of a reply', async () => {
    const { client, sent } = clientOf(result('0x'.padEnd(2000, '0')));
    await assert.rejects(client.callRaw({ to: undefined, data: new Uint8Array() }, options()), {
      code: 'CHAIN_REPLY_TOO_LARGE',
    });
    assert.equal(sent(), 1);
  });

  it('ends an attempt that takes too long, and a call with its signal', async () => {
    const transport: HttpTransport = {
      send: ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
      close: async () => undefined,
    };
    const rpcUrl = 'http://chain.example';
    const slow = createChainClient({ rpcUrl, transport, clock: fastClock(), timeoutMs: 100 });
    await assert.rejects(slow.blockNumber(options()), {
      code: 'CHAIN_UNREACHABLE',
      message: /took longer than 100 ms/,
    });
    const patient = createChainClient({ rpcUrl, transport, clock: systemClock() });
    const stop = new AbortController();
    const asking = patient.blockNumber({ signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(asking, (error) => error === reason);
  });
});
