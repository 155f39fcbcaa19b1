import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { loadRowSuite } from '@cairn/commitments/rows';
import { loadWasmCodec, loadWasmCombiner } from '@cairn/erasure-codec';
import { createP2pHost, type P2pHost, randomP2pKey } from '@cairn/node-runtime/p2p';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { isFault, MIB, rootOf, silentLogger, systemClock } from '@cairn/primitives';
import {
  encodeRowRequest,
  HELD_QUESTION,
  isPeerAddress,
  parseRowReply,
  ROWS_QUESTION,
} from '@cairn/wire-protocol/da';
import { ByteBudget } from '../../src/byte-budget.ts';
import { signerPeers } from '../../src/reach-signers.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import { EPOCH, SIGNER_NETWORK, type TestBlob, World } from '../signer/world.ts';

const { signal } = new AbortController();
const isCode = (code: string) => (error: unknown) => isFault(error, code);

describe('rows over libp2p', () => {
  const clock = systemClock();
  const logger = silentLogger();
  const transport = createNodeTransport();
  const world = new World(3);
  const signers: RunningSigner[] = [];
  const hosts: P2pHost[] = [];
  let reader: P2pHost;
  let blob: TestBlob;

  const addressAt = (index: number): string => hosts[index]?.addresses[0] ?? '';

  before(async () => {
    blob = await world.submitted({ bytes: 700_000 });
    for (let index = 0; index < 3; index += 1) {
      const signer = await RunningSigner.start(world, index);
      signers.push(signer);
      await signer.deliver(blob);
      const host = await createP2pHost({ key: randomP2pKey(), clock, logger });
      hosts.push(host);
      await signer.signer.answerOver(host);
    }
    reader = await createP2pHost({ key: randomP2pKey(), listen: [], clock, logger });
  });
  after(async () => {
    await Promise.all([reader, ...hosts].map((host) => host.stop()));
    await transport.close();
    for (const signer of signers) await signer.remove();
  });

  /** Reads the blob from signers that are reached at these sockets. */
  async function readFrom(
    sockets: readonly string[],
    p2p: P2pHost | 'none' = reader,
  ): Promise<{ readonly payload: Uint8Array; readonly blamed: number }> {
    const addresses = new Map(sockets.map((socket, index) => [world.addressOf(index), socket]));
    const { payload, blamed } = await readBlob(
      { commitment: blob.header.commitment, epoch: EPOCH, quorumId: blob.quorumId },
      {
        epochs: {
          committee: (epoch, quorumId) => world.chain.committee(epoch, quorumId),
          socketOf: async (signer) => addresses.get(signer),
        },
        peers: signerPeers({ transport, p2p: p2p === 'none' ? undefined : p2p }),
        codec: await loadWasmCodec(),
        suites: [await loadRowSuite(0)],
        combiner: await loadWasmCombiner(),
        layout: SIGNER_NETWORK.layout,
        budget: new ByteBudget({ maxBytes: 64 * MIB, maxWaiting: 4 }),
        clock,
        logger,
        timeoutMs: 8000,
        hedgeMs: 4000,
      },
      { signal },
    );
    return { payload, blamed: blamed.length };
  }

  it('make up a blob that no signer gives over HTTP, the same bytes as over HTTP', async () => {
    const addresses = [0, 1, 2].map(addressAt);
    ok(addresses.every(isPeerAddress));
    const overP2p = await readFrom(addresses);
    equal(overP2p.blamed, 0);
    equal(overP2p.payload.length, 700_000);
    const overHttp = await readFrom(signers.map(({ url }) => url));
    deepEqual(overP2p.payload, overHttp.payload);
    ok(reader.counts.connections === 3);
    const mixed = await readFrom([signers[0]?.url ?? '', addressAt(1), addressAt(2)]);
    deepEqual(mixed.payload, overHttp.payload);
  });

  it('are those that the HTTP door gives, in both forms', async () => {
    const [signer] = signers;
    if (signer === undefined) throw new Error('no signer runs');
    const commitment = rootOf(blob.header.commitment);
    const own = world.rowsFor(0, blob).slice(0, 5);
    const other = world.rowsFor(1, blob).slice(0, 1);
    const peers = signerPeers({ transport, p2p: reader });
    for (const form of ['full', 'bare'] as const) {
      const request = { commitment, indexes: [...other, ...own], form };
      const rows = await peers.rows(addressAt(0), request, { signal });
      equal(rows.length, own.length);
      deepEqual(rows, await peers.rows(signer.url, request, { signal }));
    }
    const held = await peers.held(addressAt(0), commitment, { signal });
    deepEqual(held, await peers.held(signer.url, commitment, { signal }));
  });

  it('come in replies of a mebibyte at most, for as many requests as it takes', async () => {
    const commitment = rootOf(blob.header.commitment);
    const indexes = world.rowsFor(0, blob).slice(0, 256);
    const request = encodeRowRequest({ commitment, indexes, form: 'full' });
    const reply = await reader.request(addressAt(0), ROWS_QUESTION, request, { signal });
    ok(reply.length <= MIB);
    ok(parseRowReply(reply).length <= indexes.length);
  });

  it('are refused by the codes of the HTTP door', async () => {
    const peers = signerPeers({ transport, p2p: reader });
    const unknown = rootOf(new Uint8Array(32).fill(9));
    equal(await peers.held(addressAt(0), unknown, { signal }), undefined);
    const request = { commitment: unknown, indexes: [0], form: 'full' as const };
    await rejects(peers.rows(addressAt(0), request, { signal }), (error) => {
      ok(isFault(error, 'P2P_REFUSED') && 'reply' in error.facts);
      return error.facts.reply === 'ROWS_NOT_HELD';
    });
    for (const question of [ROWS_QUESTION, HELD_QUESTION]) {
      const asked = reader.request(addressAt(0), question, Uint8Array.of(1, 2, 3), { signal });
      await rejects(asked, (error) => {
        ok(isFault(error, 'P2P_REFUSED') && 'reply' in error.facts);
        return error.facts.reply === 'WIRE_LENGTH';
      });
    }
  });

  it('are all that a signer without an http address gives', async () => {
    const peers = signerPeers({ transport, p2p: reader });
    const batch = { epoch: EPOCH, quorumId: 0, orders: [] };
    await rejects(peers.vote(addressAt(0), batch, { signal }), isCode('SIGNER_NO_HTTP'));
  });

  it('are not asked for where libp2p is not in use', async () => {
    const peers = signerPeers({ transport, p2p: undefined });
    const request = {
      commitment: rootOf(blob.header.commitment),
      indexes: [0],
      form: 'full' as const,
    };
    await rejects(peers.rows(addressAt(0), request, { signal }), isCode('SIGNER_NO_P2P'));
    const { blamed } = await readFrom(
      [addressAt(0), ...signers.slice(1).map(({ url }) => url)],
      'none',
    );
    ok(blamed >= 1);
  });
});
