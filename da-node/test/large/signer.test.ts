import { deepEqual, equal, ok } from 'node:assert/strict';
import { open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeBlobHeader, leafHash, sumVotes, treeRoot, verifyVote } from '@cairn/attestation';
import { loadRowSuite } from '@cairn/commitments/rows';
import { layoutOf, parseRow, verifyHeader, verifyRow } from '@cairn/erasure-codec';
import { rootOf } from '@cairn/primitives';
import { parseHeldBlob, parseSignerStatus } from '@cairn/wire-protocol/da';
import { ENTRANCE } from '../signer/headers.ts';
import { RunningSigner } from '../signer/running-signer.ts';
import { backend, EPOCH, NETWORK, SIGNER_NETWORK, type TestBlob, World } from '../signer/world.ts';

const rootOfBatch = (blobs: readonly TestBlob[]): Uint8Array =>
  treeRoot(blobs.map(({ header }) => leafHash(encodeBlobHeader(header))));

describe('signers of a quorum', () => {
  it('take their rows, vote, and their votes make a certificate; both kinds of batches', async () => {
    const world = new World(4);
    const signers = await Promise.all([0, 1, 2].map((index) => RunningSigner.start(world, index)));
    try {
      const submitted = [
        await world.submitted(),
        await world.submitted({ bytes: 90_000, suite: 1 }),
        await world.submitted({ bytes: 0 }),
      ];
      const promised = [await world.promised(), await world.promised({ bytes: 70_000 })];
      for (const [kind, blobs] of [[1, submitted] as const, [5, promised] as const]) {
        const committee = world.committee(0);
        const root = rootOfBatch(blobs);
        const place = { kind, epoch: EPOCH, quorumId: 0 };
        const statement = { ...place, domain: ENTRANCE, count: blobs.length, root };
        const votes = [];
        for (const signer of signers) {
          await signer.deliver(...blobs);
          const { vote } = await signer.vote(blobs, place);
          ok(vote !== undefined);
          deepEqual(
            { ...vote, signature: undefined },
            {
              ...place,
              count: blobs.length,
              root,
              signer: world.addressOf(signer.index),
              signature: undefined,
            },
          );
          const signature = backend.parseSignature(vote.signature);
          const claim = { memberIndex: signer.index, signature };
          votes.push(verifyVote(claim, { network: NETWORK, statement, committee }, backend));
          deepEqual((await signer.servedVote(rootOf(root)))?.signature, vote.signature);
        }
        ok(votes.length * 3 > committee.members.length * 2);
        equal(sumVotes(votes, committee, backend).signedWeight, 24n);
      }
    } finally {
      await Promise.all(signers.map((signer) => signer.remove()));
    }
  });
});

