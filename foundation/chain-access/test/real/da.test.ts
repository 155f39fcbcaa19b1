import assert from 'node:assert/strict';
import {
  certify,
  DA_LOG_LEAF_WITH_VOIDS_BYTES,
  DA_LOG_TYPES,
  encodeBlobHeader,
  encodeDaLogLeaf,
  leafHash,
  promisedIndex,
  provePossession,
  quorumOfBlob,
  quorumsOf,
  STATEMENT_KINDS,
  type Statement,
  sumVotes,
  treePath,
  verifyBlobCertificate,
  verifyDaLogLeaf,
  verifyVote,
  voidWordsOf,
} from '@cairn/attestation';
import { equalBytes, keccak256 } from '@cairn/primitives';
import { promiseDigest } from '@cairn/wire-protocol/da';
import { decodeBatchConfirmation } from '../../src/da/blob-events.ts';
import {
  confirmBatch,
  confirmPromised,
  confirmReduced,
  depositFor,
  openEpoch,
  reduceQuorum,
  submitBlobs,
} from '../../src/da/entrance-calls.ts';
import {
  readBatch,
  readIsSlotCharged,
  readIsVoid,
  readPayer,
  readTerms,
} from '../../src/da/entrance-facts.ts';
import { EpochBook } from '../../src/da/epoch-book.ts';
import { findConfirmation } from '../../src/da/find-confirmation.ts';
import { bond, reportMissed, rotateKey, setRoles, setSocket } from '../../src/da/hub-calls.ts';
import {
  ROLES,
  readEpochInfo,
  readHasTicket,
  readKey,
  readPhase,
  readStake,
  readTargetEpoch,
  readVotes,
} from '../../src/da/hub-facts.ts';
import { openEntrance } from '../../src/da/open-entrance.ts';
import { openHub } from '../../src/da/open-hub.ts';
import { OrderBook } from '../../src/da/order-book.ts';
import { refusalOf } from '../../src/da/send-call.ts';
import { SignerBook } from '../../src/da/signer-book.ts';
import { VoterBook } from '../../src/da/voter-book.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import { EventReader } from '../../src/log/event-reader.ts';
import { ANVIL_KEYS, Anvil, hasAnvil, testSignal } from '../anvil.ts';
import {
  ALL_SEATS,
  BLS,
  COIN,
  DaNetwork,
  paidBlob,
  SIGNER_COINS,
  type TestSigner,
} from '../da-network.ts';

