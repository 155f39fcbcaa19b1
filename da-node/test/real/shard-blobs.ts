import assert from 'node:assert/strict';
import { encodeMember, encodeSnapshot, parseCertificate } from '@cairn/attestation';
import {
  confirmBatch,
  openEpoch,
  readBatch,
  readEntranceEpoch,
  readTerms,
  refusalOf,
  submitBlobs,
} from '@cairn/chain-access/da';
import { askAboutBlob, proveBlob } from '@cairn/chain-access/shards';
import { createLightClient, startTrust } from '@cairn/light-client';
import { createNodeTransport } from '@cairn/node-runtime/transport';
import { isFault, rootOf, seededRng } from '@cairn/primitives';
import { testSignal } from '../../../foundation/chain-access/test/anvil.ts';
import { BLS, paidBlob } from '../../../foundation/chain-access/test/da-network.ts';
import { until } from '../../../test/support/wait.ts';
import type { OrderPath } from '../../src/disperser/blob-order.ts';
import type { BlobRecord, BlobStage } from '../../src/disperser/blob-record.ts';
import { assertLiesAreRefused } from './lying-endpoints.ts';
import { ShardDisperser } from './shard-disperser.ts';
import type { ShardWorld, TestRelayer } from './shard-world.ts';
import { whileTicking } from './while-ticking.ts';

const options = () => ({ signal: testSignal() });
const rng = seededRng(20_261_123);
const BYTES = 9000;
/** A block is a second of the chain's, whose epoch is a minute: slower blocks where a machine needs many. */
const pauseMs = (blocks: number): number => (blocks < 12 ? 200 : 1000);

/** What the tests of blobs share with others of the same world. */
export interface BlobWorld {
  readonly world: ShardWorld;
  readonly relayer: TestRelayer;
  /** Looks of signers and relayer until nothing more is to be ordered. */
  orderAll(): Promise<number>;
}

