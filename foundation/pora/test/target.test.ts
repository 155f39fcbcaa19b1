import assert from 'node:assert/strict';
import fc from 'fast-check';
import { MAX_RANGE_SECTORS, MAX_TARGET } from '../src/params.ts';
import {
  expectedAttempts,
  hashLimit,
  nextTarget,
  scaleX64,
  targetAfterEpochs,
  targetOf,
} from '../src/target.ts';
import { SEED } from './support.ts';

const terms = { targetSubmissions: 100, adjustRatio: 20, minDifficulty: 0n };
const ONE = 2n ** 64n;

describe('the limit of a hash', () => {
  it('falls with the shards as long as a shard has less than may be mined', () => {
    assert.equal(scaleX64(65_536, 1), ONE);
    assert.equal(scaleX64(65_536, 8), 8n * ONE);
    assert.equal(scaleX64(MAX_RANGE_SECTORS * 8, 8), ONE);
    assert.equal(scaleX64(MAX_RANGE_SECTORS * 4, 8), 2n * ONE);
    const target = targetOf(1_000_000n);
    assert.equal(hashLimit(target, ONE), (target / ONE) << 64n);
    assert.ok(hashLimit(target, 8n * ONE) <= target / 8n);
    assert.ok(hashLimit(MAX_TARGET, ONE) <= MAX_TARGET);
  });

  it('takes a difficulty’s 64th part of attempts on average', () => {
    const attempts = expectedAttempts(targetOf(1_000_000n), ONE, 64);
    assert.ok(Math.abs(attempts - 15_625) < 1, `${attempts}`);
  });
});

describe('the target after an epoch', () => {
  const target = targetOf(1_000_000n);

  it('stays where the answers are those meant', () => {
    assert.equal(nextTarget(target, 100, terms) >> 16n, target >> 16n);
  });

  it('moves by a twentieth of the difference', () => {
    const half = nextTarget(target, 200, terms);
    assert.equal(half >> 16n, ((target >> 16n) * 19n + (target >> 17n)) / 20n);
    const double = nextTarget(target, 50, terms);
    assert.equal(double >> 16n, ((target >> 16n) * 21n) / 20n);
  });

  it('at most doubles, for an answer alone and for none', () => {
    assert.equal(nextTarget(target, 1, terms), (target >> 16n) << 17n);
    assert.equal(nextTarget(target, 0, terms), (target >> 16n) << 17n);
  });

  // The same numbers are in contracts/test/forge/MiningSchedule.t.sol.
  it('agrees with the contract, over epochs with and without answers', () => {
    const rows: [string, number, number, number, number, bigint, string][] = [
      [
        '0x10c6f7a0b5ed8d36b4c7f34938583621fafc8b0079a2834d26fa3fcc9ea9',
        200,
        1,
        100,
        20,
        0n,
        '0x105b97d64afad01556a95a00fd56019454b63aba1031a66b3933fe330000',
      ],
      [
        '0x10c6f7a0b5ed8d36b4c7f34938583621fafc8b0079a2834d26fa3fcc9ea9',
        37,
        1,
        100,
        20,
        0n,
        '0x12349eb2e3dc114778c172e53f90275e4ce511fe180e198ccd3c86f50000',
      ],
      [
        '0x10c6f7a0b5ed8d36b4c7f34938583621fafc8b0079a2834d26fa3fcc9ea9',
        1,
        3,
        100,
        20,
        0n,
        '0x8637bd05af6c69b5a63f9a49c2c1b10fd7e45803cd141a6937d1fe600000',
      ],
      [
        '0x10c6f7a0b5ed8d36b4c7f34938583621fafc8b0079a2834d26fa3fcc9ea9',
        0,
        25,
        100,
        20,
        10n,
        '0x1999999999999999999999999999999999999999999999999999999999999999',
      ],
      ['0x27e41b3246bec9b16e398115', 9, 2, 5, 7, 0n, '0x4ab76fe4437dbaca4c6a0000'],
      ['0xffff', 0, 2, 1, 1, 0n, '0x40000'],
      [
        '0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
        0,
        1,
        1,
        20,
        0n,
        '0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0000',
      ],
    ];
    for (const [
      before,
      answers,
      epochs,
      targetSubmissions,
      adjustRatio,
      minDifficulty,
      after,
    ] of rows) {
      const adjustment = { targetSubmissions, adjustRatio, minDifficulty };
      const left = targetAfterEpochs(BigInt(before), answers, epochs, adjustment);
      assert.equal(left, BigInt(after), `${before} after ${epochs} epochs`);
    }
    assert.equal(targetAfterEpochs(1n, 0, Number.MAX_SAFE_INTEGER, terms), MAX_TARGET);
  });

  it('never passes the least difficulty or the largest hash, and never is none', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 2n ** 17n, max: MAX_TARGET }),
        fc.nat({ max: 10_000 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 100 }),
        fc.bigInt({ min: 1n, max: 2n ** 100n }),
        (before, submissions, targetSubmissions, adjustRatio, minDifficulty) => {
          const after = nextTarget(before, submissions, {
            targetSubmissions,
            adjustRatio,
            minDifficulty,
          });
          assert.ok(after > 0n && after <= MAX_TARGET / minDifficulty);
          assert.ok(after <= 2n * before);
          const free = nextTarget(before, submissions, {
            targetSubmissions,
            adjustRatio,
            minDifficulty: 0n,
          });
          assert.ok(free >> 16n >= (before >> 16n) / 2n);
        },
      ),
      { seed: SEED },
    );
  });
});
