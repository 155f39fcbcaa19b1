import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseCertificate, verifyBlobCertificate } from '@cairn/attestation';
import type { HttpHost } from '@cairn/node-runtime/http';
import { concatBytes, fromHex, MIB, toHex } from '@cairn/primitives';
import { CERTIFICATE_VERSION } from '../../src/doors/eigenda/certificate.ts';
import { backend, ENTRANCE, NETWORK } from '../dispersal/committee.ts';
import { openDoors } from '../dispersal/doors-host.ts';
import { payloadOf, type RunningDisperser, TestQuorum } from '../dispersal/harness.ts';
import { MemoryFacts } from '../dispersal/memory-facts.ts';

/** Exchanges of clients of an EigenDA proxy; see the file itself. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/eigenda-proxy.json', import.meta.url), 'utf8'),
) as {
  readonly payload: string;
  readonly put: string;
  readonly get: string;
  readonly eigendaVersions: readonly number[];
};

describe('EigenDA proxy door', () => {
  const hello = fromHex(vectors.payload);
  let quorum: TestQuorum;
  let running: RunningDisperser;
  let facts: MemoryFacts;
  let host: HttpHost;
  let url: string;

  before(async () => {
    quorum = await TestQuorum.open();
    facts = new MemoryFacts(quorum.chain);
    running = await quorum.disperser();
    host = await openDoors(quorum, running, 10_000, { facts, getTimeoutMs: 10_000 });
    url = host.address.url;
  });

  after(async () => {
    await host?.stop();
    await running?.stop();
    await quorum?.close();
  });

  const read = async (reply: Response): Promise<[number, Uint8Array]> => [
    reply.status,
    new Uint8Array(await reply.arrayBuffer()),
  ];
  const post = async (body: Uint8Array, path = vectors.put): Promise<[number, Uint8Array]> =>
    read(await fetch(`${url}${path}`, { method: 'POST', body: Buffer.from(body) }));
  const get = async (
    certificate: Uint8Array,
    query = '',
    prefix = '0x',
  ): Promise<[number, Uint8Array]> => {
    const name = `${prefix}${toHex(certificate).slice(2)}`;
    return read(await fetch(`${url}/get/${name}?commitment_mode=standard${query}`));
  };
  const dropCode = async (certificate: Uint8Array, query = ''): Promise<unknown> => {
    const [status, body] = await get(certificate, query);
    equal(status, 418, new TextDecoder().decode(body));
    const { StatusCode, Msg, ...rest } = JSON.parse(new TextDecoder().decode(body)) as Record<
      string,
      unknown
    >;
    deepEqual(rest, {});
    ok(typeof Msg === 'string' && Msg.length > 10);
    return StatusCode;
  };

  it('answers its clients’ exchange: a put with certificate bytes, and a get with the payload', async () => {
    const [status, certificate] = await post(hello);
    equal(status, 200);
    equal(certificate[0], CERTIFICATE_VERSION);
    ok(!vectors.eigendaVersions.includes(CERTIFICATE_VERSION));
    const path = vectors.get
      .replace('<certificate>', toHex(certificate).slice(2))
      .replace('<block>', String(Math.floor(quorum.chain.nowSeconds)));
    const [readStatus, body] = await read(await fetch(`${url}${path}`));
    equal(readStatus, 200);
    deepEqual(Buffer.from(body), Buffer.from(hello));
    deepEqual((await get(certificate, '', ''))[0], 200, 'without 0x');
  });

  it('gives out a certificate that proves itself with nothing but the epoch’s members', async () => {
    const [, bytes] = await post(payloadOf(2000, 3));
    const certificate = parseCertificate(bytes.subarray(1), backend);
    const committee = quorum.chain.committeeAt(certificate.epoch);
    const { network, shardId } = NETWORK;
    const place = { network, entrance: ENTRANCE, shardId, maxMembers: 32 };
    const context = { ...place, snapshot: committee.snapshot, committee };
    const { header } = verifyBlobCertificate(
      certificate,
      { ...context, time: { isConfirmed: true } },
      backend,
    );
    equal(header.sizeBytes, 2000);
  });

  it('reads on another disperser, which has never seen the blob', async () => {
    const [, certificate] = await post(payloadOf(3000, 4));
    const stranger = { ...running, disperser: strange(running) } as unknown as RunningDisperser;
    const other = await openDoors(quorum, stranger, 10_000, { facts, getTimeoutMs: 10_000 });
    const name = toHex(certificate).slice(2);
    const reply = await fetch(`${other.address.url}/get/${name}?commitment_mode=standard`);
    const [status, body] = await read(reply);
    await other.stop();
    equal(status, 200);
    deepEqual(Buffer.from(body), Buffer.from(payloadOf(3000, 4)));
  });

  it('leaves the OP Stack’s clients to their own door', async () => {
    for (const mode of ['', '?commitment_mode=optimism_generic']) {
      const [status, commitment] = await post(payloadOf(100, 5), `/put${mode}`);
      equal(status, 200);
      equal(commitment.length, 50);
      const reply = await fetch(`${url}/get/${toHex(commitment)}${mode}`);
      deepEqual(Buffer.from((await read(reply))[1]), Buffer.from(payloadOf(100, 5)));
    }
    equal((await post(hello, '/put?commitment_mode=simple'))[0], 400);
    equal((await fetch(`${url}/get/0x01?commitment_mode=a&commitment_mode=b`)).status, 400);
  });

  it('drops what is no certificate of this network, with the reason’s code', async () => {
    const [, certificate] = await post(payloadOf(700, 6));
    for (const version of vectors.eigendaVersions) {
      equal(await dropCode(concatBytes(Uint8Array.of(version), certificate.subarray(1))), 1);
    }
    equal(await dropCode(certificate.subarray(0, -1)), 1, 'cut short');
    equal(await dropCode(concatBytes(certificate, Uint8Array.of(0))), 1, 'longer');
    equal(await dropCode(altered(certificate, 1 + 34 + 7)), 3, 'another chain');
    equal(await dropCode(altered(certificate, 1 + 78 + 2 + 20)), 3, 'another commitment');
    equal(await dropCode(certificateOfEpoch(certificate, 2n ** 40n)), 3, 'an epoch to come');
  });

  it('decides nothing about an epoch that begins in the next block', async () => {
    const [, certificate] = await post(payloadOf(700, 6));
    const next = certificateOfEpoch(certificate, BigInt(quorum.chain.epoch + 1));
    equal((await get(next))[0], 503);
  });

  it('decides nothing while the batch may yet be confirmed, and drops it when it cannot be', async () => {
    const [, bytes] = await post(payloadOf(800, 7));
    const certificate = parseCertificate(bytes.subarray(1), backend);
    const committee = quorum.chain.committeeAt(certificate.epoch);
    const { network, shardId } = NETWORK;
    const place = { network, entrance: ENTRANCE, shardId, maxMembers: 32 };
    const { statement } = verifyBlobCertificate(
      certificate,
      { ...place, snapshot: committee.snapshot, committee, time: { isConfirmed: true } },
      backend,
    );
    facts.forget(statement.root);
    equal((await get(bytes))[0], 503);
    quorum.chain.pass(200);
    equal(await dropCode(bytes), 2);
  });

  it('drops a certificate that came to the rollup’s chain after the blob’s time', async () => {
    const [, bytes] = await post(payloadOf(900, 8));
    const { nowSeconds } = quorum.chain;
    equal((await get(bytes, `&l1_inclusion_block_number=${nowSeconds}`))[0], 200);
    equal((await get(bytes, '&l1_inclusion_block_number=0'))[0], 200);
    equal((await get(bytes, `&l1_inclusion_block_number=${nowSeconds + 500}`))[0], 503, 'no block');
    quorum.chain.pass(600);
    equal(await dropCode(bytes, `&l1_inclusion_block_number=${nowSeconds + 500}`), 2);
  });

  it('says 503 about a blob that cannot be read now', async () => {
    const [, bytes] = await post(payloadOf(600, 9));
    const stranger = { ...running, disperser: strange(running) } as unknown as RunningDisperser;
    const other = await openDoors(quorum, stranger, 10_000, { facts, getTimeoutMs: 10_000 });
    for (const index of quorum.signers.keys()) quorum.unreachable.add(index);
    const name = toHex(bytes).slice(2);
    const reply = await fetch(`${other.address.url}/get/${name}?commitment_mode=standard`);
    quorum.unreachable.clear();
    await other.stop();
    equal(reply.status, 503);
  });

  it('says 400 to requests that are not its own, and 405 to a put by GET', async () => {
    const standard = 'commitment_mode=standard';
    for (const path of [
      `/get/?${standard}`,
      `/get/zz?${standard}`,
      `/get/0x123?${standard}`,
      `/get/${'00'.repeat(5000)}?${standard}`,
      `/get/43?${standard}&l1_inclusion_block_number=-1`,
      `/get/43?${standard}&l1_inclusion_block_number=0x10`,
      `/get/43?${standard}&return_encoded_payload=true`,
      `/get/43?${standard}&return_encoded_payload`,
    ]) {
      equal((await fetch(`${url}${path}`)).status, 400, path.slice(0, 100));
    }
    equal((await post(hello, `/put/00?${standard}`))[0], 400);
    equal((await post(new Uint8Array(0)))[0], 400);
    equal((await post(new Uint8Array(16 * MIB + 1)))[0], 400);
    equal((await fetch(`${url}/put`)).status, 405);
  });

  it('tells its health and what it is', async () => {
    equal((await fetch(`${url}/health`)).status, 200);
    deepEqual(await (await fetch(`${url}/config`)).json(), {
      version: '0.0.0',
      chain_id: '31337',
      directory_address: ENTRANCE.address,
      cert_verifier_address: ENTRANCE.address,
      max_payload_size_bytes: 16 * MIB,
      apis_enabled: ['op-generic', 'op-keccak', 'standard'],
      read_only_mode: false,
    });
  });
});

/** A disperser that knows no blob. */
function strange({ disperser }: RunningDisperser): object {
  return {
    requireAccount: disperser.requireAccount.bind(disperser),
    findByCommitment: async () => undefined,
    findByKeccak: async () => undefined,
    find: async () => undefined,
    payload: async () => undefined,
  };
}

function altered(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

function certificateOfEpoch(certificate: Uint8Array, epoch: bigint): Uint8Array {
  const copy = certificate.slice();
  new DataView(copy.buffer).setBigUint64(1 + 62, epoch);
  return copy;
}
