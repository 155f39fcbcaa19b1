import { equal, ok, rejects } from 'node:assert/strict';
import { promisedIndex } from '@cairn/attestation';
import { loadRowSuite } from '@cairn/commitments/rows';
import { commitBlob, loadWasmCodec, loadWasmCombiner, packedSliceOf } from '@cairn/erasure-codec';
import {
  type HttpReply,
  type HttpRequest,
  type HttpTransport,
  parseRoot,
  silentLogger,
  systemClock,
  utf8Bytes,
} from '@cairn/primitives';
import type { BlobOrder } from '../../src/disperser/blob-order.ts';
import { deliverSlices, deliveryMs } from '../../src/disperser/deliver-slices.ts';
import { findHeader } from '../../src/retriever/find-header.ts';
import type { ReaderDeps } from '../../src/retriever/read-blob.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { committeeOf, NETWORK } from './committee.ts';
import { payloadOf } from './harness.ts';

const { signal } = new AbortController();
const commitment = parseRoot(`0x${'ab'.repeat(32)}`);

/** Answers everything alike, and keeps what was sent. */
function answering(status: number, body: unknown, sent: HttpRequest[] = []): HttpTransport {
  const bytes = typeof body === 'string' ? utf8Bytes(body) : utf8Bytes(JSON.stringify(body));
  const reply: HttpReply = {
    status,
    headers: {},
    async *stream() {
      yield bytes;
    },
    bytes: async () => bytes,
    discard: async () => undefined,
  };
  const send = async (request: HttpRequest): Promise<HttpReply> => {
    sent.push(request);
    return reply;
  };
  return { send, close: async () => undefined };
}

const problem = (code: string) => ({
  type: 'urn:x',
  title: 'No',
  status: 404,
  detail: 'no',
  code,
  retry: 'elsewhere',
});

describe('signers’ doors over HTTP', () => {
  it('take only a signer’s own word for rows that it does not keep', async () => {
    const held = (status: number, body: unknown) =>
      httpSignerPeers(answering(status, body)).held('http://signer', commitment, { signal });
    equal(await held(404, problem('ROWS_NOT_HELD')), undefined);
    await rejects(held(404, problem('NOT_FOUND')), { code: 'SIGNER_REFUSED' });
    await rejects(held(404, '<html>no such page</html>'), { code: 'SIGNER_REFUSED' });
  });

  it('are not believed where they keep a blob and no row of it', async () => {
    const empty = { commitment, sizeBytes: 10, suite: 0, slices: [] };
    const deps = {
      peers: { held: async () => empty },
      layout: NETWORK.layout,
      clock: systemClock(),
      timeoutMs: 1000,
      blame: () => undefined,
    } as unknown as ReaderDeps;
    const wanted = { commitment: new Uint8Array(32).fill(0xab), epoch: 1, quorumId: 0 };
    const holders = committeeOf(1, [1], { startSeconds: 1, endSeconds: 2 }).members.map(
      ({ index, signer, seats }) => ({ index, signer, seats, socket: 'http://signer' }),
    );
    await rejects(findHeader(wanted, holders, deps, { signal }), { code: 'BLOB_UNAVAILABLE' });
  });

  it('get more time for a longer slice, the connection as well', async () => {
    const patience = { timeoutMs: 60_000, attempts: 1, delayMs: 1, laggardMs: 0 };
    equal(deliveryMs(64_000_000, patience), 60_000 + 1_000_000);
    const tools = { codec: await loadWasmCodec(), suite: await loadRowSuite(0) };
    const options = { ...tools, combiner: await loadWasmCombiner(), signal };
    const blob = await commitBlob(payloadOf(100_000), NETWORK.layout, options);
    const committee = committeeOf(1, [1], { startSeconds: 1, endSeconds: 2 });
    const timeouts: number[] = [];
    const deliver = async (_: string, __: unknown, { timeoutMs }: { timeoutMs: number }) => {
      timeouts.push(timeoutMs);
      return 1;
    };
    const deps = {
      peers: { deliver },
      epochs: { socketOf: async () => 'http://signer' },
      suites: [tools.suite],
      clock: systemClock(),
      logger: silentLogger(),
      metrics: { sentBytes: { add: () => undefined }, deliveries: { add: () => undefined } },
      patience,
    };
    const plan = { blob, order: {} as BlobOrder, committee, holders: [] };
    await deliverSlices(plan, deps, { signal }).all;
    const rowsBytes = blob.layout.rows * blob.layout.rowBytes;
    ok((timeouts[0] ?? 0) >= deliveryMs(rowsBytes, patience), `${timeouts[0]} ms`);

    const sent: HttpRequest[] = [];
    const slice = await packedSliceOf(blob, { start: 0, count: 1 }, { signal });
    const order = { epoch: 1, header: HEADER, promise: PROMISE } as BlobOrder;
    const peers = httpSignerPeers(answering(200, '', sent));
    await peers.deliver('http://signer', { order, slice }, { timeoutMs: 77_000, signal });
    equal(sent[0]?.timeoutMs, 77_000);
    blob.held.release();
  });
});

const HEADER = {
  suite: 0,
  log2K: 6,
  cosets: 3,
  rowSizeBytes: 1600,
  sizeBytes: 100_000,
  commitment: new Uint8Array(32),
  submitter: `0x${'11'.repeat(20)}`,
  shardId: 0,
  submissionIndex: promisedIndex({ epoch: 1, slot: 0 }),
  expirySeconds: 1,
};
const PROMISE = {
  retentionEpochs: 1,
  signBySeconds: 1,
  maxFeeWei: 1n,
  payerSignature: new Uint8Array(65),
};
