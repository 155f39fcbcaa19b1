import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { BatchBuilder, StreamState } from '@cairn/kv-layer';
import {
  parseAddress,
  Semaphore,
  silentLogger,
  systemClock,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import { answerJsonRpcBody, type JsonRpcHandlers } from '@cairn/wire-protocol';
import { Answers } from '../../src/answers.ts';
import { kvMethods } from '../../src/zg-compat/kv-methods.ts';
import { ALICE, replayed, streamNumber } from '../support/replayed.ts';

/** Calls of unmodified clients with the replies they need, in `test/vectors/kv.json`. */
interface RpcVector {
  readonly name: string;
  readonly request?: { readonly id: number; readonly [field: string]: unknown };
  readonly requestRaw?: string;
  readonly response: unknown;
}

const vectorsPath = new URL('../../../../test/vectors/kv.json', import.meta.url);
const { rpc: vectors, iterator } = JSON.parse(readFileSync(vectorsPath, 'utf8')) as {
  readonly rpc: readonly RpcVector[];
  readonly iterator: { readonly cases: readonly { call: string; key: string | null }[] };
};
/** When the vectors were recorded: their ids say so. */
const RECORDED_MS = 1_795_293_638_244;
const ONE = streamNumber(1);
const [TWO, THREE] = [streamNumber(2), streamNumber(3)];
const MIB = 1024 ** 2;

function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (7 * index + 3) % 251;
  return bytes;
}