/** What two shards do with blobs: tests of a network that others have started. */
export function blobsOfShards(given: () => BlobWorld): void {
  describe('and their blobs', () => {
    let disperser: ShardDisperser;
    let epoch: number;
    /** Confirmed on the shard, by the way they were paid. */
    const blobs = new Map<
      OrderPath,
      { readonly record: BlobRecord; readonly payload: Uint8Array }
    >();

    before(async () => {
      const { world } = given();
      disperser = await ShardDisperser.start(world);
      epoch = await nextEpoch();
      await world.watch();
    });
    after(() => disperser?.stop());

    /** The hub's next epoch, handed over to the shard unless told. */
    const nextEpoch = async (isHandedOver = true): Promise<number> => {
      const { world, relayer } = given();
      const next = await world.turn();
      if (isHandedOver) await relayer.mirror.look(options());
      await world.network.keepTime();
      await world.network.mine(3);
      return next;
    };
    /** Blocks of the shard until a blob is as far. */
    const reached = async (id: BlobRecord['id'], stage: BlobStage): Promise<BlobRecord> => {
      const { network } = given().world;
      return whileTicking(() => network.mine(1), disperser.reached(id, stage), pauseMs);
    };
    const put = async (path: OrderPath): Promise<BlobRecord> => {
      const payload = rng.fill(new Uint8Array(BYTES));
      const { id } = await disperser.put(payload, { path });
      const record = await reached(id, 'final');
      blobs.set(path, { record, payload });
      return record;
    };
    const blobOf = (path: OrderPath) => blobs.get(path) ?? assert.fail(`no blob by ${path}`);

    it('are dispersed, confirmed on the shard that they are of, and read from its signers', async () => {
      const { signers, network } = given().world;
      for (const path of ['promise', 'chain'] as const) {
        const { order, batch } = await put(path);
        assert.equal(order?.header.shardId, 1);
        assert.equal(order.epoch, epoch);
        assert.ok(batch !== undefined);
        assert.equal((await readBatch(network.entrance, batch.root, options()))?.epoch, epoch);
        const onHub = await readBatch(network.hub.entrance, batch.root, options());
        assert.equal(onHub, undefined);
      }
      for (const { signer } of signers) {
        // The quorum does not wait for the last of them.
        await until('its rows', () => signer.status().heldBlobs >= 2);
        assert.equal(signer.status().heldBlobs, 2);
      }
      for (const { record, payload } of blobs.values()) {
        assert.deepEqual(await disperser.read(record), payload);
      }
    });

    it('are verified and sampled by a light client that knows an epoch of the hub', async () => {
      const { world } = given();
      const { network, signers, clock } = world;
      const { settings, domain } = network.entrance;
      const { record } = blobOf('promise');
      const certificate = record.certificate ?? assert.fail('no certificate');
      const { snapshot, members } = await network.epochs.committee(
        { epoch, quorumId: 0 },
        options(),
      );
      const transport = createNodeTransport();
      const open = (entrance: typeof domain, shardId: number) =>
        createLightClient({
          params: { ...settings, minDataRows: 2 ** settings.minLog2K, trustingSeconds: 0 },
          ...{ entrance, shardId, transport, clock, backend: BLS },
          trust: startTrust({
            network: network.hub.hub.network,
            header: snapshot.office,
            snapshot,
          }),
        });
      const offer = {
        certificate,
        snapshot: encodeSnapshot(snapshot),
        members: members.map(encodeMember),
      };
      try {
        const client = await open(domain, settings.shardId);
        const certified = client.verify(offer);
        const sockets = new Map(signers.map(({ address, host }) => [address, host.address.url]));
        const verdict = await client.sample(certified, sockets, options());
        assert.equal(verdict.kind, 'available');
        const hub = network.hub.entrance;
        const elsewhere = await open(hub.domain, hub.settings.shardId);
        assert.throws(
          () => elsewhere.verify(offer),
          (error) => isFault(error, 'CERTIFICATE_FOREIGN'),
        );
      } finally {
        await transport.close();
      }
    });

    it('are found by a light client over both chains, each of whose endpoints is caught lying by name', async () => {
      await assertLiesAreRefused(given().world, blobOf('promise').record);
    });

    it('are proven on the hub by the shard’s checkpoint, and a header of another shard is not', async () => {
      const { world, orderAll, relayer } = given();
      const { network } = world;
      const { ordering, entrance, epochs } = network;
      await network.mine(20);
      await world.mineHub(2);
      await orderAll();
      const deps = { ordering, entrance, epochs, backend: BLS };
      for (const { record } of blobs.values()) {
        const certificate = record.certificate ?? assert.fail('no certificate');
        const proof = await proveBlob(deps, parseCertificate(certificate, BLS), options());
        assert.equal(proof.checkpoint.shardId, 1);
        assert.ok(proof.checkpoint.daCount > 0);
        assert.ok(proof.checkpoint.daRoot.some((byte) => byte !== 0));
        assert.deepEqual(await askAboutBlob(ordering.contract, proof, options()), {
          isProven: true,
        });
        const header = proof.blob.header.slice();
        new DataView(header.buffer).setUint32(SHARD_AT, 0);
        const forged = { ...proof, blob: { ...proof.blob, header } };
        const no = await askAboutBlob(ordering.contract, forged, options());
        assert.ok(!no.isProven && no.refusal === 'BlobOfAnotherShard', JSON.stringify(no));
      }
      await world.mineHub(12);
      await orderAll();
      await network.keepTime();
      await relayer.mirror.look(options());
      const { record } = blobOf('chain');
      const certificate = record.certificate ?? assert.fail('no certificate');
      const places = await proveBlob(deps, parseCertificate(certificate, BLS), options());
      const here = await askAboutBlob(ordering.contract, places, options());
      assert.ok(here.isProven || here.refusal === 'NotOrdered');
    });

    it('have signatures that are worth nothing at the entrance of another shard', async () => {
      const { hub, entrance } = given().world.network;
      const { record } = blobOf('chain');
      const root = record.batch?.root ?? assert.fail('no batch');
      const signed = disperser.confirmed.find((batch) => rootOf(batch.root) === rootOf(root));
      assert.ok(signed !== undefined);
      const { committee, absent, signature, orders } = signed;
      const statement = { root, epoch, count: orders.length };
      const replayed = { statement, committee, absent, signature };
      const replay = confirmBatch(
        { entrance: hub.entrance, sender: hub.payer },
        replayed,
        BLS,
        options(),
      );
      const refused = await replay.then(
        () => assert.fail('it was taken'),
        (error) => error,
      );
      assert.equal(refusalOf(refused), 'BadSignature');
      assert.ok((await readBatch(entrance, root, options())) !== undefined);
    });

    it('are taken under no epoch that the mirror does not know, and again once it does', async () => {
      const { world, relayer } = given();
      const { network } = world;
      const { entrance, payer: sender } = network;
      const before = epoch;
      epoch = await nextEpoch(false);
      assert.equal(await readEntranceEpoch(entrance, options()), before);
      const paid = submitBlobs(
        { entrance, sender },
        { blobs: [paidBlob('in no epoch')], epoch: before },
        { intent: 'in no epoch', ...options() },
      );
      const refused = await paid.then(
        () => assert.fail('it was taken'),
        (error) => error,
      );
      assert.equal(refusalOf(refused), 'EpochClosed');
      await openEpoch({ entrance, sender }, epoch, options()); // opens the one before again
      assert.equal(await readTerms(entrance, epoch, options()), undefined);
      const payload = rng.fill(new Uint8Array(BYTES));
      const { id } = await disperser.put(payload, { path: 'promise' });
      const early = disperser.reached(id, 'ordered', AbortSignal.timeout(1500));
      await assert.rejects(early, 'it has no epoch');
      assert.ok((await relayer.mirror.look(options())) > 0);
      await network.mine(3);
      const { order } = await reached(id, 'confirmed');
      assert.equal(order?.epoch, epoch);
    });
  });
}

/** Where a header has its shard: version, suite, log2K, cosets, row size, length, commitment and submitter come before. */
const SHARD_AT = 1 + 1 + 1 + 1 + 4 + 8 + 32 + 20;
