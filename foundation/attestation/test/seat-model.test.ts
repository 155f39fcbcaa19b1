import assert from 'node:assert/strict';
import { equalBytes, isFault, keccak256, MAINNET_CONSENSUS, utf8Bytes } from '@cairn/primitives';
import { AbiCoder } from 'ethers';
import { encodeMember } from '../src/member.ts';
import { leafHash, treeRoot } from '../src/merkle-tree.ts';
import { blstBackend } from '../src/native.ts';
import { type EpochDraw, type RegisteredSigner, seatEpoch } from '../src/seat-model.ts';
import { verifySnapshot } from '../src/snapshot.ts';
import { drawSeats, isContributor, xorBetas } from '../src/sortition.ts';
import { officeOf, testAddress, testKey } from './support.ts';

const backend = blstBackend();
const seed = keccak256(utf8Bytes('seed'));
const betaOfSigner = (index: number): Uint8Array => keccak256(seed, Uint8Array.of(index));

function registerOf(votes: readonly number[]): RegisteredSigner[] {
  return votes.map((count, index) => {
    return { signer: testAddress(index), votes: count, publicKey: testKey(index).publicKey };
  });
}

function drawOf(registered: readonly RegisteredSigner[], order?: readonly number[]): EpochDraw {
  const posted = order ?? registered.map((_, index) => index);
  const tickets = posted.map((index) => {
    return { signer: testAddress(index), beta: betaOfSigner(index) };
  });
  return { epoch: 12, seed, registered, tickets };
}

const params = { ...MAINNET_CONSENSUS, committeeSeats: 64, seatsPerQuorum: 16, maxQuorums: 4 };

