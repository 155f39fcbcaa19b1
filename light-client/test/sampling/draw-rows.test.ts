import assert from 'node:assert/strict';
import { drawPlaces } from '../../src/sampling/draw-rows.ts';
import { bytesOf } from '../support/blobs.ts';

const seed = bytesOf(32, 1);
const commitment = bytesOf(32, 2);

describe('drawing rows', () => {
  it('gives different places, the same ones for the same seed and blob', () => {
    const places = drawPlaces({ seed, commitment }, 4000, 512);
    assert.equal(new Set(places).size, 512);
    assert.ok(places.every((place) => place >= 0 && place < 4000));
    assert.deepEqual(drawPlaces({ seed, commitment }, 4000, 512), places);
    assert.notDeepEqual(drawPlaces({ seed: commitment, commitment }, 4000, 512), places);
    assert.notDeepEqual(drawPlaces({ seed, commitment: seed }, 4000, 512), places);
  });

  it('begins a longer draw with a shorter one', () => {
    const places = drawPlaces({ seed, commitment }, 4000, 100);
    assert.deepEqual(drawPlaces({ seed, commitment }, 4000, 200).slice(0, 100), places);
  });

  it('draws all there are, and no more', () => {
    const all = drawPlaces({ seed, commitment }, 300, 300).sort((left, right) => left - right);
    assert.deepEqual(
      all,
      Array.from({ length: 300 }, (_, place) => place),
    );
    assert.throws(() => drawPlaces({ seed, commitment }, 300, 301), RangeError);
  });

  it('favours no place', () => {
    // 20,000 draws of 10 of 50 places: each is drawn 4,000 times, give or take 57; six times that is
    // seen once in 10^7 runs of this test with other seeds.
    const counts = new Array<number>(50).fill(0);
    for (let run = 0; run < 20_000; run += 1) {
      for (const place of drawPlaces({ seed: bytesOf(32, run), commitment }, 50, 10)) {
        counts[place] = (counts[place] ?? 0) + 1;
      }
    }
    for (const [place, count] of counts.entries()) {
      assert.ok(Math.abs(count - 4000) < 6 * 57, `place ${place} was drawn ${count} times`);
    }
  });
});
