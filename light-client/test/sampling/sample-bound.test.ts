import assert from 'node:assert/strict';
import { layoutOf } from '@cairn/erasure-codec';
import { isFault } from '@cairn/primitives';
import fc from 'fast-check';
import {
  DEFAULT_TARGET,
  planSample,
  type RowOdds,
  requiredAnswers,
  sampleBound,
} from '../../src/sampling/sample-bound.ts';

const QUARTER: RowOdds = { needed: 1024, rows: 4096 };
const SEED = 20_261_122;

/** log2 of the tail by adding logarithms of factorials: shares nothing with what is tested. */
function log2Tail(drawn: number, answers: number, rho: number): number {
  const logFactorial = [0];
  for (let at = 1; at <= drawn; at += 1)
    logFactorial.push((logFactorial.at(-1) ?? 0) + Math.log(at));
  const of = (at: number): number => logFactorial[at] ?? 0;
  let tail = 0;
  for (let at = drawn; at >= answers; at -= 1) {
    const ways = of(drawn) - of(at) - of(drawn - at);
    tail += Math.exp(ways + at * Math.log(rho) + (drawn - at) * Math.log1p(-rho));
  }
  return Math.log2(tail);
}

/** Ways to draw `answers` or more of `served` rows among `drawn` different ones of `rows`. */
function distinctTail(drawn: number, answers: number, served: number, rows: number): bigint {
  const choose = (from: number, count: number): bigint => {
    let ways = count > from ? 0n : 1n;
    for (let at = 0; at < count; at += 1) ways = (ways * BigInt(from - at)) / BigInt(at + 1);
    return ways;
  };
  let tail = 0n;
  for (let at = answers; at <= drawn; at += 1) {
    tail += choose(served, at) * choose(rows - served, drawn - at);
  }
  return (choose(rows, drawn) * 2n ** 20n) / tail; // one in so many, times 2^20
}

describe('the threshold test', () => {
  const figures: readonly (readonly [
    part: number,
    whole: number,
    drawn: number,
    answers: number,
  ])[] = [
    [9, 10, 63, 43],
    [4, 5, 98, 58],
    [3, 4, 123, 68],
    [2, 3, 181, 90],
    [7, 12, 286, 127],
  ];
  for (const [part, whole, drawn, answers] of figures) {
    it(`asks for ${answers} of ${drawn} rows while ${part}/${whole} are served`, () => {
      const target = { ...DEFAULT_TARGET, served: { part, whole } };
      assert.deepEqual(planSample(QUARTER, target), { drawn, answers });
      assert.equal(requiredAnswers(drawn, 40, QUARTER), answers);
      assert.ok(sampleBound({ drawn, answers }, QUARTER) >= 40);
      assert.ok(sampleBound({ drawn, answers: answers - 1 }, QUARTER) < 40);
    });
  }

  it('is the same for all blobs of one rate', () => {
    const { dataRows: needed, rows } = layoutOf(2 ** 26);
    assert.equal(needed, 4096);
    assert.deepEqual(planSample({ needed, rows }), { drawn: 98, answers: 58 });
  });

  it('is the binomial tail, rounded down to whole bits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom([1, 4], [1, 3], [1, 2], [1024, 3584]),
        (drawn, part, [needed = 1, rows = 4]) => {
          const answers = Math.round(drawn * part);
          const bits = sampleBound({ drawn, answers }, { needed, rows });
          const exact = -log2Tail(drawn, answers, needed / rows);
          assert.ok(bits <= exact + 1e-9, `${bits} bits, exactly ${exact}`);
          assert.ok(bits > exact - 1 - 1e-9, `${bits} bits, exactly ${exact}`);
        },
      ),
      { seed: SEED, numRuns: 80 },
    );
  });

  it('holds for draws of different rows: those pass less often', () => {
    for (const [dataRows, held] of [
      [1024, 4096],
      [1024, 3584],
      [4096, 16_384],
    ] as const) {
      const plan = planSample({ needed: dataRows, rows: held });
      for (let { answers } = plan; answers <= plan.drawn; answers += 10) {
        const bound = sampleBound({ drawn: plan.drawn, answers }, { needed: dataRows, rows: held });
        const oneIn = distinctTail(plan.drawn, answers, dataRows - 1, held);
        assert.ok(oneIn >= 2n ** BigInt(bound + 20), `${answers} of ${plan.drawn}`);
      }
    }
  });

  it('shows nothing by no answers, and everything it can by all', () => {
    assert.equal(sampleBound({ drawn: 98, answers: 0 }, QUARTER), 0);
    assert.equal(sampleBound({ drawn: 20, answers: 20 }, QUARTER), 40);
    assert.equal(requiredAnswers(20, 40, QUARTER), 20);
    assert.equal(requiredAnswers(19, 40, QUARTER), undefined);
  });

  it('needs more rows where rounding leaves some to nobody', () => {
    const odds = { needed: 1024, rows: 4096 - 512 };
    const plan = planSample(odds);
    assert.ok(plan.drawn > 98 && plan.drawn < 130, `${plan.drawn} rows`);
    assert.ok(sampleBound(plan, odds) >= 40);
  });

  it('refuses a target that no sample meets', () => {
    const target = { ...DEFAULT_TARGET, served: { part: 26, whole: 100 } };
    assert.throws(
      () => planSample(QUARTER, target),
      (error) => isFault(error, 'SAMPLE_TARGET'),
    );
  });

  it('refuses odds and counts that are none', () => {
    assert.throws(() => sampleBound({ drawn: 3, answers: 4 }, QUARTER), RangeError);
    assert.throws(() => sampleBound({ drawn: 3, answers: 1 }, { needed: 4, rows: 4 }), RangeError);
    assert.throws(() => sampleBound({ drawn: 513, answers: 1 }, QUARTER), RangeError);
    assert.throws(() => requiredAnswers(513, 40, QUARTER), RangeError);
    assert.throws(() => requiredAnswers(98, 129, QUARTER), RangeError);
    assert.throws(() => planSample(QUARTER, { ...DEFAULT_TARGET, bits: 0 }), RangeError);
  });
});