describe('the seats of an epoch', () => {
  it('are all votes in a small network, in one group', () => {
    const registered = registerOf([1, 2, 3, 4]);
    const seated = seatEpoch(drawOf(registered), MAINNET_CONSENSUS, backend);
    assert.equal(seated.quorums, 1);
    assert.equal(seated.groups.length, 1);
    const group = seated.groups[0] ?? assert.fail();
    assert.deepEqual(
      group.members.map(({ seats }) => seats),
      [1, 2, 3, 4],
    );
    assert.equal(group.snapshot.totalWeight, 10n);
    assert.equal(group.snapshot.epoch, 12);
    assert.ok(!seated.isCarried);
    assert.deepEqual(seated.missed, []);
    assert.equal(seated.contributors.length, 4);
    verifySnapshot(group.snapshot, officeOf(group.snapshot));
  });

  it('form a committee of all and quorums that share them out, in the order of tickets', () => {
    const registered = registerOf(Array.from({ length: 30 }, (_, index) => 1 + (index % 8)));
    const order = registered.map((_, index) => (index * 7) % 30);
    const seated = seatEpoch(drawOf(registered, order), params, backend);
    assert.equal(seated.quorums, 4);
    assert.equal(seated.groups.length, 5);
    const [committee, ...quorums] = seated.groups;
    const { threshold } = seated;
    const expected = order
      .map((index) => {
        const votes = registered[index]?.votes ?? 0;
        return {
          index,
          won: drawSeats({ beta: betaOfSigner(index), votes, threshold, quorums: 4 }),
        };
      })
      .filter(({ won }) => won.total > 0);
    assert.deepEqual(
      committee?.members.map(({ signer, seats }) => [signer, seats]),
      expected.map(({ index, won }) => [testAddress(index), won.total]),
    );
    for (const [place, quorum] of quorums.entries()) {
      const inQuorum = expected.filter(({ won }) => (won.perQuorum[place] ?? 0) > 0);
      assert.deepEqual(
        quorum?.members.map(({ signer, seats }) => [signer, seats]),
        inQuorum.map(({ index, won }) => [testAddress(index), won.perQuorum[place]]),
      );
      assert.equal(quorum?.snapshot.quorumId, place + 1);
    }
    const weights = quorums.map((group) => group?.snapshot.totalWeight ?? 0n);
    assert.equal(
      weights.reduce((sum, weight) => sum + weight, 0n),
      committee?.snapshot.totalWeight,
    );
    for (const group of seated.groups) {
      const members = group?.members ?? assert.fail();
      assert.deepEqual(
        members.map(({ index }) => index),
        members.map((_, index) => index),
      );
      const leaves = members.map((member) => leafHash(encodeMember(member)));
      assert.deepEqual(group?.snapshot.membersRoot, treeRoot(leaves));
      const sum = backend.addKeys(members.map(({ publicKey }) => publicKey));
      assert.deepEqual(group?.snapshot.aggregateKey, sum);
    }
  });

  it('skip tickets of strangers, of signers without votes, and second ones', () => {
    const registered = registerOf([3, 0, 5]);
    const draw = drawOf(registered, [0, 1, 2]);
    const plain = seatEpoch(draw, MAINNET_CONSENSUS, backend);
    const again = { signer: testAddress(0), beta: betaOfSigner(9) };
    const stranger = { signer: testAddress(77), beta: betaOfSigner(1) };
    const tickets = [...draw.tickets, again, stranger];
    assert.deepEqual(seatEpoch({ ...draw, tickets }, MAINNET_CONSENSUS, backend), plain);
    assert.equal(plain.groups[0]?.members.length, 2);
    assert.throws(
      () => seatEpoch(drawOf([...registered, ...registered]), MAINNET_CONSENSUS, backend),
      (error) => isFault(error, 'SIGNER_TWICE'),
    );
  });

  it('name contributors that posted no ticket, and leave them out of the next seed', () => {
    const registered = registerOf(Array.from({ length: 40 }, (_, index) => 10 + index));
    const few = { ...params, contributors: 8 };
    const posted = registered.map((_, index) => index).filter((index) => index % 3 !== 0);
    const seated = seatEpoch(drawOf(registered, posted), few, backend);
    const { totalVotes } = seated;
    const owes = registered.filter(({ signer, votes }) =>
      isContributor({ seed, signer, votes, totalVotes, contributors: 8 }),
    );
    assert.deepEqual(
      seated.contributors,
      owes.map(({ signer }) => signer),
    );
    assert.ok(seated.missed.length > 0 && seated.missed.length < seated.contributors.length);
    const gave = posted.filter((index) => owes.some(({ signer }) => signer === testAddress(index)));
    assert.deepEqual(seated.xorBeta, xorBetas(gave.map(betaOfSigner)));
    const after = seatEpoch({ ...drawOf(registered, posted), isAfterCarry: true }, few, backend);
    assert.equal(after.contributors.length, 40);
    assert.equal(after.missed.length, 40 - posted.length);
  });

  it('are carried over below the least share of seats, and not at it', () => {
    const registered = registerOf([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const seatsOf = (tickets: number, minSeatBps: number): boolean => {
      const order = Array.from({ length: tickets }, (_, index) => index);
      const draw = drawOf(registered, order);
      return seatEpoch(draw, { ...MAINNET_CONSENSUS, minSeatBps }, backend).isCarried;
    };
    assert.ok(!seatsOf(9, 9000));
    assert.ok(seatsOf(8, 9000));
    assert.ok(seatsOf(8, 8001));
    assert.ok(!seatsOf(8, 8000));
    assert.ok(seatsOf(0, 0), 'nobody at all');
  });

  it('give a group without members the hash that the contract has for it', () => {
    const seated = seatEpoch(
      { ...drawOf(registerOf([16, 16, 16, 16]), []), tickets: [] },
      params,
      backend,
    );
    assert.deepEqual(
      seated.groups,
      seated.groups.map(() => undefined),
    );
    assert.equal(seated.groups.length, 5);
    const zero = `0x${'0'.repeat(64)}`;
    for (const [quorumId, hash] of seated.snapshotHashes.entries()) {
      const words = AbiCoder.defaultAbiCoder().encode(
        ['tuple(uint64,uint32,uint32,uint64,bytes32,uint256[3])'],
        [[12, quorumId, 0, 0, zero, [0, 0, 0]]],
      );
      assert.ok(equalBytes(hash, keccak256(Buffer.from(words.slice(2), 'hex'))));
    }
  });
});