describe('a signer', () => {
  let world: World;
  let signer: RunningSigner;
  beforeEach(async () => {
    world = new World(4);
    signer = await RunningSigner.start(world);
  });
  afterEach(() => signer.remove());

  const tidy = async (): Promise<void> => {
    const stop = new AbortController();
    const running = signer.signer.run(stop.signal).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 60));
    stop.abort();
    await running;
  };
  /** As often as a busy machine needs until so many blobs are held. */
  const tidyTo = async (heldBlobs: number, why?: string): Promise<void> => {
    for (let turn = 0; turn < 50 && signer.signer.status().heldBlobs > heldBlobs; turn += 1) {
      await tidy();
    }
    await tidy(); // what follows the blobs, and no blob more
    equal(signer.signer.status().heldBlobs, heldBlobs, why);
  };

  it('serves its rows with proofs that hold, and says which they are', async () => {
    const blob = await world.submitted({ bytes: 70_000 });
    const slice = await world.packed(0, blob);
    equal((await signer.put(await world.delivery(0, blob, { slice }))).status, 200);
    const rows = world.rowsFor(0, blob);
    const [first = 0, second = 0] = rows;
    const stranger = world.rowsFor(1, blob)[0] ?? 0;
    const [full, ...none] = await signer.rows(blob, [stranger, second]);
    equal(none.length, 0);
    const message = parseRow(full ?? new Uint8Array(0));
    ok(message.kind === 'full');
    equal(message.row.index, second);
    const suite = await loadRowSuite(0);
    const layout = layoutOf(70_000, SIGNER_NETWORK.layout);
    const { commitment } = blob.header;
    const header = verifyHeader(message.header, { commitment, layout }, { suite });
    verifyRow(message.row, header, { suite });
    const bare = await signer.rows(blob, rows.slice(0, 256), 'bare');
    ok(bare.length > 20);
    for (const [at, bytes] of bare.entries()) {
      const row = parseRow(bytes);
      ok(row.kind === 'bare');
      equal(row.row.index, rows[at]);
      verifyRow(row.row, header, { suite });
    }
    deepEqual(await signer.rows(blob, [stranger]), []);
    const reply = await fetch(`${signer.url}/v1/da/blobs/${rootOf(commitment)}`);
    const held = parseHeldBlob(await reply.json());
    const { expirySeconds } = blob.header;
    const arc = { epoch: EPOCH, quorumId: 0, firstRow: first, rows: rows.length, expirySeconds };
    deepEqual(held.slices, [arc]);
  });

  it('says who it is and how much it holds', async () => {
    await signer.deliver(await world.submitted());
    const reply = await fetch(`${signer.url}/v1/da/status`);
    equal(reply.headers.get('access-control-allow-origin'), '*');
    const status = parseSignerStatus(await reply.json());
    equal(status.address, world.addressOf(0));
    deepEqual(backend.parseKey(status.blsPublicKey), world.keys[0]?.publicKey);
    deepEqual([status.chainId, status.entrance], [ENTRANCE.chainId, ENTRANCE.address]);
    equal(status.heldBlobs, 1);
    ok(status.heldBytes > 64 * 64);
  });

  it('has everything after a restart but what a crash tore, and votes again', async () => {
    const blobs = [await world.submitted(), await world.promised(), await world.submitted()];
    await signer.deliver(...blobs);
    const [one, two, three] = blobs as [TestBlob, TestBlob, TestBlob];
    const { vote } = await signer.vote([one]);
    await signer.restart();
    equal(signer.signer.status().heldBlobs, 3);
    deepEqual((await signer.vote([one])).vote, vote);
    equal((await signer.vote([two], { kind: 5 })).status, 200);
    const name = rootOf(leafHash(encodeBlobHeader(three.header))).slice(2);
    const path = join(signer.directory, 'slices', name.slice(0, 2), `${name}.slice`);
    await signer.stop();
    await writeFile(path, new Uint8Array(1000));
    await writeFile(`${path}.77.abcd.tmp`, new Uint8Array(10));
    await signer.open();
    equal(signer.signer.status().heldBlobs, 2);
    deepEqual(await readdir(join(path, '..')), []);
    equal((await signer.vote([three])).code, 'BLOB_NOT_HELD');
    await signer.deliver(three);
    equal((await signer.vote([three])).status, 200);
  });

  it('serves no row that was damaged on disk, and takes the slice anew', async () => {
    const blob = await world.submitted();
    await signer.deliver(blob);
    const name = rootOf(leafHash(encodeBlobHeader(blob.header))).slice(2);
    const path = join(signer.directory, 'slices', name.slice(0, 2), `${name}.slice`);
    const handle = await open(path, 'r+');
    const { size } = await handle.stat();
    await handle.write(Uint8Array.of(1, 2, 3), 0, 3, size - 100);
    await handle.close();
    const last = world.rowsFor(0, blob).at(-1) ?? 0;
    deepEqual(await signer.rows(blob, [last]), []);
    equal(signer.signer.status().heldBlobs, 0);
    await signer.deliver(blob);
    equal((await signer.rows(blob, [last])).length, 1);
  });

  it('holds a blob once, whoever sends it and however often at once', async () => {
    const blob = await world.submitted({ bytes: 60_000 });
    const delivery = await world.delivery(0, blob);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => signer.put(delivery)));
    ok(outcomes.every(({ status }) => status === 200));
    const { heldBlobs, heldBytes } = signer.signer.status();
    equal(heldBlobs, 1);
    await signer.deliver(blob);
    equal(signer.signer.status().heldBytes, heldBytes);
  });

  it('gives up what is over: expired, unpaid, voted long ago, and the memory of its slots', async () => {
    const kept = await world.promised({ slot: 1 });
    const unpaid = await world.promised({ slot: 2 });
    const expirySeconds = world.office().endSeconds + 30;
    const expiring = await world.submitted({ fields: { expirySeconds } });
    await signer.deliver(kept, unpaid, expiring);
    const { vote } = await signer.vote([expiring]);
    ok(vote !== undefined);
    const root = rootOf(vote.root);
    await tidyTo(3);
    equal(signer.signer.protection.slots, 1);
    world.chain.charged.add(`${world.payer.address}/${EPOCH}/1`);
    world.clock.seconds = world.office().endSeconds + SIGNER_NETWORK.graceSeconds + 1;
    await tidyTo(2, 'a charge may not be final yet');
    world.chain.finalAt = world.clock.seconds;
    await tidyTo(1, 'the expired and the unpaid one are gone');
    equal(await signer.servedVote(root), undefined);
    equal(signer.signer.protection.slots, 0);
    equal(signer.signer.protection.floorEpoch, EPOCH + 1);
    world.clock.seconds = kept.header.expirySeconds + 1;
    await tidyTo(0);
  });

  it('keeps a promised slice while the account is told from before the close', async () => {
    await signer.deliver(await world.promised());
    const closedSeconds = world.office().endSeconds + SIGNER_NETWORK.graceSeconds;
    world.clock.seconds = closedSeconds + 10;
    world.chain.finalAt = closedSeconds + 10;
    world.chain.accountsAt = closedSeconds;
    await tidyTo(1);
    world.chain.accountsAt = closedSeconds + 1;
    await tidyTo(0);
  });

  it('gives up votes and expired slices while the chain does not answer', async () => {
    const expirySeconds = world.office().endSeconds + 30;
    const expiring = await world.submitted({ fields: { expirySeconds } });
    const promised = await world.promised();
    await signer.deliver(promised, expiring);
    const { vote } = await signer.vote([expiring]);
    ok(vote !== undefined);
    world.clock.seconds = world.office().endSeconds + SIGNER_NETWORK.graceSeconds + 1;
    world.chain.finalAt = world.clock.seconds;
    world.chain.failure = new Error('nobody answers');
    await tidy();
    equal(await signer.servedVote(rootOf(vote.root)), undefined);
    equal(signer.signer.status().heldBlobs, 1);
    world.chain.failure = undefined;
    await tidyTo(0);
    equal(signer.signer.protection.slots, 0);
  });
});
