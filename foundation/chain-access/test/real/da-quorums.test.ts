import assert from 'node:assert/strict';
import { quorumOfBlob, sumVotes, verifyVote } from '@cairn/attestation';
import { DEVNET_CONSENSUS } from '@cairn/primitives';
import { confirmBatch, submitBlobs } from '../../src/da/entrance-calls.ts';
import { EpochBook } from '../../src/da/epoch-book.ts';
import { readOdds } from '../../src/da/hub-facts.ts';
import { refusalOf } from '../../src/da/send-call.ts';
import { SignerBook } from '../../src/da/signer-book.ts';
import { Anvil, hasAnvil, testSignal } from '../anvil.ts';
import { ALL_SEATS, BLS, DaNetwork, paidBlob } from '../da-network.ts';

describe('an epoch with several quorums', () => {
  let anvil: Anvil;
  let network: DaNetwork;
  let epochs: EpochBook;
  let epoch: number;
  before(async function () {
    if (!hasAnvil) this.skip();
    anvil = await Anvil.start('--gas-limit', '60000000');
    network = await DaNetwork.start(anvil, {
      ...DEVNET_CONSENSUS,
      maxQuorums: 2,
      seatsPerQuorum: 8,
    });
    const signers = new SignerBook(network.hub);
    epochs = new EpochBook({ hub: network.hub, signers, backend: BLS });
    epoch = await network.turn();
    await network.mine(2);
  });
  after(async () => anvil?.stop());

  const options = () => ({ signal: testSignal() });

  it('has a committee for each, whose seats add up to those of all', async () => {
    assert.equal((await readOdds(network.hub, epoch, options())).quorums, 2);
    const [all, first, second] = await Promise.all(
      [0, 1, 2].map((quorumId) => epochs.committee({ epoch, quorumId }, options())),
    );
    assert.equal(all?.snapshot.totalWeight, ALL_SEATS);
    const parts = (first?.snapshot.totalWeight ?? 0n) + (second?.snapshot.totalWeight ?? 0n);
    assert.equal(parts, ALL_SEATS);
    const none = epochs.committee({ epoch, quorumId: 3 }, options());
    await assert.rejects(none, { code: 'DA_QUORUM_EMPTY' });
  });

  it('orders each blob to the quorum that its number draws, which alone can confirm it', async () => {
    const caller = { entrance: network.entrance, sender: network.payer };
    const blobs = Array.from({ length: 24 }, (_, index) => paidBlob(`blob ${index}`));
    const orders = await submitBlobs(caller, { blobs, epoch }, { ...options(), intent: 'blobs' });
    const committees = await Promise.all(
      [1, 2].map((quorumId) => epochs.committee({ epoch, quorumId }, options())),
    );
    const { office } = committees[0]?.snapshot ?? assert.fail();
    for (const { header, quorumId } of orders) {
      assert.equal(quorumId, quorumOfBlob(office.seed, header, 2));
    }
    for (const committee of committees) {
      const { quorumId } = committee.snapshot;
      const headers = orders
        .filter((order) => order.quorumId === quorumId)
        .map(({ header }) => header);
      assert.ok(headers.length > 0, `none of 24 blobs fell to quorum ${quorumId}`);
      const statement = network.statementOf(headers, { epoch, quorumId });
      const votes = committee.members.map(({ index, signer }) => {
        const voter = network.signers.find(({ address }) => address === signer) ?? assert.fail();
        const vote = { memberIndex: index, signature: network.sign(voter, statement) };
        return verifyVote(vote, { network: network.hub.network, statement, committee }, BLS);
      });
      const batch = sumVotes(votes, committee, BLS);
      const other = committees.find(({ snapshot }) => snapshot !== committee.snapshot);
      const foreign = { ...batch, committee: other ?? assert.fail() };
      const refused = await confirmBatch(caller, foreign, BLS, options()).catch((error) => error);
      assert.equal(refusalOf(refused), 'BadSignature');
      const confirmation = await confirmBatch(caller, batch, BLS, options());
      assert.equal(confirmation.quorumId, quorumId);
    }
  });
});
