import assert from 'node:assert/strict';
import {
  bodyParts,
  concatBytes,
  type HttpReply,
  type HttpRequest,
  isFault,
  utf8Bytes,
  utf8Text,
} from '@cairn/primitives';
import fc from 'fast-check';
import {
  invalidParam,
  type JsonRpcBody,
  jsonRpcErrorOf,
  jsonRpcErrorReply,
  jsonRpcReply,
  parseJsonRpcBody,
} from '../src/json-rpc.ts';
import { callJsonRpc } from '../src/json-rpc-client.ts';
import { jsonDepth, parseBoundedJson } from '../src/json-text.ts';

const parse = (text: string): JsonRpcBody => parseJsonRpcBody(utf8Bytes(text));

describe('parseJsonRpcBody', () => {
  it('takes a call, with or without params', () => {
    assert.deepEqual(parse('{"jsonrpc":"2.0","method":"a","id":1}'), {
      kind: 'single',
      call: { kind: 'call', id: 1, method: 'a', params: [] },
    });
    assert.deepEqual(parse(' {"jsonrpc":"2.0","method":"a","params":[1,"b"],"id":"x"}'), {
      kind: 'single',
      call: { kind: 'call', id: 'x', method: 'a', params: [1, 'b'] },
    });
  });

  it('echoes ids above 2^53 digit for digit as the caller wrote them', () => {
    const body = parse('{"jsonrpc":"2.0","method":"a","id":18014398509481984}');
    assert.ok(body.kind === 'single' && body.call.kind === 'call');
    assert.equal(
      jsonRpcReply(body.call.id ?? null, undefined),
      '{"jsonrpc":"2.0","result":null,"id":18014398509481984}',
    );
  });

  it('keeps a notification apart from an id of null', () => {
    const notification = parse('{"jsonrpc":"2.0","method":"a"}');
    assert.ok(notification.kind === 'single' && notification.call.id === undefined);
    const nulled = parse('{"jsonrpc":"2.0","method":"a","id":null}');
    assert.ok(nulled.kind === 'single' && nulled.call.id === null);
  });

  it('takes batches apart and refuses empty ones', () => {
    const body = parse('[{"jsonrpc":"2.0","method":"a","id":1},5]');
    assert.ok(body.kind === 'batch');
    assert.deepEqual(
      body.calls.map((call) => call.kind),
      ['call', 'refusal'],
    );
    const empty = parse('[]');
    assert.ok(empty.kind === 'refused' && empty.status === 200 && empty.error.code === -32600);
    const many = parse(`[${Array(101).fill('1').join(',')}]`);
    assert.ok(many.kind === 'refused' && many.error.code === -32600);
  });

  it('answers what is no JSON object or list with 400, and broken JSON with 200', () => {
    for (const [text, status] of [
      ['x', 400],
      ['', 400],
      ['{"a"', 200],
      ['{]', 200],
    ] as const) {
      const body = parse(text);
      assert.ok(body.kind === 'refused' && body.error.code === -32700 && body.status === status);
    }
  });

  it('refuses nesting that would cost memory, but not brackets inside texts', () => {
    const deep = parse('['.repeat(100_000));
    assert.ok(deep.kind === 'refused' && deep.error.code === -32700);
    assert.equal(jsonDepth('["[[[[\\"[[[", {"a":"\\\\"}]', 99), 2);
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.json().map(utf8Bytes),
          fc
            .record({
              jsonrpc: fc.constantFrom('2.0', 2),
              method: fc.anything(),
              id: fc.anything(),
            })
            .map((value) => utf8Bytes(JSON.stringify(value) ?? 'x')),
        ),
        (bytes) => {
          const body = parseJsonRpcBody(bytes);
          assert.ok(['single', 'batch', 'refused'].includes(body.kind));
        },
      ),
    );
  });
});

describe('parseBoundedJson', () => {
  it('agrees with JSON.parse below the bound', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        assert.deepEqual(parseBoundedJson(text, 1000, 'x'), JSON.parse(text));
      }),
    );
  });
});

describe('callJsonRpc', () => {
  const reply = (status: number, text: string, type = 'application/json') => {
    const sent: HttpRequest[] = [];
    return {
      sent,
      send: async (request: HttpRequest): Promise<HttpReply> => {
        sent.push(request);
        return {
          status,
          headers: { 'content-type': type },
          async *stream() {
            yield utf8Bytes(text);
          },
          bytes: async () => utf8Bytes(text),
          discard: async () => undefined,
        };
      },
    };
  };
  const signal = new AbortController().signal;

  it('sends one call and gives its result, null included', async () => {
    const transport = reply(200, '{"jsonrpc":"2.0","result":null,"id":1}');
    assert.equal(await callJsonRpc(transport, 'http://n', 'm', [1, 'a'], { signal }), null);
    assert.deepEqual(JSON.parse(utf8Text(concatBytes(...bodyParts(transport.sent[0]?.body)))), {
      jsonrpc: '2.0',
      id: 1,
      method: 'm',
      params: [1, 'a'],
    });
  });

  it('throws the other side’s error with its parts', async () => {
    const thrown = invalidParam('root', 'already uploaded and finalized');
    const text = jsonRpcErrorReply(1, jsonRpcErrorOf(thrown));
    await assert.rejects(
      callJsonRpc(reply(200, text), 'http://n', 'm', [], { signal }),
      (error) => {
        assert.ok(isFault(error, 'RPC_ERROR'));
        assert.deepEqual(
          { ...error.facts },
          {
            code: 'RPC_ERROR',
            rpcCode: -32602,
            rpcMessage: 'Invalid params: root',
            rpcData: 'already uploaded and finalized',
            url: 'http://n',
            method: 'm',
          },
        );
        return true;
      },
    );
  });

  it('tells bad statuses and broken replies apart', async () => {
    const rejects = (transport: ReturnType<typeof reply>, code: string): Promise<void> =>
      assert.rejects(callJsonRpc(transport, 'http://n', 'm', [], { signal }), (error) =>
        isFault(error, code),
      );
    await rejects(reply(502, 'bad gateway', 'text/html'), 'TRANSPORT_STATUS');
    await rejects(reply(200, 'hello'), 'TRANSPORT_BROKEN_REPLY');
    await rejects(reply(200, '{"id":1}'), 'TRANSPORT_BROKEN_REPLY');
    await rejects(reply(413, '{"error":{"code":-32701,"message":"x"}}'), 'RPC_ERROR');
  });
});
