import assert from 'node:assert/strict';
import { concatBytes, Fault, isFault, keccak256, seededRng } from '@cairn/primitives';
import { startTrust } from '../../src/epochs/epoch-trust.ts';
import { followHandover } from '../../src/epochs/follow-handover.ts';
import { encodeTrust, MAX_TRUST_BYTES, parseTrust } from '../../src/epochs/trust-message.ts';
import {
  BLST,
  EPOCH_SECONDS,
  handoverOf,
  NETWORK,
  nextGroup,
  START_SECONDS,
  testGroup,
} from '../support/committees.ts';

const FIRST = testGroup([1, 1, 1]);
const SECOND = nextGroup(FIRST, [1, 2]);
const OTHER = nextGroup(FIRST, [2, 2]);
const RULES = {
  nowSeconds: START_SECONDS + EPOCH_SECONDS,
  trustingSeconds: EPOCH_SECONDS,
  maxDriftSeconds: 60,
};
const anchored = startTrust({
  network: NETWORK,
  header: FIRST.header,
  snapshot: FIRST.committee.snapshot,
});
const followed = followHandover(anchored, handoverOf(FIRST, SECOND), RULES, BLST);
const divided = followHandover(followed, handoverOf(FIRST, OTHER), RULES, BLST);

describe('stored trust', () => {
  it('comes back as it was, its conflict too', () => {
    for (const trust of [anchored, followed, divided]) {
      assert.deepEqual(parseTrust(encodeTrust(trust), BLST), trust);
    }
  });

  it('goes on where it was', () => {
    const again = parseTrust(encodeTrust(anchored), BLST);
    assert.deepEqual(followHandover(again, handoverOf(FIRST, SECOND), RULES, BLST), followed);
    assert.throws(
      () =>
        followHandover(
          parseTrust(encodeTrust(divided), BLST),
          handoverOf(FIRST, SECOND),
          RULES,
          BLST,
        ),
      (error) => isFault(error, 'TRUST_STOPPED'),
    );
  });

  it('has one form: nothing is missing, left over or out of order', () => {
    const bytes = encodeTrust(divided);
    for (let length = 0; length < bytes.length; length += 7) {
      assert.throws(() => parseTrust(bytes.subarray(0, length), BLST), Fault);
    }
    assert.throws(() => parseTrust(Uint8Array.of(...bytes, 0), BLST), Fault);
    const gap = {
      ...followed,
      epochs: [followed.epochs[1], followed.epochs[0]],
    } as typeof followed;
    assert.throws(
      () => parseTrust(encodeTrust(gap), BLST),
      (error) => isFault(error, 'TRUST_STORED'),
    );
    assert.throws(
      () => parseTrust(new Uint8Array(MAX_TRUST_BYTES + 1), BLST),
      (error) => isFault(error, 'TRUST_TOO_LARGE'),
    );
  });

  it('shows damage to any bit', () => {
    const bytes = encodeTrust(followed);
    const rng = seededRng(20_261_122);
    for (let run = 0; run < 500; run += 1) {
      const damaged = bytes.slice();
      const at = rng.below(bytes.length);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << rng.below(8));
      assert.throws(
        () => parseTrust(damaged, BLST),
        (error) => isFault(error, 'TRUST_STORED'),
        `byte ${at}`,
      );
    }
  });

  it('never crashes, whatever was stored', () => {
    const body = encodeTrust(followed).subarray(0, -32);
    const rng = seededRng(20_261_123);
    for (let run = 0; run < 300; run += 1) {
      const changed = body.slice();
      changed[rng.below(36)] = rng.below(256); // magic to count
      const bytes = concatBytes(changed, keccak256(changed));
      try {
        assert.equal(parseTrust(bytes, BLST).epochs.length, 2);
      } catch (error) {
        assert.ok(error instanceof Fault, String(error));
      }
    }
  });
});
