import assert from 'node:assert/strict';
import { bigEndianBytes, keccak256 } from '@cairn/primitives';
import { runsOf } from '../../../test/support/soak.ts';
import { drawPlaces } from '../../src/sampling/draw-rows.ts';
import { planSample, type SampleTarget } from '../../src/sampling/sample-bound.ts';
import { honestBlob } from '../support/blobs.ts';
import { testGroup } from '../support/committees.ts';
import { sampleOf, withheldPart } from '../support/sampling.ts';

/** Weak enough for its errors to be seen. */
const WEAK: SampleTarget = { bits: 5, served: { part: 3, whole: 5 }, oneFalseAlarmIn: 20 };
const GROUP = testGroup(Array.from({ length: 16 }, () => 1));
const NETWORK = { cosets: 3, minLog2K: 10 };
const SAMPLES = runsOf(250);

/** Of so many samples, what chance of one in `oneIn` passes once in 10^9 such runs. */
function mostOf(oneIn: number): number {
  const mean = SAMPLES / oneIn;
  return Math.floor(mean + 6 * Math.sqrt(mean * (1 - 1 / oneIn)));
}

describe('a weak target', () => {
  it('is missed as seldom as its bound says, over 20,000 draws', () => {
    // K − 1 rows are served. The count passes 625 + 6 · 24.6 in one of 10^9 such runs if the bound holds.
    const odds = { needed: 1024, rows: 4096 };
    const plan = planSample(odds, WEAK);
    const commitment = keccak256(new Uint8Array(0));
    let passed = 0;
    for (let run = 0; run < 20_000; run += 1) {
      const seed = keccak256(bigEndianBytes(run, 8));
      const drawn = drawPlaces({ seed, commitment }, odds.rows, plan.drawn);
      if (drawn.filter((place) => place < 1023).length >= plan.answers) passed += 1;
    }
    assert.ok(passed <= 772, `${passed} of 20000 passed`);
    assert.ok(passed >= 100, `${passed} of 20000 passed: far fewer than chance lets through`);
  });

  it(`is judged alike with holders, rows and proofs, over ${SAMPLES} samples of each kind`, async () => {
    const blob = await honestBlob(3000, NETWORK);
    const kinds = { available: 0, unavailable: 0, badEncoding: 0 };
    const alarms = { ...kinds };
    for (let seed = 1; seed <= SAMPLES; seed += 1) {
      const { rows } = blob.layout;
      const most = withheldPart(1 - 1023 / rows, rows, seed);
      const few = withheldPart(0.4, rows, seed);
      const options = { seed, target: WEAK };
      const lost = await sampleOf(
        blob,
        GROUP,
        () => ({ withholds: (row) => most.has(row) }),
        options,
      );
      kinds[lost.verdict.kind] += 1;
      const kept = await sampleOf(
        blob,
        GROUP,
        () => ({ withholds: (row) => few.has(row) }),
        options,
      );
      alarms[kept.verdict.kind] += 1;
    }
    assert.ok(kinds.available <= mostOf(32), JSON.stringify(kinds));
    assert.ok(alarms.unavailable <= mostOf(20), JSON.stringify(alarms));
    assert.equal(kinds.badEncoding + alarms.badEncoding, 0);
  });
});
