import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseStreamId, type StreamId } from '@cairn/kv-layer';
import {
  type Address,
  chainIdOf,
  parseAddress,
  silentLogger,
  systemClock,
  toHex,
  utf8Bytes,
} from '@cairn/primitives';
import { answerJsonRpcBody } from '@cairn/wire-protocol';
import { addStreamDigest, addStreamMethod } from '../../src/zg-compat/add-stream.ts';

const path = new URL('../../../../test/vectors/kv.json', import.meta.url);
const { eip712 } = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly eip712: {
    readonly domain: { readonly chainId: number };
    readonly message: { readonly wallet: string; readonly streamId: string };
    readonly digest: string;
    readonly signature: string;
  };
};
const { signature } = eip712;
const wallet = parseAddress(eip712.message.wallet);
const stream = parseStreamId(eip712.message.streamId);
const chainId = chainIdOf(eip712.domain.chainId);

describe('admin_addStream', () => {
  const ask = async (
    params: readonly unknown[],
    { isOpen = true, accounts = [] }: { isOpen?: boolean; accounts?: readonly Address[] } = {},
  ): Promise<{ reply: Record<string, unknown>; added: StreamId[] }> => {
    const added: StreamId[] = [];
    const handlers = addStreamMethod({
      chainId,
      isOpen,
      accounts,
      add: async (asked) => void added.push(asked),
    });
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'admin_addStream', params });
    const { text } = await answerJsonRpcBody(
      utf8Bytes(body),
      { handlers, clock: systemClock(), logger: silentLogger() },
      new AbortController().signal,
    );
    return { reply: JSON.parse(text) as Record<string, unknown>, added };
  };
  const codeOf = ({ reply }: { reply: Record<string, unknown> }): unknown =>
    (reply['error'] as { code: number } | undefined)?.code;

  it('signs what the vectors sign', () => {
    assert.equal(toHex(addStreamDigest(chainId, wallet, stream)), eip712.digest);
  });

  it('takes the signature with and without 0x', async () => {
    for (const text of [signature, signature.slice(2)]) {
      const { reply, added } = await ask([stream, wallet, text]);
      assert.deepEqual([reply['result'], added], [true, [stream]]);
    }
  });

  it('refuses signatures for another stream, by another account, or that are none', async () => {
    const other = stream.replace('0xab', '0xac');
    for (const params of [
      [other, wallet, signature],
      [stream, `0x${'11'.repeat(20)}`, signature],
      [stream, wallet, '0x12'],
      [stream, wallet, signature.replaceAll('a', 'b')],
    ]) {
      const answer = await ask(params);
      assert.deepEqual([codeOf(answer), answer.added], [-32602, []]);
    }
  });

  it('is for the accounts that may, and off unless it is on', async () => {
    const other = parseAddress(`0x${'11'.repeat(20)}`);
    assert.equal(codeOf(await ask([stream, wallet, signature], { accounts: [other] })), -32602);
    assert.equal(
      (await ask([stream, wallet, signature], { accounts: [other, wallet] })).reply['result'],
      true,
    );
    assert.equal(codeOf(await ask([stream, wallet, signature], { isOpen: false })), -32601);
  });
});
