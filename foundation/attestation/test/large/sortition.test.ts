import assert from 'node:assert/strict';
import { keccak256, seededRng, toHex } from '@cairn/primitives';
import fc from 'fast-check';
import {
  drawSeats,
  isContributor,
  quorumCount,
  quorumOfBlob,
  seatThreshold,
  xorBetas,
} from '../../src/sortition.ts';
import { randomBytes, SEED, testAddress } from '../support.ts';

const beta = keccak256();

describe('sortition', () => {
  it('has as many quorums as seats fill, from one to the most', () => {
    const plan = { committeeSeats: 2048, maxQuorums: 4, seatsPerQuorum: 512 };
    for (const [totalVotes, quorums] of [
      [0, 1],
      [1, 1],
      [1023, 1],
      [1024, 2],
      [2047, 3],
      [2048, 4],
      [10_000_000, 4],
    ] as const) {
      assert.equal(quorumCount({ ...plan, totalVotes }), quorums, `${totalVotes} votes`);
    }
    assert.throws(() => quorumCount({ ...plan, totalVotes: -1 }), RangeError);
    assert.throws(() => quorumCount({ ...plan, totalVotes: 1, maxQuorums: 17 }), RangeError);
  });

  it('seats every vote while there are seats, and that share of them beyond', () => {
    const votes = fc.integer({ min: 1, max: 2 ** 40 });
    fc.assert(
      fc.property(
        votes,
        fc.integer({ min: 1, max: 4096 }),
        fc.integer({ min: 1, max: 16 }),
        (totalVotes, committeeSeats, quorums) => {
          const threshold = seatThreshold({ committeeSeats, totalVotes }, quorums);
          if (committeeSeats >= totalVotes) {
            assert.equal(threshold, 2 ** 32);
            return;
          }
          assert.equal(threshold % quorums, 0);
          const exact = (committeeSeats * 2 ** 32) / totalVotes;
          assert.ok(threshold <= exact && threshold > exact - quorums - 1);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('gives each winning draw to one quorum, so that seats add up', () => {
    const draws = fc.record({
      beta: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      votes: fc.nat(1024),
      threshold: fc.nat(2 ** 32),
      quorums: fc.integer({ min: 1, max: 16 }),
    });
    fc.assert(
      fc.property(draws, (draw) => {
        const { total, perQuorum } = drawSeats(draw);
        assert.equal(perQuorum.length, draw.quorums);
        assert.equal(
          perQuorum.reduce((sum, seats) => sum + seats, 0),
          total,
        );
        assert.ok(total <= draw.votes);
        if (draw.threshold === 2 ** 32) assert.equal(total, draw.votes);
        if (draw.threshold === 0) assert.equal(total, 0);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('gives more votes no other outcome for the first ones', () => {
    const draw = { beta, threshold: 2 ** 30, quorums: 4 };
    let before = 0;
    for (let votes = 0; votes <= 64; votes += 1) {
      const { total } = drawSeats({ ...draw, votes });
      assert.ok(total === before || total === before + 1);
      before = total;
    }
    assert.ok(before > 4 && before < 32);
  });

  it('refuses what no signer has', () => {
    const draw = { beta, votes: 1, threshold: 1, quorums: 1 };
    assert.throws(() => drawSeats({ ...draw, votes: 1025 }), RangeError);
    assert.throws(() => drawSeats({ ...draw, votes: 0.5 }), RangeError);
    assert.throws(() => drawSeats({ ...draw, beta: beta.slice(1) }), RangeError);
    assert.throws(() => drawSeats({ ...draw, quorums: 0 }), RangeError);
  });

  it('makes everyone a contributor in a small network, and none without votes', () => {
    for (let signer = 0; signer < 32; signer += 1) {
      const draw = { seed: beta, signer: testAddress(signer), totalVotes: 64, contributors: 32 };
      assert.ok(isContributor({ ...draw, votes: 2 }));
      assert.ok(!isContributor({ ...draw, votes: 0 }));
    }
  });

  it(`draws 32 contributors of 1,000 equal signers on average (seed ${SEED})`, () => {
    const rng = seededRng(SEED);
    const epochs = 40;
    let drawn = 0;
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const seed = randomBytes(rng, 32);
      for (let signer = 0; signer < 1000; signer += 1) {
        const draw = { seed, signer: testAddress(signer), votes: 3, totalVotes: 3000 };
        if (isContributor({ ...draw, contributors: 32 })) drawn += 1;
      }
    }
    // Bin(40,000, 0.032): mean 1,280, deviation 35.2; six of them are passed once in 5 · 10^8
    assert.ok(Math.abs(drawn - 1280) < 6 * 35.2, `${drawn} contributors`);
  });

  it('leaves nobody a choice of quorum, and spreads blobs over all', () => {
    const counts = new Array<number>(5).fill(0);
    for (let index = 0; index < 4000; index += 1) {
      const quorum = quorumOfBlob(beta, { submissionIndex: BigInt(index) }, 4);
      counts[quorum] = (counts[quorum] ?? 0) + 1;
    }
    assert.equal(counts[0], 0);
    // each of 4: mean 1,000, deviation 27.4; six of them are passed once in 10^8
    for (const count of counts.slice(1)) assert.ok(Math.abs(count - 1000) < 6 * 27.4, `${counts}`);
    assert.equal(quorumOfBlob(beta, { submissionIndex: 9n }, 1), 0);
  });

  it('xors betas in any order, each once', () => {
    const betas = [0, 1, 2].map((index) => keccak256(Uint8Array.of(index)));
    assert.deepEqual(xorBetas(betas), xorBetas([...betas].reverse()));
    assert.deepEqual(xorBetas([]), new Uint8Array(32));
    assert.notEqual(toHex(xorBetas(betas)), toHex(xorBetas(betas.slice(1))));
  });
});
