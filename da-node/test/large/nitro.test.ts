import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { HttpHost } from '@cairn/node-runtime/http';
import { concatBytes, fromHex, isRecord, keccak256, MIB, toHex } from '@cairn/primitives';
import { batchRootOf, parseNitroCertificate } from '../../src/doors/nitro/certificate.ts';
import { payloadOf, type RunningDisperser, TestQuorum } from '../dispersal/harness.ts';
import { MemoryFacts } from '../dispersal/memory-facts.ts';
import { openNitroDoor } from '../dispersal/nitro-host.ts';

type Exchange = Readonly<Record<'request' | 'reply', string>>;

/** Exchanges of Arbitrum nodes with a provider; see the file itself. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/nitro-da.json', import.meta.url), 'utf8'),
) as {
  readonly payload: string;
  readonly getSupportedHeaderBytes: Exchange;
  readonly store: Exchange;
  readonly recoverPayload: Exchange;
  readonly collectPreimages: Exchange;
  readonly texts: Readonly<Record<'invalid' | 'fallBack' | 'tooLarge', string>>;
};

describe('Arbitrum door', () => {
  const BLOCK_HASH = `0x${'b1'.repeat(32)}`;
  let quorum: TestQuorum;
  let running: RunningDisperser;
  let facts: MemoryFacts;
  let host: HttpHost;
  let url: string;

  before(async () => {
    quorum = await TestQuorum.open();
    facts = new MemoryFacts(quorum.chain);
    running = await quorum.disperser();
    host = await openNitroDoor(quorum, running, 6000, { facts });
    url = host.address.url;
  });

  after(async () => {
    await host?.stop();
    await running?.stop();
    await quorum?.close();
  });

  const send = async (text: string, at = url): Promise<Response> =>
    fetch(at, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
  const exchange = async (text: string): Promise<string> => (await send(text)).text();
  const call = async (name: string, params: unknown[], at = url): Promise<unknown> => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 9, method: `daprovider_${name}`, params });
    const reply: unknown = await (await send(text, at)).json();
    ok(isRecord(reply) && reply['id'] === 9 && reply['jsonrpc'] === '2.0');
    return reply['error'] ?? reply['result'];
  };
  const failure = async (name: string, params: unknown[], at = url): Promise<[unknown, string]> => {
    const error = await call(name, params, at);
    ok(isRecord(error), `${name} was answered`);
    return [error['code'], String(error['message'])];
  };
  const store = async (message: Uint8Array, until = '0x0'): Promise<Uint8Array> => {
    const result = await call('store', [toHex(message), until]);
    ok(
      isRecord(result) && typeof result['serialized-da-cert'] === 'string',
      JSON.stringify(result),
    );
    return fromHex(result['serialized-da-cert'] as `0x${string}`);
  };
  const messageOf = (certificate: Uint8Array): string =>
    toHex(concatBytes(new Uint8Array(40).fill(7), certificate));
  const recover = (certificate: Uint8Array): unknown[] => [
    '0x1',
    BLOCK_HASH,
    messageOf(certificate),
  ];

  it('answers its clients’ exchanges byte for byte', async () => {
    const { getSupportedHeaderBytes, recoverPayload, collectPreimages } = vectors;
    equal(await exchange(getSupportedHeaderBytes.request), getSupportedHeaderBytes.reply);
    const stored = await exchange(vectors.store.request);
    const certificate = /"(0x0143[0-9a-f]+)"/.exec(stored)?.[1] ?? '';
    equal(stored, vectors.store.reply.replace('<certificate>', certificate));
    const bytes = fromHex(certificate as `0x${string}`);
    const filled = (text: string): string =>
      text
        .replace('<block hash>', BLOCK_HASH)
        .replace('<message>', messageOf(bytes))
        .replace('<hash of the certificate>', toHex(keccak256(bytes)));
    equal(await exchange(filled(recoverPayload.request)), recoverPayload.reply);
    equal(await exchange(filled(collectPreimages.request)), filled(collectPreimages.reply));
    deepEqual(await call('recoverPayloadAndPreimages', recover(bytes)), {
      Payload: Buffer.from(fromHex(`0x${vectors.payload}`)).toString('base64'),
      Preimages: { 3: { [toHex(keccak256(bytes))]: 'aGVsbG8gd29ybGQ=' } },
    });
    deepEqual(await call('getMaxMessageSize', []), { maxSize: 16 * MIB });
  });

  it('stores a message that comes in parts', async () => {
    const message = payloadOf(2500, 21);
    const now = `0x${Math.floor(quorum.chain.nowSeconds).toString(16)}`;
    const head = [now, '0x3', '0x3e8', '0x9c4', '0x0', '0x'];
    const started = await call('startChunkedStore', head);
    ok(isRecord(started));
    const id = started['BatchId'];
    for (const [index, from] of [2000, 0, 1000].entries()) {
      const part = message.subarray(from, from + 1000);
      const place = `0x${(from / 1000).toString(16)}`;
      equal(await call('sendChunk', [id, place, toHex(part), '0x']), null, `part ${index}`);
    }
    const result = await call('commitChunkedStore', [id, '0x']);
    ok(isRecord(result));
    const certificate = fromHex(result['serialized-da-cert'] as `0x${string}`);
    deepEqual(await call('recoverPayload', recover(certificate)), {
      Payload: Buffer.from(message).toString('base64'),
    });
    match((await failure('commitChunkedStore', [id, '0x']))[1], /no message/);
  });

  it('refuses parts that do not make up what was announced', async () => {
    const now = `0x${Math.floor(quorum.chain.nowSeconds).toString(16)}`;
    const start = (...head: string[]): Promise<[unknown, string]> =>
      failure('startChunkedStore', [...head, '0x0', '0x']);
    match((await start('0x1', '0x1', '0x10', '0x10'))[1], /old or early/);
    match((await start(now, '0x2', '0x10', '0x10'))[1], /not 2 parts/);
    match((await start(now, '0x0', '0x0', '0x0'))[1], /parts/);
    match((await start(now, '0x11', '0x100000', '0x1100000'))[1], /message too large/);
    const begun = await call('startChunkedStore', [now, '0x2', '0x10', '0x18', '0x0', '0x']);
    ok(isRecord(begun));
    const id = begun['BatchId'];
    match((await failure('sendChunk', [id, '0x2', '0x00', '0x']))[1], /no part 2/);
    match((await failure('sendChunk', [id, '0x1', '0x00', '0x']))[1], /has 8 bytes/);
    match((await failure('commitChunkedStore', [id, '0x']))[1], /0 of 2 parts/);
    match((await failure('sendChunk', ['0x7', '0x0', '0x00', '0x']))[1], /no message/);
  });

  it('reads on another disperser, which has never seen the message', async () => {
    const certificate = await store(payloadOf(4000, 22));
    const { disperser } = running;
    const strange = {
      requireAccount: disperser.requireAccount.bind(disperser),
      findByCommitment: async () => undefined,
      payload: async () => undefined,
    };
    const stranger = { ...running, disperser: strange } as unknown as RunningDisperser;
    const other = await openNitroDoor(quorum, stranger, 3000, { facts });
    const found = await call('recoverPayload', recover(certificate), other.address.url);
    deepEqual(found, { Payload: Buffer.from(payloadOf(4000, 22)).toString('base64') });
    for (const index of quorum.signers.keys()) quorum.unreachable.add(index);
    const [, text] = await failure('recoverPayload', recover(certificate), other.address.url);
    quorum.unreachable.clear();
    await other.stop();
    ok(
      !text.includes(vectors.texts.invalid),
      'a blob that cannot be read is no invalid certificate',
    );
  });

  it('calls what is no certificate invalid, in the words that nodes look for', async () => {
    const certificate = await store(payloadOf(300, 23));
    for (const [what, bytes] of [
      ['cut', certificate.subarray(0, -1)],
      ['longer', concatBytes(certificate, Uint8Array.of(0))],
      ['nothing', new Uint8Array(0)],
      ['provider', altered(certificate, 1)],
      ['version', altered(certificate, 2)],
      ['chain', altered(certificate, 10)],
      ['entrance', altered(certificate, 20)],
      ['epoch', altered(certificate, 31)],
      ['quorum', altered(certificate, 42)],
      ['count', altered(certificate, 43)],
      ['seed', altered(certificate, 60)],
      ['suite', altered(certificate, 84)],
      ['shard', altered(certificate, 83 + 71)],
    ] as const) {
      const [code, text] = await failure('recoverPayload', recover(bytes));
      equal(code, -32000);
      ok(text.startsWith(vectors.texts.invalid), `${what}: ${text}`);
      deepEqual(await call('generateCertificateValidityProof', [toHex(bytes)]), {
        proof: '0x0001',
      });
    }
    const valid = await call('generateCertificateValidityProof', [toHex(certificate)]);
    deepEqual(valid, { proof: '0x0101' });
  });

  it('decides nothing while the batch may yet be confirmed, and calls it invalid when it cannot be', async () => {
    const certificate = await store(payloadOf(300, 24));
    facts.forget(batchRootOf(parseNitroCertificate(certificate)));
    const [, text] = await failure('recoverPayload', recover(certificate));
    ok(!text.includes(vectors.texts.invalid), text);
    await failure('generateCertificateValidityProof', [toHex(certificate)]);
    quorum.chain.pass(200);
    const [, late] = await failure('recoverPayload', recover(certificate));
    ok(late.startsWith(vectors.texts.invalid), late);
  });

  it('asks the poster to go elsewhere when no quorum signs in time', async () => {
    for (const signer of quorum.signers.slice(0, 2)) signer.manner = 'silent';
    const [, text] = await failure('store', [toHex(payloadOf(300, 25)), '0x0']);
    for (const signer of quorum.signers) signer.manner = 'honest';
    ok(text.startsWith(vectors.texts.fallBack), text);
  });

  it('refuses a message that is too large or to be kept for too long', async () => {
    const long = `0x${'00'.repeat(16 * MIB + 1)}`;
    match((await failure('store', [long, '0x0']))[1], new RegExp(`^${vectors.texts.tooLarge}`));
    const reply = await send(`"${'x'.repeat(33 * MIB)}"`);
    equal(reply.status, 413);
    match(await reply.text(), new RegExp(`^${vectors.texts.tooLarge}`));
    const later = `0x${(Math.floor(quorum.chain.nowSeconds) + 100_000).toString(16)}`;
    match((await failure('store', ['0x01', later]))[1], /kept until/);
  });

  it('answers what is no call in JSON-RPC’s own form', async () => {
    for (const [text, code] of [
      ['not json', -32700],
      ['{"jsonrpc":"1.0","id":1,"method":"a"}', -32600],
      ['[]', -32600],
      ['{"jsonrpc":"2.0","id":1,"method":"daprovider_missing"}', -32601],
      ['{"jsonrpc":"2.0","id":1,"method":"daprovider_store"}', -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"daprovider_store","params":["zz","0x1"]}', -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"daprovider_store","params":["0x00","0x01"]}', -32602],
      ['{"jsonrpc":"2.0","id":1,"method":"daprovider_store","params":["0x00","0x1",1]}', -32602],
      [
        '{"jsonrpc":"2.0","id":1,"method":"daprovider_recoverPayload","params":["0x1","0x01","0x"]}',
        -32602,
      ],
    ] as const) {
      const reply: unknown = JSON.parse(await exchange(text));
      ok(isRecord(reply) && isRecord(reply['error']), text);
      equal(reply['error']['code'], code, text);
    }
    equal((await fetch(url, { method: 'POST', body: '{}' })).status, 415);
    const { request, reply } = vectors.getSupportedHeaderBytes;
    equal(await exchange(`[${request},${request}]`), `[${reply},${reply}]`);
    equal(await exchange('{"jsonrpc":"2.0","method":"daprovider_store"}'), '');
  });
});

function altered(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}
