import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { fromHex, isFault, keccak256, seededRng, toHex } from '@cairn/primitives';
import type { BlsBackend, PublicKey, Signature } from '../../src/bls-backend.ts';
import type { SignableDigest } from '../../src/digests.ts';
import { BlsError } from '../../src/errors.ts';
import {
  keyFromWords,
  keyToWords,
  signatureFromWords,
  signatureToWords,
} from '../../src/points.ts';
import { BACKENDS, randomBytes, SEED, vectors } from '../support.ts';

const [blst, noble] = BACKENDS;
if (blst === undefined || noble === undefined) throw new Error('two backends');

/** What a call gives, or the code of the fault it throws. */
function outcome(call: () => Uint8Array | boolean): string {
  try {
    const result = call();
    return typeof result === 'boolean' ? String(result) : toHex(result);
  } catch (error) {
    if (error instanceof BlsError) return error.code;
    throw error;
  }
}

/** Both backends give the same outcome, which is returned. */
function agreed(call: (backend: BlsBackend) => Uint8Array | boolean, note: string): string {
  const first = outcome(() => call(blst as BlsBackend));
  assert.equal(
    outcome(() => call(noble as BlsBackend)),
    first,
    note,
  );
  return first;
}

/** The field's prime. */
const PRIME =
  0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;

