import { deepEqual, equal, ok } from 'node:assert/strict';
import { parseCertificate } from '@cairn/attestation';
import type { HttpHost } from '@cairn/node-runtime/http';
import { type BlobReceipt, parseBlobReceipt } from '@cairn/wire-protocol/da';
import { blobIdOf } from '../../src/disperser/blob-id.ts';
import { backend, NETWORK } from '../dispersal/committee.ts';
import { openDoors } from '../dispersal/doors-host.ts';
import { payloadOf, type RunningDisperser, TestQuorum } from '../dispersal/harness.ts';

describe('REST door', () => {
  let quorum: TestQuorum;
  let running: RunningDisperser;
  let host: HttpHost;
  let url: string;

  before(async () => {
    quorum = await TestQuorum.open();
    running = await quorum.disperser();
    host = await openDoors(quorum, running);
    ({ url } = host.address);
  });
  after(async () => {
    await host.stop();
    await running.stop();
    await quorum.close();
  });

  const post = (path: string, body: Uint8Array): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', body: Buffer.from(body) });

  async function receiptIn(reply: Response): Promise<BlobReceipt> {
    return parseBlobReceipt(await reply.json());
  }

  it('accepts, tells each stage, and gives certificate and payload back', async () => {
    const payload = payloadOf(40_000, 5);
    const reply = await post('/v1/blobs', payload);
    equal(reply.status, 202);
    const accepted = await receiptIn(reply);
    equal(accepted.id, blobIdOf(payload));
    equal(reply.headers.get('location'), `/v1/blobs/${accepted.id}`);
    equal(accepted.chainId, NETWORK.entrance.chainId);
    equal(accepted.sizeBytes, 40_000);

    const watched = await fetch(`${url}/v1/blobs/${accepted.id}?wait=final&timeout=10`);
    const final = await receiptIn(watched);
    equal(final.stage, 'final');
    ok(final.transaction !== undefined && final.batchRoot !== undefined);

    const certificate = await fetch(`${url}/v1/blobs/${accepted.id}/certificate`);
    equal(certificate.headers.get('content-type'), 'application/vnd.cairn.certificate');
    const parsed = parseCertificate(new Uint8Array(await certificate.arrayBuffer()), backend);
    equal(parsed.epoch, final.epoch);

    const read = await fetch(`${url}/v1/blobs/${accepted.id}/payload`);
    equal(read.headers.get('access-control-allow-origin'), '*');
    deepEqual(Buffer.from(await read.arrayBuffer()), Buffer.from(payload));
  });

  it('waits for a stage in the posting request itself, and knows the payload again', async () => {
    const payload = payloadOf(700, 6);
    const first = await post('/v1/blobs?wait=final&timeout=10', payload);
    equal(first.status, 200);
    const again = await receiptIn(await post('/v1/blobs', payload));
    deepEqual(again, await receiptIn(first));
  });

  it('answers with what there is once the time is over', async () => {
    quorum.chain.isUp = false;
    try {
      const posted = await receiptIn(
        await post('/v1/blobs?wait=confirmed&timeout=3', payloadOf(10)),
      );
      equal(posted.stage, 'dispersed');
    } finally {
      quorum.chain.isUp = true;
      quorum.chain.wake();
    }
  });

  it('answers faults as problems', async () => {
    const unknown = `0x${'ab'.repeat(32)}`;
    const cases = [
      [await post('/v1/blobs', new Uint8Array(0)), 422, 'BLOB_EMPTY'],
      [await fetch(`${url}/v1/blobs/${unknown}`), 404, 'BLOB_NOT_TAKEN'],
      [await fetch(`${url}/v1/blobs/${unknown}/payload`), 404, 'BLOB_NOT_TAKEN'],
      [await fetch(`${url}/v1/blobs/${unknown}?wait=done`), 400, 'WIRE_MALFORMED'],
      [await fetch(`${url}/v1/blobs/0x12`), 400, 'WIRE_MALFORMED'],
    ] as const;
    for (const [reply, status, code] of cases) {
      equal(reply.status, status, code);
      ok(reply.headers.get('content-type')?.startsWith('application/problem+json'));
      equal(((await reply.json()) as { code: string }).code, code);
    }
  });

  it('is in the OpenAPI document', async () => {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
    };
    for (const path of ['/v1/blobs', '/v1/blobs/{id}', '/v1/blobs/{id}/certificate']) {
      ok(path in paths, path);
    }
  });
});
