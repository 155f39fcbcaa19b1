import { deepEqual, equal } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { HttpHost } from '@cairn/node-runtime/http';
import { bigEndianBytes, concatBytes, fromHex, toHex } from '@cairn/primitives';
import { OP_LAYER_BYTE, parseOpCommitment } from '../../src/doors/op-stack/commitment.ts';
import { openDoors } from '../dispersal/doors-host.ts';
import { payloadOf, type RunningDisperser, TestQuorum } from '../dispersal/harness.ts';

/** Exchanges of alt-DA clients; see the file itself. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/op-stack.json', import.meta.url), 'utf8'),
) as {
  readonly payload: string;
  readonly keccak: Readonly<Record<'put' | 'get' | 'commitment' | 'calldata', string>>;
  readonly zgGeneric: Readonly<Record<'get' | 'commitment' | 'calldata' | 'root', string>> & {
    readonly epoch: number;
    readonly quorumId: number;
  };
};

describe('OP Stack door', () => {
  const hello = fromHex(vectors.payload);
  let quorum: TestQuorum;
  let running: RunningDisperser;
  let host: HttpHost;
  let url: string;

  before(async () => {
    quorum = await TestQuorum.open();
    running = await quorum.disperser();
    host = await openDoors(quorum, running, 60_000);
    ({ url } = host.address);
  });
  after(async () => {
    await host.stop();
    await running.stop();
    await quorum.close();
  });

  /** As clients send: no redirect is followed. */
  async function post(
    path: string,
    body: Uint8Array,
    at: string = url,
  ): Promise<[number, Uint8Array]> {
    const headers = { 'content-type': 'application/octet-stream' };
    const reply = await fetch(`${at}${path}`, {
      method: 'POST',
      body: Buffer.from(body),
      headers,
      redirect: 'manual',
    });
    return [reply.status, new Uint8Array(await reply.arrayBuffer())];
  }

  async function get(path: string): Promise<[number, Uint8Array]> {
    const reply = await fetch(`${url}${path}`, { redirect: 'manual' });
    return [reply.status, new Uint8Array(await reply.arrayBuffer())];
  }

  it('speaks keccak mode as the vectors do', async () => {
    equal((await get(vectors.keccak.get))[0], 404);
    equal((await post(vectors.keccak.put, hello))[0], 200);
    const [status, body] = await get(vectors.keccak.get);
    equal(status, 200);
    deepEqual(Buffer.from(body), Buffer.from(hello));
    equal(vectors.keccak.calldata, `01${vectors.keccak.commitment}`);
    equal(parseOpCommitment(`0x${vectors.keccak.commitment}`).kind, 'keccak');
  });

  it('refuses a body with another keccak than the path', async () => {
    equal((await post(vectors.keccak.put, payloadOf(11)))[0], 400);
  });

  for (const path of ['/put', '/put/']) {
    it(`answers POST ${path} with a raw generic commitment that GET takes`, async () => {
      const input = payloadOf(9000, path.length);
      const [status, commitment] = await post(path, input);
      equal(status, 200);
      const record = await running.disperser.findByCommitment(commitment.slice(2, 34));
      const { commitment: root, order } = record ?? {};
      const expected = concatBytes(
        Uint8Array.of(1, OP_LAYER_BYTE),
        root ?? new Uint8Array(0),
        bigEndianBytes(order?.epoch ?? 0, 8),
        bigEndianBytes(order?.quorumId ?? 0, 4),
        bigEndianBytes(0, 4),
      );
      equal(toHex(commitment), toHex(expected));
      const [readStatus, body] = await get(`/get/${toHex(commitment)}`);
      equal(readStatus, 200);
      deepEqual(Buffer.from(body), Buffer.from(input));
    });
  }

  it('reads a blob in 0G’s frame', async () => {
    const input = payloadOf(500, 77);
    const [, commitment] = await post('/put', input);
    const epoch = bigEndianBytes(quorum.chain.epoch, 8).reverse();
    const framed = concatBytes(
      Uint8Array.of(1, 0x47),
      epoch,
      new Uint8Array(8),
      commitment.slice(2, 34),
    );
    const [status, body] = await get(`/get/${toHex(framed)}`);
    equal(status, 200);
    deepEqual(Buffer.from(body), Buffer.from(input));
  });

  it('takes the vectors’ 0G commitment for what it says', () => {
    const { zgGeneric } = vectors;
    equal(zgGeneric.calldata, `01${zgGeneric.commitment}`);
    const parsed = parseOpCommitment(zgGeneric.get.slice('/get/'.length));
    deepEqual(parsed.kind === 'generic' && { ...parsed, commitment: toHex(parsed.commitment) }, {
      kind: 'generic',
      commitment: `0x${zgGeneric.root}`,
      epoch: zgGeneric.epoch,
      quorumId: zgGeneric.quorumId,
      shardId: undefined,
    });
  });

  it('says 404 only when absence is certain', async () => {
    const framed = (root: string): string =>
      `/get/0x01${OP_LAYER_BYTE.toString(16)}${root}${'00'.repeat(7)}01${'00'.repeat(8)}`;
    const unknown = framed('ee'.repeat(32));
    equal((await get(unknown))[0], 404, 'every member says it keeps no row');
    quorum.unreachable.add(3);
    equal((await get(unknown))[0], 503, 'one member cannot be asked');
    quorum.unreachable.delete(3);
    const ofNoEpoch = unknown.replace(`${'00'.repeat(7)}01`, `${'00'.repeat(7)}63`);
    equal((await get(ofNoEpoch))[0], 503, 'an epoch may come');
  });

  it('says 400 to what is no commitment', async () => {
    for (const path of ['/get/0x', '/get/zz', '/get/0x02ab', '/get/0x00ab', '/get/0x0143ab']) {
      equal((await get(path))[0], 400, path);
    }
    equal((await post(`/put/0x01${'00'.repeat(49)}`, hello))[0], 400);
  });

  it('says 503 when no quorum signs in time, and the commitment later', async () => {
    for (const signer of quorum.signers.slice(0, 2)) signer.manner = 'silent';
    const input = payloadOf(333, 8);
    const hasty = await openDoors(quorum, running, 1500);
    equal((await post('/put', input, hasty.address.url))[0], 503);
    await hasty.stop();
    for (const signer of quorum.signers) signer.manner = 'honest';
    equal((await post('/put', input))[0], 200);
  });
});