describe('BLS backends', () => {
  const rng = seededRng(SEED);

  it(`agree on keys, signatures and sums (seed ${SEED})`, () => {
    const keys: PublicKey[] = [];
    const signatures: Signature[] = [];
    const digest = randomBytes(rng, 32) as SignableDigest;
    for (let round = 0; round < 6; round += 1) {
      const material = randomBytes(rng, 32 + rng.below(40));
      const secret = fromHex(agreed((backend) => backend.secretFromMaterial(material), 'KeyGen'));
      const publicKey = fromHex(agreed((backend) => backend.openKey(secret).publicKey, 'key'));
      keys.push(publicKey as PublicKey);
      const signature = agreed((backend) => backend.openKey(secret).sign(digest), 'signature');
      signatures.push(fromHex(signature) as Signature);
    }
    agreed((backend) => backend.addKeys(keys), 'sum of keys');
    agreed((backend) => backend.addKeys([...keys, ...keys]), 'doubled');
    agreed((backend) => backend.addSignatures(signatures), 'sum of signatures');
    const all = blst.addKeys(keys);
    const some = agreed((backend) => backend.subtractKeys(all, keys.slice(0, 2)), 'difference');
    assert.equal(some, toHex(blst.addKeys(keys.slice(2))));
    for (const backend of BACKENDS) {
      const sum = backend.addSignatures(signatures);
      assert.ok(backend.verify(all, digest, sum));
      assert.ok(!backend.verify(all, keccak256(digest), sum), 'another digest');
      assert.ok(!backend.verify(backend.addKeys(keys.slice(1)), digest, sum), 'a key less');
      assert.ok(!backend.verify(all, digest, backend.addSignatures(signatures.slice(1))));
    }
  });

  it('refuse sums that are the identity, and empty ones', () => {
    const secret = fromHex(vectors.keys[0]?.sk ?? '');
    const key = blst.openKey(secret);
    const negative = fromHex(vectors.keys[0]?.pk48 ?? '');
    negative[0] = (negative[0] ?? 0) ^ 0x20;
    const opposite = blst.parseKey(negative);
    const signature = key.sign(keccak256() as SignableDigest);
    const flipped = signature.slice();
    flipped[0] = (flipped[0] ?? 0) ^ 0x20;
    const { publicKey } = key;
    assert.equal(
      agreed((b) => b.addKeys([publicKey, opposite]), '+'),
      'BLS_IDENTITY',
    );
    assert.equal(
      agreed((b) => b.subtractKeys(publicKey, [publicKey]), '-'),
      'BLS_IDENTITY',
    );
    assert.equal(
      agreed((b) => b.addSignatures([signature, flipped as Signature]), 'signatures'),
      'BLS_IDENTITY',
    );
    assert.equal(
      agreed((b) => b.addKeys([]), 'none'),
      'BLS_NOTHING_TO_ADD',
    );
    assert.equal(
      agreed((b) => b.addSignatures([]), 'none'),
      'BLS_NOTHING_TO_ADD',
    );
  });

  it('refuse what is no secret key, and never tell its bytes', () => {
    const order = fromHex('0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001');
    for (const secret of [
      new Uint8Array(32),
      order,
      addOne(order),
      new Uint8Array(32).fill(255),
      order.slice(1),
    ]) {
      for (const backend of BACKENDS) {
        assert.throws(
          () => backend.openKey(secret),
          (error) => isFault(error, 'BLS_NOT_A_SECRET') && !error.message.includes('73ed'),
        );
      }
    }
    for (const backend of BACKENDS) {
      const secret = fromHex(vectors.keys[0]?.sk ?? '');
      const opened = backend.openKey(secret);
      secret.fill(0); // the key at work is a copy
      assert.equal(toHex(opened.publicKey), vectors.keys[0]?.pk96);
      const shown = inspect(opened, { depth: 9, showHidden: true });
      assert.ok(!shown.includes('3acbac81') && !shown.includes('58, 203, 172'), shown);
      assert.throws(
        () => backend.secretFromMaterial(new Uint8Array(31)),
        (error) => isFault(error, 'BLS_SHORT_MATERIAL'),
      );
    }
  });

  it('refuse identities, points off the curve or outside the subgroup, and other forms', () => {
    const onCurve = new Uint8Array(96);
    onCurve[95] = 2; // (0, 2) has order 3
    const zero = new Uint8Array(96);
    const infinityLong = zero.slice();
    infinityLong[0] = 0x40;
    const infinityShort = new Uint8Array(48);
    infinityShort[0] = 0xc0;
    const key = fromHex(vectors.keys[0]?.pk96 ?? '');
    const offCurve = key.slice();
    offCurve[95] = (offCurve[95] ?? 0) ^ 1;
    const tooLarge = fromHex(
      `0x${(BigInt(toHex(key.slice(0, 48))) + PRIME).toString(16).padStart(96, '0')}${toHex(key.slice(48)).slice(2)}`,
    );
    const wrong = [onCurve, zero, infinityLong, infinityShort, offCurve, tooLarge, key.slice(1)];
    for (const bytes of [...wrong, new Uint8Array(0), new Uint8Array(97)]) {
      assert.equal(
        agreed((b) => b.parseKey(bytes), toHex(bytes)),
        'BLS_NOT_A_KEY',
      );
    }
    const infinity = new Uint8Array(96);
    infinity[0] = 0xc0;
    const infinityWide = new Uint8Array(192);
    infinityWide[0] = 0x40;
    const outside = new Uint8Array(96); // x = 2 is on the curve, not in the subgroup
    outside[0] = 0x80;
    outside[95] = 2;
    for (const bytes of [infinity, infinityWide, outside, new Uint8Array(96), new Uint8Array(95)]) {
      assert.equal(
        agreed((b) => b.parseSignature(bytes), toHex(bytes)),
        'BLS_NOT_A_SIGNATURE',
      );
    }
  });

  it(`agree on damaged points (seed ${SEED + 1})`, () => {
    const chance = seededRng(SEED + 1);
    const forms = [
      fromHex(vectors.keys[1]?.pk48 ?? ''),
      fromHex(vectors.keys[1]?.pk96 ?? ''),
      fromHex(vectors.keys[1]?.pop ?? ''),
      blst.expandSignature(blst.parseSignature(fromHex(vectors.keys[1]?.pop ?? ''))),
    ];
    let taken = 0;
    for (let round = 0; round < 160; round += 1) {
      const bytes = forms[round % forms.length]?.slice() ?? new Uint8Array(0);
      const at = chance.below(3) === 0 ? 0 : chance.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << chance.below(8));
      const parsed = agreed(
        (b) => (round % 4 < 2 ? b.parseKey(bytes) : b.parseSignature(bytes)),
        toHex(bytes),
      );
      if (!parsed.startsWith('BLS_')) taken += 1;
    }
    assert.ok(taken < 30, `${taken} of 160 damaged points were taken`); // only −P is a point again
  });

  it('write words of contracts, and read them in one form only', () => {
    for (const backend of BACKENDS) {
      const key = backend.parseKey(fromHex(vectors.keys[2]?.pk96 ?? ''));
      const signature = backend.parseSignature(fromHex(vectors.keys[2]?.pop ?? ''));
      const keyWords = keyToWords(key);
      const words = signatureToWords(signature, backend);
      assert.deepEqual(signatureFromWords(words, backend), signature);
      for (const at of [0, 15, 64, 79]) {
        const dirty = keyWords.slice();
        dirty[at] = 1;
        assert.throws(
          () => keyFromWords(dirty, backend),
          (error) => isFault(error, 'BLS_NOT_A_KEY'),
        );
      }
      for (const at of [0, 15, 64, 79, 128, 143, 192, 207]) {
        const dirty = words.slice();
        dirty[at] = 1;
        assert.throws(
          () => signatureFromWords(dirty, backend),
          (error) => isFault(error, 'BLS_NOT_A_SIGNATURE'),
        );
      }
      const flagged = keyWords.slice();
      flagged[16] = (flagged[16] ?? 0) | 0x80;
      const swapped = words.slice();
      swapped.set(words.subarray(0, 64), 64);
      swapped.set(words.subarray(64, 128), 0); // imaginary part first, as zcash has it
      for (const bytes of [flagged, new Uint8Array(128), keyWords.slice(1)]) {
        assert.throws(() => keyFromWords(bytes, backend), BlsError);
      }
      for (const bytes of [swapped, new Uint8Array(256), words.slice(1)]) {
        assert.throws(() => signatureFromWords(bytes, backend), BlsError);
      }
    }
  });

  it('refuse a key made to cancel another: only its owner can prove it', () => {
    const victim = blst.openKey(fromHex(vectors.keys[0]?.sk ?? '')).publicKey;
    const mine = blst.openKey(fromHex(vectors.keys[1]?.sk ?? ''));
    const rogue = blst.subtractKeys(mine.publicKey, [victim]);
    const digest = keccak256() as SignableDigest;
    const forged = mine.sign(digest);
    for (const backend of BACKENDS) {
      const both = backend.addKeys([victim, rogue]);
      assert.ok(backend.verify(both, digest, forged), 'the sum alone would pass');
      assert.ok(!backend.verify(rogue, digest, forged), 'its own proof cannot be made');
    }
  });
});

function addOne(bytes: Uint8Array): Uint8Array {
  const next = bytes.slice();
  next[next.length - 1] = (next.at(-1) ?? 0) + 1;
  return next;
}