describe('stake, epochs and blobs on chain', () => {
  let anvil: Anvil;
  let network: DaNetwork;
  let signers: SignerBook;
  let epochs: EpochBook;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil);
    signers = new SignerBook(network.hub);
    epochs = new EpochBook({ hub: network.hub, signers, backend: BLS });
  });
  after(async () => anvil?.stop());

  const options = () => ({ signal: testSignal() });

  /** A quorum's aggregate over headers, signed by some of the signers. */
  async function signed(statement: Statement, from: readonly TestSigner[]) {
    const committee = await epochs.committee(statement, options());
    const votes = from.map((signer) => {
      const memberIndex = committee.members.findIndex((member) => member.signer === signer.address);
      const vote = { memberIndex, signature: network.sign(signer, statement) };
      return verifyVote(vote, { network: network.hub.network, statement, committee }, BLS);
    });
    return { committee, votes };
  }

  it('knows every registered signer by key and socket', async () => {
    await network.mine(3);
    await signers.refresh(options());
    assert.equal(signers.all().length, 4);
    for (const [index, { address, key }] of network.signers.entries()) {
      const entry = signers.get(address);
      assert.equal(entry?.socket, `http://127.0.0.1:${4000 + index}`);
      assert.deepEqual(signers.keyAt(address, 1), key.publicKey);
      assert.equal(signers.keyAt(address, 0), undefined);
      assert.equal(
        await readVotes(network.hub, { signer: address, epoch: 1 }, options()),
        Number(SIGNER_COINS[index]),
      );
    }
  });

  it('knows everyone with votes, also by the most votes and until they are gone', async () => {
    await network.mine(2);
    const ours = network.signers.map(({ address }) => address);
    const voters = new VoterBook(network.hub);
    assert.deepEqual(await voters.votersFrom(1, options()), ours);
    assert.deepEqual(await voters.votersFrom(1, options()), ours, 'nothing is new');
    const few = new VoterBook(network.hub, { maxVoters: 2 });
    assert.deepEqual(await few.votersFrom(1, options()), ours.slice(0, 2));

    const { address, sender } = await network.guest('for a moment');
    const guest = { hub: network.hub, sender };
    await bond(guest, COIN, { ...options(), intent: 'in' });
    await setRoles(guest, ROLES.signer, { ...options(), intent: 'signer' });
    await setRoles(guest, 0, { ...options(), intent: 'out' });
    const gone = await readTargetEpoch(network.hub, options());
    await network.mine(3);
    assert.deepEqual(await voters.votersFrom(gone - 1, options()), [...ours, address]);
    assert.deepEqual(await voters.votersFrom(gone, options()), ours);
    await anvil.reorg(6);
    await network.mine(1);
    assert.deepEqual(await voters.votersFrom(gone, options()), ours, 'read again on another fork');
  });

  it('turns epochs, and rebuilds every committee from events', async () => {
    for (let epoch = 1; epoch <= 4; epoch += 1) {
      assert.equal(await network.turn(), epoch);
      await network.mine(3);
      const sealed = await epochs.sealed(epoch, options());
      assert.equal(sealed?.header.epoch, epoch);
      assert.equal(sealed?.drawnEpoch, epoch);
      const committee = await epochs.committee({ epoch, quorumId: 0 }, options());
      assert.equal(committee.snapshot.totalWeight, ALL_SEATS);
      assert.deepEqual(
        committee.members.map(({ signer }) => signer).sort(),
        network.signers.map(({ address }) => address).sort(),
      );
      const info = await readEpochInfo(network.hub, epoch, options());
      assert.ok(info !== undefined && equalBytes(info.seed, committee.snapshot.office.seed));
    }
    const early = epochs.committee({ epoch: 6, quorumId: 0 }, options());
    await assert.rejects(early, { code: 'DA_EPOCH_UNKNOWN' });
    const other = epochs.committee({ epoch: 4, quorumId: 1 }, options());
    await assert.rejects(other, { code: 'DA_QUORUM_EMPTY' });
  });

  it('a fresh reader finds past epochs too, also with more signers than it keeps', async () => {
    for (const maxSigners of [100, 1]) {
      const few = new SignerBook(network.hub, { maxSigners });
      const fresh = new EpochBook({ hub: network.hub, signers: few, backend: BLS });
      for (const epoch of [1, 3]) {
        assert.deepEqual(
          await fresh.committee({ epoch, quorumId: 0 }, options()),
          await epochs.committee({ epoch, quorumId: 0 }, options()),
        );
      }
      assert.equal(few.all().length, Math.min(maxSigners, 4));
      for (const { address } of network.signers) {
        assert.deepEqual(await few.lookUp(address, options()), signers.get(address));
      }
    }
  });

  it('follows keys and sockets as signers change them', async () => {
    const signer = network.signers[3] ?? assert.fail();
    const caller = { hub: network.hub, sender: signer.sender };
    const few = new SignerBook(network.hub, { maxSigners: 1 });
    await few.refresh(options());
    const before = await few.lookUp(signer.address, options());
    await setSocket(caller, 'http://127.0.0.1:9', { ...options(), intent: 'moved' });
    await network.mine(2);
    await few.refresh(options());
    await signers.refresh(options());
    const after = { ...before, socket: 'http://127.0.0.1:9' };
    assert.deepEqual(signers.get(signer.address), after);
    assert.deepEqual(few.get(signer.address), after);
  });

  it('orders a paid blob to its quorum, and confirms what three of four signed', async () => {
    const { epoch } = await readPhase(network.hub, options());
    const caller = { entrance: network.entrance, sender: network.payer };
    const orders = new OrderBook(network.entrance, { lookBackBlocks: 120 });
    const made = await submitBlobs(
      caller,
      { blobs: [paidBlob('a'), paidBlob('b')], epoch },
      { ...options(), intent: 'first blobs' },
    );
    const [first] = made;
    assert.ok(first !== undefined);
    const index = first.header.submissionIndex;
    assert.equal(await orders.find(index, options()), undefined, 'not final yet');
    await network.mine(2);
    assert.deepEqual(await orders.find(index, options()), first);
    const { header: office } = (await epochs.sealed(epoch, options())) ?? assert.fail();
    for (const order of made) {
      const quorumId = quorumOfBlob(office.seed, order.header, quorumsOf(office));
      assert.equal(order.quorumId, quorumId);
      assert.equal(order.header.expirySeconds, office.endSeconds + 2 * 60);
    }

    const headers = made.map(({ header }) => header);
    const statement = network.statementOf(headers, { epoch, quorumId: first.quorumId });
    const { committee, votes } = await signed(statement, network.signers.slice(0, 3));

    // Two of eight seats each hold exactly two thirds: the contract refuses what `sumVotes` would not make.
    const two = votes.slice(0, 2).map(({ signature }) => signature);
    const held = votes.slice(0, 2).map(({ memberIndex }) => memberIndex);
    const absent = committee.members.map(({ index }) => index).filter((at) => !held.includes(at));
    const short = { statement, committee, absent, signature: BLS.addSignatures(two) };
    const tooFew = await confirmBatch(caller, short, BLS, options()).catch((error) => error);
    assert.equal(refusalOf(tooFew), 'WeightTooLow');
    assert.throws(() => sumVotes(votes.slice(0, 2), committee, BLS), { code: 'WEIGHT_TOO_LOW' });

    const batch = sumVotes(votes, committee, BLS);
    assert.equal(await findConfirmation(network.entrance, statement.root, options()), undefined);
    const confirmation = await confirmBatch(caller, batch, BLS, options());
    assert.equal(confirmation.signedWeight, 20n);
    await network.mine(2);
    const found = await findConfirmation(network.entrance, statement.root, options());
    assert.deepEqual(found, { ...confirmation, voids: [] });
    const kept = await readBatch(network.entrance, statement.root, options());
    assert.equal(kept?.count, 2);
    const again = { ...caller, sender: network.signers[0]?.sender ?? network.payer };
    const refused = await confirmBatch(again, batch, BLS, options()).catch((error) => error);
    assert.equal(refusalOf(refused), 'AlreadyConfirmed');
  });

  it('takes what a reorganisation undid for undone, and finds it again once it is back', async () => {
    const { epoch } = await readPhase(network.hub, options());
    const caller = { entrance: network.entrance, sender: network.payer };
    const orders = new OrderBook(network.entrance, { lookBackBlocks: 120 });
    const request = { blobs: [paidBlob('c')], epoch };
    const intended = () => ({ ...options(), intent: 'undone' });
    const [before] = await submitBlobs(caller, request, intended());
    assert.ok(before !== undefined);
    await anvil.reorg(1);
    await network.mine(4);
    assert.equal(await orders.find(before.header.submissionIndex, options()), undefined);
    const [after] = await submitBlobs(caller, request, intended());
    await network.mine(2);
    assert.deepEqual(await orders.find(before.header.submissionIndex, options()), after);
    assert.notEqual(after?.block.hash, before.block.hash);
  });

  it('carries members over when tickets are missing, and knows who holds office', async () => {
    const [first, second] = network.signers;
    assert.ok(first !== undefined && second !== undefined);
    const carried = await network.turn([first, second]);
    await network.mine(3);
    const sealed = await epochs.sealed(carried, options());
    assert.equal(sealed?.drawnEpoch, carried - 1);
    const committee = await epochs.committee({ epoch: carried, quorumId: 0 }, options());
    assert.equal(committee.members.length, 4);
    assert.equal(committee.snapshot.epoch, carried - 1);
    assert.equal(committee.snapshot.office.epoch, carried);

    const silent = network.signers[2]?.address ?? assert.fail();
    const who = { signer: silent, epoch: carried };
    assert.equal(await readHasTicket(network.hub, who, options()), false);
    const before = await readStake(network.hub, silent, options());
    await reportMissed(network.caller, who, options());
    const after = await readStake(network.hub, silent, options());
    assert.equal(after.bondedWei, before.bondedWei - before.bondedWei / 1000n);
    assert.equal(after.jailedUntilEpoch, carried + 1);
  });

  it('names what is wrong with contracts that are not the ones expected', async () => {
    const { client } = anvil;
    const { sortition, stakeHub, daEntrance } = network.deployment.contracts;
    const place = { client, finality: 2 };
    await assert.rejects(openHub({ ...place, sortition: stakeHub }, options()), {
      code: 'CHAIN_WRONG_CONTRACT',
    });
    await assert.rejects(openEntrance({ ...place, entrance: sortition }, options()), {
      code: 'CHAIN_WRONG_CONTRACT',
    });
    const wrongChain = { ...place, sortition, chainId: 5 as never };
    await assert.rejects(openHub(wrongChain, options()), { code: 'CHAIN_WRONG_ID' });
    const foreign = { ...network.hub.network, hub: stakeHub };
    const other = openEntrance({ ...place, entrance: daEntrance, network: foreign }, options());
    await assert.rejects(other, { code: 'DA_CONTRACTS_DIFFER' });
  });

  it('takes absent members off once, for all batches that follow', async () => {
    const { epoch } = await readPhase(network.hub, options());
    const caller = { entrance: network.entrance, sender: network.payer };
    const request = { blobs: [paidBlob('d')], epoch };
    const made = await submitBlobs(caller, request, { ...options(), intent: 'reduced' });
    const headers = made.map(({ header }) => header);
    const statement = network.statementOf(headers, { epoch, quorumId: 0 });
    const { committee, votes } = await signed(statement, network.signers.slice(0, 3));
    const { absent, signature } = sumVotes(votes, committee, BLS);
    const reducedId = await reduceQuorum(caller, { committee, absent }, options());
    assert.deepEqual(await reduceQuorum(caller, { committee, absent }, options()), reducedId);
    const request2 = { statement, signature, reducedId };
    const confirmation = await confirmReduced(caller, request2, BLS, options());
    assert.equal(confirmation.signedWeight, 20n);
  });

  it('charges promises, each for itself, and tells which were not', async () => {
    const { hub, entrance } = network;
    const payer = signerFromKey(ANVIL_KEYS[1]);
    const caller = { entrance, sender: network.payer };
    await depositFor(
      caller,
      { payer: payer.address, amountWei: COIN },
      { ...options(), intent: 'deposit' },
    );
    const { epoch } = await readPhase(hub, options());
    await openEpoch(caller, epoch, options());
    const terms = (await readTerms(entrance, epoch, options())) ?? assert.fail();
    const leaves = [10n ** 9n, 1n].map((maxFeeWei, slot) => {
      const { retentionEpochs, ...blob } = paidBlob(`promise ${slot}`);
      const header = {
        ...blob,
        submitter: payer.address,
        shardId: entrance.settings.shardId,
        submissionIndex: promisedIndex({ epoch, slot }),
        expirySeconds: terms.endSeconds + retentionEpochs * entrance.settings.epochSeconds,
      };
      const unsigned = { retentionEpochs, signBySeconds: terms.endSeconds, maxFeeWei };
      const digest = promiseDigest({ header, terms: unsigned }, entrance.domain);
      return { header, promise: { ...unsigned, payerSignature: payer.signDigest(digest) } };
    });
    const headers = leaves.map(({ header }) => header);
    const kind = STATEMENT_KINDS.promisedBatch;
    const statement = { ...network.statementOf(headers, { epoch, quorumId: 0 }), kind };
    const { committee, votes } = await signed(statement, network.signers);
    const batch = sumVotes(votes, committee, BLS);
    const confirmation = await confirmPromised(caller, { leaves, batch }, BLS, options());
    const place = { payer: payer.address, epoch };
    const voided = { ...place, slot: 1, leafIndex: 1, reason: 'feeAboveMax' };
    assert.deepEqual(confirmation.voids, [voided]);
    await network.mine(2);
    const block = await entrance.finalBlock(options());
    const final = { ...options(), block };
    assert.equal(await readIsSlotCharged(entrance, { ...place, slot: 0 }, final), true);
    assert.equal(await readIsSlotCharged(entrance, { ...place, slot: 1 }, final), false);
    const leaf = { root: statement.root, leafIndex: 1 };
    assert.equal(await readIsVoid(entrance, leaf, final), true);
    const fee = 64n * 64n * 4n * 2n * terms.pricePerByteEpochWei;
    assert.equal((await readPayer(entrance, payer.address, final)).balanceWei, COIN - fee);
    const found = await findConfirmation(entrance, statement.root, options());
    assert.deepEqual(found, confirmation);

    const { body, leaf: logged } = await provenLogLeaf(confirmation.daIndex, [1]);
    assert.equal(body.length, DA_LOG_LEAF_WITH_VOIDS_BYTES);
    const bodies = headers.map(encodeBlobHeader);
    const verify = (leafIndex: number, voids: readonly number[]) => {
      const certificate = certify(batch, { network: hub.network, bodies, leafIndex });
      const { shardId, maxMembers } = entrance.settings;
      const about = { network: hub.network, snapshot: committee.snapshot, committee };
      const time = { logged: { leaf: logged, voidWords: voidWordsOf(headers.length, voids) } };
      const place = { entrance: entrance.domain, shardId, maxMembers, time };
      return verifyBlobCertificate(certificate, { ...about, ...place }, BLS);
    };
    assert.deepEqual(verify(0, [1]).header, headers[0], 'the paid blob keeps its proof');
    assert.throws(() => verify(1, [1]), { code: 'DA_LOG_LEAF_VOID' });
    assert.throws(() => verify(1, [0]), { code: 'DA_LOG_VOIDS' });
  });

  /** A leaf of the entrance's log, which is rebuilt from events; the batch there has these void leaves. */
  async function provenLogLeaf(index: number, voids: readonly number[]) {
    const { entrance } = network;
    const { contract, client, firstBlock } = entrance;
    const block = await entrance.finalBlock(options());
    const reader = new EventReader({ client, address: contract.address });
    const query = { topics: [contract.topic('BatchConfirmed')], toBlock: block };
    const bodies: Uint8Array[] = [];
    for await (const { logs } of reader.forward({ ...query, fromBlock: firstBlock }, options())) {
      for (const log of logs) {
        const { root } = decodeBatchConfirmation(contract, log);
        const batch = (await readBatch(entrance, root, options())) ?? assert.fail();
        const leaf = { ...batch, batchRoot: root };
        if (bodies.length === index) {
          const voidsHash = keccak256(voidWordsOf(batch.count, voids));
          const type = DA_LOG_TYPES.batchWithVoids;
          bodies.push(encodeDaLogLeaf({ type, ...leaf, voidsHash }));
        } else bodies.push(encodeDaLogLeaf({ type: DA_LOG_TYPES.batch, ...leaf }));
      }
    }
    const root = (await contract.read('daRoot', [], { ...options(), block })).bytes(0);
    const count = (await contract.read('daCount', [], { ...options(), block })).number(0);
    const body = bodies[index] ?? assert.fail();
    const path = treePath(bodies.map(leafHash), index);
    assert.ok(bodies.length > 2);
    return { body, leaf: verifyDaLogLeaf({ body, index, path }, { root, count }) };
  }

  it('fixes the terms of an epoch once somebody asks', async () => {
    const epoch = await network.turn();
    assert.equal(await readTerms(network.entrance, epoch, options()), undefined);
    await openEpoch({ entrance: network.entrance, sender: network.payer }, epoch, options());
    const terms = await readTerms(network.entrance, epoch, options());
    assert.equal(terms?.quorums, 1);
    assert.equal(terms?.pricePerByteEpochWei, 1n);
  });

  it('knows which key a signer has in which epoch', async () => {
    const { hub } = network;
    const { address, sender, key } = network.signers[3] ?? assert.fail();
    const next = BLS.openKey(BLS.secretFromMaterial(new Uint8Array(32).fill(9)));
    const claim = { hubChainId: hub.chainId, registry: hub.registry.address, owner: address };
    const possession = provePossession(next, claim);
    const { publicKey } = next;
    await rotateKey({ hub, sender }, { publicKey, possession }, BLS, options());
    await network.mine(2);
    await signers.refresh(options());
    const from = signers.get(address)?.keys.at(-1)?.fromEpoch ?? assert.fail();
    for (const [epoch, expected] of [
      [from - 1, key.publicKey],
      [from, publicKey],
      [from + 1, publicKey],
    ] as const) {
      assert.deepEqual(signers.keyAt(address, epoch), expected);
      const read = await readKey(hub, { signer: address, epoch }, options());
      assert.deepEqual(read, expected);
    }
  });
});
