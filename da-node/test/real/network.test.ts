import { deepEqual, equal, fail, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { encodeEpochHeader, encodeMember, encodeSnapshot } from '@cairn/attestation';
import { loadRowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { createP2pHost, randomP2pKey } from '@cairn/node-runtime/p2p';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import {
  equalBytes,
  fromHex,
  type HttpTransport,
  KIB,
  MIB,
  type Root,
  rootOf,
  seededRng,
  silentLogger,
  systemClock,
  toHex,
} from '@cairn/primitives';
import {
  BLOBS_PATH,
  type BlobReceipt,
  certificatePath,
  DA_STATUS_PATH,
  parseBlobReceipt,
  parseSignerStatus,
  payloadPath,
  RECEIPT_STAGES,
  type ReceiptStage,
  receiptPath,
} from '@cairn/wire-protocol/da';
import { hasAnvil, testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { bundleProgram } from '../../../test/support/bundle-program.ts';
import { ByteBudget } from '../../src/byte-budget.ts';
import { ChainEpochs } from '../../src/chain/chain-epochs.ts';
import { dispersalNetworkOf } from '../../src/create-disperser.ts';
import { signerPeers } from '../../src/reach-signers.ts';
import { type ReadBlob, readBlob, type WantedBlob } from '../../src/retriever/read-blob.ts';
import { httpSignerPeers } from '../../src/signer-peers.ts';
import { DaNetwork, until } from './da-network.ts';
import type { DaProcess } from './da-process.ts';
import { RollupClients } from './rollup-clients.ts';

const OFFLINE = fileURLToPath(new URL('./verify-offline.ts', import.meta.url));
const WAIT_SECONDS = 100;

describe('a network of data availability', () => {
  const rng = seededRng(20_261_122);
  const payloadOf = (bytes: number): Uint8Array => rng.fill(new Uint8Array(bytes));
  const transport = createNodeTransport();
  let network: DaNetwork;
  /** Everything that was posted, by id. */
  const posted = new Map<Root, Uint8Array>();
  const rollups = (): RollupClients => new RollupClients(network);
  const certificates: Record<'eigenda' | 'nitro', Uint8Array> = {
    eigenda: new Uint8Array(0),
    nitro: new Uint8Array(0),
  };

  before(async function () {
    if (!hasAnvil) this.skip();
    network = await DaNetwork.start();
    try {
      await network.beginFirstEpoch();
    } catch (error) {
      tell();
      throw error;
    }
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed') tell();
  });
  after(async () => {
    await transport.close();
    await network?.stop();
  });

  /** What the processes wrote, to tell why something failed. */
  const tell = (): void => {
    for (const { account, said } of network.processes) {
      process.stderr.write(`${account}:\n${said.slice(-3000)}\n`);
    }
  };
  const door = (path: string): string => `${network.disperser.url('disperser')}${path}`;
  const post = async (payload: Uint8Array, wait: ReceiptStage): Promise<BlobReceipt> => {
    const id = rootOf(createHash('sha256').update(payload).digest());
    posted.set(id, payload);
    const url = door(`${BLOBS_PATH}?wait=${wait}&timeout=${WAIT_SECONDS}`);
    const headers = { 'content-type': 'application/octet-stream' };
    const reply = await fetch(url, { method: 'POST', headers, body: Buffer.from(payload) });
    const receipt = parseBlobReceipt(await reply.json());
    equal(receipt.id, id);
    return receipt;
  };
  const reached = async (id: Root, stage: ReceiptStage): Promise<BlobReceipt> => {
    let receipt: BlobReceipt | undefined;
    await until(`the stage ${stage}`, async () => {
      const reply = await fetch(door(receiptPath(id, { stage, timeoutSeconds: WAIT_SECONDS })));
      receipt = parseBlobReceipt(await reply.json());
      const [is, wanted] = [receipt.stage, stage].map((one) => RECEIPT_STAGES.indexOf(one));
      return Number(is) >= Number(wanted);
    }).catch((error: unknown) => {
      throw new Error(`${receipt?.stage}: ${receipt?.trouble?.detail}`, { cause: error });
    });
    return receipt ?? fail();
  };
  const wantedOf = ({ commitment, epoch, quorumId }: BlobReceipt): WantedBlob => {
    if (commitment === undefined || epoch === undefined || quorumId === undefined) {
      throw new Error('the receipt does not say where the blob is');
    }
    return { commitment: fromHex(commitment), epoch, quorumId };
  };

  it('disperses one byte, 128 KiB and a mebibyte, and confirms them', async () => {
    for (const bytes of [1, 128 * KIB, MIB]) {
      const receipt = await post(payloadOf(bytes), 'dispersed');
      equal(receipt.stage, 'dispersed', receipt.trouble?.detail);
      equal(receipt.sizeBytes, bytes);
    }
    for (const id of posted.keys()) {
      const { transaction } = await reached(id, 'confirmed');
      match(transaction ?? '', /^0x[0-9a-f]{64}$/);
    }
  });

  it('makes certificates that a program with the epoch alone verifies', async () => {
    const { hub, entrance, epochs, chainId } = network.chain;
    const program = await bundleProgram(OFFLINE);
    for (const id of posted.keys()) {
      const reply = await fetch(door(certificatePath(id)));
      const certificate = new Uint8Array(await reply.arrayBuffer());
      const receipt = parseBlobReceipt(await (await fetch(door(receiptPath(id)))).json());
      const { epoch, quorumId, commitment } = wantedOf(receipt);
      const place = { epoch, quorumId };
      const { snapshot, members } = await epochs.committee(place, { signal: testSignal() });
      const file = join(network.folder, `${id}.json`);
      const known = {
        chainId,
        hub: hub.network.hub,
        entrance: entrance.domain.address,
        office: toHex(encodeEpochHeader(snapshot.office)),
        snapshot: toHex(encodeSnapshot(snapshot)),
        members: members.map((member) => toHex(encodeMember(member))),
        nowSeconds: Math.floor(Date.now() / 1000),
        certificate: toHex(certificate),
      };
      await writeFile(file, JSON.stringify(known));
      const { stdout } = await promisify(execFile)(process.execPath, [program.path, file]);
      const proven = JSON.parse(stdout);
      equal(proven.commitment, toHex(commitment));
      equal(proven.sizeBytes, receipt.sizeBytes);
      ok(3 * proven.signedWeight > 2 * proven.totalWeight);
    }
    await program.remove();
  });

  it('gives payloads back, from the quorum once they are final', async () => {
    for (const [id, payload] of posted) {
      await reached(id, 'final');
      const reply = await fetch(door(payloadPath(id)));
      ok(equalBytes(new Uint8Array(await reply.arrayBuffer()), payload));
    }
  });

  it('says over libp2p what it says over HTTP, to whoever asks', async () => {
    const [signer] = network.signers;
    if (signer === undefined) throw new Error('there is no signer');
    const [clock, logger] = [systemClock(), silentLogger()];
    const reader = await createP2pHost({ key: randomP2pKey(), listen: [], clock, logger });
    try {
      const peers = signerPeers({ transport, p2p: reader });
      const signal = testSignal();
      for (const id of posted.keys()) {
        const receipt = parseBlobReceipt(await (await fetch(door(receiptPath(id)))).json());
        const commitment = rootOf(wantedOf(receipt).commitment);
        const held = await peers.held(signer.url('p2p'), commitment, { signal });
        deepEqual(held, await peers.held(signer.url('signer'), commitment, { signal }));
        const indexes = [held?.slices[0]?.firstRow ?? 0];
        const request = { commitment, indexes, form: 'full' as const };
        const rows = await peers.rows(signer.url('p2p'), request, { signal });
        deepEqual(rows, await peers.rows(signer.url('signer'), request, { signal }));
      }
    } finally {
      await reader.stop();
    }
  });

  it('serves clients of the OP Stack', async () => {
    const payload = payloadOf(5000);
    const put = await fetch(door('/put'), { method: 'POST', body: Buffer.from(payload) });
    equal(put.status, 200);
    const commitment = new Uint8Array(await put.arrayBuffer());
    const got = await fetch(door(`/get/${toHex(commitment)}`));
    equal(got.status, 200);
    ok(equalBytes(new Uint8Array(await got.arrayBuffer()), payload));
  });

  it('serves clients of an EigenDA proxy', async () => {
    const payload = payloadOf(3000);
    certificates.eigenda = await rollups().putEigenda(payload);
    ok(equalBytes(await rollups().getEigenda(certificates.eigenda), payload));
  });

  it('serves Arbitrum nodes, and the contract of their chain says the same', async () => {
    const payload = payloadOf(70_000);
    const certificate = await rollups().storeNitro(payload);
    certificates.nitro = certificate;
    ok(equalBytes(await rollups().recoverNitro(certificate), payload));
    equal(await rollups().claimNitro(certificate), true);
    equal(await rollups().isValidOnChain(certificate), true);
    for (const offset of [0, 32, 64_000, 69_990, 70_000]) {
      const read = await rollups().readOnChain(certificate, offset);
      equal(toHex(read), toHex(payload.subarray(offset, offset + 32)), `offset ${offset}`);
    }
    for (const at of [0, 40, 60, 100, certificate.length - 1]) {
      const other = certificate.map((byte, index) => (index === at ? byte ^ 1 : byte));
      equal(await rollups().isValidOnChain(other), false, `byte ${at}`);
    }
  });

  it('keeps blobs readable, and its queue, when the disperser and a signer are killed', async () => {
    const receipts = await Promise.all(
      [...posted.keys()].map(async (id) =>
        parseBlobReceipt(await (await fetch(door(receiptPath(id)))).json()),
      ),
    );
    const last = await post(payloadOf(300 * KIB), 'accepted');
    equal(last.stage, 'accepted');
    await Promise.all([network.disperser.kill(), network.signers[3]?.kill()]);

    const read = await openReader(network, transport);
    for (const receipt of receipts) {
      const { payload } = await read(wantedOf(receipt));
      deepEqual(createHash('sha256').update(payload).digest('hex'), receipt.id.slice(2));
    }

    await network.disperser.start();
    const { eigenda, nitro } = certificates;
    equal((await rollups().getEigenda(eigenda)).length, 3000);
    equal((await rollups().recoverNitro(nitro)).length, 70_000);
    await reached(last.id, 'final');
    const { payload } = await read(wantedOf(await reached(last.id, 'final')));
    ok(equalBytes(payload, posted.get(last.id) ?? new Uint8Array(0)));
  });

  it('takes a signer back that was killed, with what it held and where it is now', async () => {
    const [signer] = network.signers.slice(3);
    if (signer === undefined) throw new Error('there is no fourth signer');
    await signer.start();
    const before = await heldBy(signer);
    ok(before >= 3, `${before} blobs are held`);
    const { signers } = network.chain;
    await until('its new address', async () => {
      await signers.refresh({ signal: testSignal() });
      return signers.get(signer.account)?.socket === signer.url('signer');
    });
    await until('rows of new blobs', async () => {
      await post(payloadOf(1000), 'dispersed'); // until the disperser knows the new address
      return (await heldBy(signer)) > before;
    });
  });

  it('stops within its time when it is told to', async () => {
    equal(await network.disperser.kill('SIGTERM'), 0);
    equal(await network.signers[0]?.kill('SIGTERM'), 0);
    equal(await network.keeper.kill('SIGTERM'), 0);
  });
});

/** Blobs of which a signer holds rows. */
async function heldBy(signer: DaProcess): Promise<number> {
  const reply = await fetch(`${signer.url('signer')}${DA_STATUS_PATH}`);
  return parseSignerStatus(await reply.json()).heldBlobs;
}

/** A reader of blobs that needs no disperser: the chain and the signers alone. */
async function openReader(
  network: DaNetwork,
  transport: HttpTransport,
): Promise<(wanted: WantedBlob) => Promise<ReadBlob>> {
  const { chain } = network;
  const signal = testSignal(900_000);
  const [clock, logger] = [systemClock(), silentLogger()];
  const epochs = new ChainEpochs(
    { chain, sender: undefined, clock, logger, stopping: signal },
    { pollMs: 100, socketsMs: 10_000 },
  );
  const deps = {
    epochs,
    peers: httpSignerPeers(transport),
    codec: await loadWasmCodec(),
    suites: [await loadRowSuite(0)],
    combiner: await loadWasmCombiner(),
    layout: dispersalNetworkOf(chain).layout,
    budget: new ByteBudget({ maxBytes: 64 * MIB, maxWaiting: 16 }),
    clock,
    logger,
    timeoutMs: 20_000,
    hedgeMs: 500,
  };
  return (wanted) => readBlob(wanted, deps, { signal });
}