describe('the kv_* methods', () => {
  let state: StreamState;
  let handlers: JsonRpcHandlers;
  const clock = { ...systemClock(), now: () => RECORDED_MS };

  before(async () => {
    const put = (key: string, value: string) => (batch: BatchBuilder) =>
      void batch.put(ONE, utf8Bytes(key), utf8Bytes(value));
    const letters = (batch: BatchBuilder): void => {
      for (const letter of 'abcd') batch.put(THREE, utf8Bytes(letter), utf8Bytes(letter));
    };
    state = await replayed(
      [ONE, TWO, THREE],
      [
        { sequence: 5, streams: [ONE], fill: (batch) => void batch.tag(ONE) },
        {
          sequence: 7,
          streams: [ONE],
          fill: (batch) => {
            put('k', 'hello')(batch);
            put('l', 'world')(batch);
          },
        },
        {
          sequence: 8,
          streams: [TWO],
          fill: (batch) => {
            for (const length of [262_144, 262_145, 349_528, MIB]) {
              batch.put(TWO, utf8Bytes(String(length)), pattern(length));
            }
          },
        },
        { sequence: 10, streams: [THREE], fill: letters },
        {
          sequence: 11,
          streams: [THREE],
          fill: (batch) => {
            for (const letter of 'bd') batch.delete(THREE, utf8Bytes(letter));
          },
        },
      ],
    );
    const turns = new Semaphore({ limit: 1, maxWaiting: 1 });
    const answers = new Answers(() => state);
    handlers = kvMethods({ answers, whole: { clock, turns, maxBytes: 16 * MIB } });
  });

  const ask = async (body: string): Promise<unknown> => {
    const { signal } = new AbortController();
    const { status, text } = await answerJsonRpcBody(
      utf8Bytes(body),
      { handlers, clock, logger: silentLogger(), maxReplyLength: 30 * MIB },
      signal,
    );
    assert.equal(status, 200);
    return JSON.parse(text);
  };

  const call = async (
    method: string,
    params: unknown,
    id = 1,
  ): Promise<Record<string, unknown>> => {
    const reply = await ask(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return reply as Record<string, unknown>;
  };

  for (const { name, request, requestRaw, response } of vectors) {
    it(`answers as clients need it: ${name}`, async () => {
      // Only stream 1 was watched when the vectors were recorded.
      const expected = name.startsWith('getHoldingStreamIds')
        ? { ...(response as object), result: [ONE, TWO, THREE] }
        : response;
      assert.deepEqual(await ask(requestRaw ?? JSON.stringify(request)), expected);
    });
  }

  for (const length of [262_144, 262_145, 349_528, MIB]) {
    const key = Buffer.from(String(length)).toString('base64');
    const dataOf = (reply: Record<string, unknown>): Buffer => {
      const { data } = reply['result'] as { data: string };
      return Buffer.from(data, 'base64');
    };

    it(`gives a value of ${length} bytes whole to the client that cannot page`, async () => {
      const params = [TWO, key, 0, 262_144];
      const whole = dataOf(await call('kv_getValue', params, RECORDED_MS * 10_000));
      assert.ok(whole.equals(pattern(length)));
      const next = [TWO, key, 0, 262_144, true];
      assert.ok(
        dataOf(await call('kv_getNext', next, RECORDED_MS * 10_000)).equals(pattern(length)),
      );
    });

    it(`gives others the part of ${length} bytes that they asked for`, async () => {
      const part = dataOf(await call('kv_getValue', [TWO, key, 0, 262_144]));
      assert.ok(part.equals(pattern(length).subarray(0, 262_144)));
      const middle = dataOf(await call('kv_getValue', [TWO, key, 1000, 10]));
      assert.ok(middle.equals(pattern(length).subarray(1000, 1010)));
      const atEnd = dataOf(await call('kv_getValue', [TWO, key, length, 10]));
      assert.equal(atEnd.length, 0);
    });
  }

  it('does not give more than it may hold in memory', async () => {
    const turns = new Semaphore({ limit: 1, maxWaiting: 1 });
    const whole = { clock, turns, maxBytes: 300_000 };
    handlers = kvMethods({ answers: new Answers(() => state), whole });
    const key = Buffer.from('349528').toString('base64');
    const { result } = await call('kv_getValue', [TWO, key, 0, 262_144], RECORDED_MS * 10_000);
    assert.equal(Buffer.from((result as { data: string }).data, 'base64').length, 262_144);
  });

  for (const { call: text, key } of iterator.cases) {
    it(`walks past deleted keys: ${text}`, async () => {
      const [, name = '', from, isInclusive, at] =
        /^(kv_get\w+)(?: (\w) (inclusive|exclusive))?(?: latest| version (\d+))?/.exec(text) ?? [];
      const version = at === undefined ? [] : [Number(at) + 10]; // sequence 0 of the vectors is 10 here
      const params =
        from === undefined
          ? [THREE, 0, 0, ...version]
          : [
              THREE,
              Buffer.from(from).toString('base64'),
              0,
              0,
              isInclusive === 'inclusive',
              ...version,
            ];
      const { result } = await call(name, params);
      const found = result === null ? null : Buffer.from((result as { key: string }).key, 'base64');
      assert.equal(found === null ? null : utf8Text(found), key);
    });
  }

  it('takes the decimal text that the TypeScript client sends, and what there can never be', async () => {
    assert.equal((await call('kv_getTransactionResult', ['7']))['result'], 'Commit');
    assert.equal((await call('kv_getTransactionResult', [2 ** 64]))['result'], null);
    const { error } = await call('kv_getTransactionResult', ['x']);
    assert.equal((error as { code: number }).code, -32602);
  });

  it('takes parameters by name, ids without 0x, null versions and more than it needs', async () => {
    const named = { key: 'aw==', stream_id: ONE, len: 9, start_index: 1, version: null };
    const value = { version: 7, data: Buffer.from('ello').toString('base64'), size: 5 };
    assert.deepEqual((await call('kv_getValue', named))['result'], value);
    const bare = [ONE.slice(2).toUpperCase(), 'aw==', 1, 9, null, 'what is this'];
    assert.deepEqual((await call('kv_getValue', bare))['result'], value);
  });

  it('refuses in the order of the official node: length, key, then where the part begins', async () => {
    const messageOf = async (params: unknown[]): Promise<unknown> =>
      ((await call('kv_getValue', params))['error'] as { message: string }).message;
    assert.equal(await messageOf([ONE, '', 9, 262_145]), 'Invalid params: len');
    assert.equal(await messageOf([ONE, '', 9, 1]), 'Invalid params: key');
    assert.equal(await messageOf([ONE, 'aw==', 9, 1]), 'Invalid params: start_index');
    assert.equal(await messageOf([ONE, 'aw==', 0]), 'No more params');
    assert.match(String(await messageOf([ONE, 'a', 0, 1])), /^invalid type: string "a"/);
    assert.match(String(await messageOf(['0x12', 'aw==', 0, 1])), /expected 32 bytes of hex/);
  });

  it('says of streams that nobody wrote to that anyone may', async () => {
    const stranger = parseAddress(`0x${'99'.repeat(20)}`);
    const unknown = streamNumber(99);
    assert.equal(
      (await call('kv_hasWritePermission', [stranger, unknown, 'aw==']))['result'],
      true,
    );
    assert.equal((await call('kv_isAdmin', [ALICE, unknown]))['result'], false);
    assert.equal(
      (await call('kv_isAdmin', [ALICE.toUpperCase().replace('0X', '0x'), ONE]))['result'],
      true,
    );
  });

  it('counts decided entries', async () => {
    const { result } = await call('kv_getReplayProgress', []);
    assert.deepEqual(result, { appliedSeq: 12, firstTxSeq: null });
  });
});
