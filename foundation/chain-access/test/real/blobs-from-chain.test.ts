import assert from 'node:assert/strict';
import {
  epochHeaderHash,
  parseCertificate,
  promisedIndex,
  STATEMENT_KINDS,
  sumVotes,
  verifyBlobCertificate,
  verifyVote,
} from '@cairn/attestation';
import { type Hex, isZeroBytes } from '@cairn/primitives';
import { promiseDigest } from '@cairn/wire-protocol/da';
import { BatchFeed, type FoundBlob } from '../../src/da/batch-feed.ts';
import {
  confirmBatch,
  confirmPromised,
  depositFor,
  openEpoch,
  submitBlobs,
} from '../../src/da/entrance-calls.ts';
import { readTerms } from '../../src/da/entrance-facts.ts';
import { EpochBook } from '../../src/da/epoch-book.ts';
import {
  readProvenBatch,
  readProvenHeaderHash,
  readProvenSnapshotHash,
} from '../../src/da/proven-facts.ts';
import { SignerBook } from '../../src/da/signer-book.ts';
import { signerFromKey } from '../../src/keys/signer.ts';
import { readProvenBlock } from '../../src/proof/proven-state.ts';
import { ANVIL_KEYS, Anvil, hasAnvil, testSignal } from '../anvil.ts';
import { BLS, COIN, DaNetwork, paidBlob, type TestSigner } from '../da-network.ts';

describe('blobs and epochs from the chain alone', () => {
  let anvil: Anvil;
  let network: DaNetwork;
  let epochs: EpochBook;
  let epoch: number;
  const found: FoundBlob[] = [];
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil);
    const signers = new SignerBook(network.hub);
    epochs = new EpochBook({ hub: network.hub, signers, backend: BLS });
    epoch = await network.turn();
    await network.mine(3);
  });
  after(async () => anvil?.stop());

  const options = () => ({ signal: testSignal() });
  const feed = () => new BatchFeed({ entrance: network.entrance, epochs, backend: BLS });

  async function aggregate(
    statement: Parameters<DaNetwork['sign']>[1],
    from: readonly TestSigner[],
  ) {
    const committee = await epochs.committee({ epoch, quorumId: 0 }, options());
    const votes = from.map((signer) => {
      const memberIndex = committee.members.findIndex((member) => member.signer === signer.address);
      const vote = { memberIndex, signature: network.sign(signer, statement) };
      return verifyVote(vote, { network: network.hub.network, statement, committee }, BLS);
    });
    return sumVotes(votes, committee, BLS);
  }

  async function confirmPaid(): Promise<void> {
    const { entrance, payer: sender } = network;
    const blobs = ['a', 'b', 'c', 'd', 'e'].map(paidBlob);
    const intended = { ...options(), intent: 'paid' };
    const orders = await submitBlobs({ entrance, sender }, { blobs, epoch }, intended);
    // Three of five: other dispersers batch the others.
    const headers = orders.slice(1, 4).map(({ header }) => header);
    const statement = network.statementOf(headers, { epoch, quorumId: 0 });
    const batch = await aggregate(statement, network.signers.slice(0, 3));
    await confirmBatch({ entrance, sender }, batch, BLS, options());
  }

  async function confirmPromises(): Promise<void> {
    const { entrance, payer: sender } = network;
    const payer = signerFromKey(ANVIL_KEYS[1]);
    const deposit = { payer: payer.address, amountWei: COIN };
    await depositFor({ entrance, sender }, deposit, { ...options(), intent: 'deposit' });
    await openEpoch({ entrance, sender }, epoch, options());
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
    const batch = await aggregate(statement, network.signers);
    await confirmPromised({ entrance, sender }, { leaves, batch }, BLS, options());
  }

  it('have certificates, made of the calls that confirmed them', async () => {
    await confirmPaid();
    await confirmPromises();
    await network.mine(3);
    const { entrance, hub } = network;
    const blocks = { fromBlock: 0, toBlock: await entrance.finalBlock(options()) };
    for await (const { confirmations } of feed().forward(blocks, options())) {
      for (const confirmation of confirmations) {
        found.push(...((await feed().blobsOf(confirmation, options())) ?? assert.fail()));
      }
    }
    assert.deepEqual(
      found.map(({ leafIndex, isVoid }) => [leafIndex, isVoid]),
      [
        [0, false],
        [1, false],
        [2, false],
        [0, false],
        [1, true],
      ],
    );
    const committee = await epochs.committee({ epoch, quorumId: 0 }, options());
    const { shardId, maxMembers } = entrance.settings;
    const context = {
      network: hub.network,
      snapshot: committee.snapshot,
      committee,
      entrance: entrance.domain,
      shardId,
      maxMembers,
      time: { isConfirmed: true } as const,
    };
    for (const { certificate, header } of found) {
      const proven = verifyBlobCertificate(parseCertificate(certificate, BLS), context, BLS);
      assert.deepEqual(proven.header, header);
    }
    const backward: number[] = [];
    for await (const confirmations of feed().backward(blocks, options())) {
      backward.push(...confirmations.map(({ daIndex }) => daIndex));
    }
    assert.deepEqual(backward, [1, 0]);
  });

  it('are proven by the state of a block whose hash is trusted, and by no other', async () => {
    const { entrance, hub } = network;
    const final = await anvil.client.getBlock(await entrance.finalBlock(options()), options());
    const hash = final?.hash ?? assert.fail();
    const block = await readProvenBlock(anvil.client, hash, options());
    assert.equal(block.number, final?.number);
    assert.equal(block.timeSeconds, final?.timestamp);
    for (const { confirmation, leafIndex, isVoid } of found) {
      const leaf = { root: confirmation.root, leafIndex };
      const proven = await readProvenBatch(entrance, leaf, block, options());
      assert.equal(proven?.epoch, epoch);
      assert.equal(proven?.isVoid, isVoid);
      assert.ok(Math.abs((proven?.timeSeconds ?? 0) - block.timeSeconds) < 60);
    }
    const nothing = { root: new Uint8Array(32).fill(7), leafIndex: 0 };
    assert.equal(await readProvenBatch(entrance, nothing, block, options()), undefined);

    const sealed = (await epochs.sealed(epoch, options())) ?? assert.fail();
    const newest = await readProvenHeaderHash(hub, block, options());
    assert.deepEqual(newest, epochHeaderHash(sealed.header));
    for (const [quorumId, hash] of sealed.header.snapshotHashes.entries()) {
      const proven = await readProvenSnapshotHash(hub, { epoch, quorumId }, block, options());
      assert.deepEqual(proven, hash);
    }
    const future = { epoch: epoch + 9, quorumId: 0 };
    assert.ok(isZeroBytes(await readProvenSnapshotHash(hub, future, block, options())));

    const liar = { ...block, stateRoot: new Uint8Array(32).fill(1) };
    await assert.rejects(readProvenHeaderHash(hub, liar, options()), { code: 'CHAIN_BAD_PROOF' });
    const unknown: Hex = `0x${'12'.repeat(32)}`;
    await assert.rejects(readProvenBlock(anvil.client, unknown, options()), {
      code: 'CHAIN_BLOCK_UNKNOWN',
    });
  });
});
