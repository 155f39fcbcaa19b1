import assert from 'node:assert/strict';
import { keccak256, seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import { type Hasher, loadHasher, nobleHasher } from '../src/index.ts';
import { naiveLeaves, naiveRoot, periodicBytes, SEED } from './support.ts';

const KERNELS = ['simd', 'scalar', 'noble'] as const;

for (const kernel of KERNELS) {
  describe(`the ${kernel} hasher`, () => {
    let hasher: Hasher;
    before(async () => {
      hasher = await loadHasher({ kernel });
    });

    it('is the one asked for', () => {
      assert.equal(hasher.name, kernel);
    });

    it('knows keccak-256 of "abc"', () => {
      const hash = toHex(hasher.hashMany(utf8Bytes('abc'), 3));
      assert.equal(hash, '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45');
    });

    it('hashes every item length around the block size, odd and even counts', () => {
      const lengths = [
        1, 7, 8, 31, 32, 63, 64, 65, 92, 93, 96, 128, 132, 134, 135, 136, 137, 255, 256, 257,
      ];
      for (const itemBytes of [...lengths, 271, 272, 273, 408, 1000, 65_536]) {
        for (const count of itemBytes > 1000 ? [1, 3] : [1, 2, 5]) {
          const input = periodicBytes(itemBytes * count);
          const hashes = hasher.hashMany(input, itemBytes);
          assert.equal(hashes.length, count * 32);
          const elsewhere = new Uint8Array(input.length + 1).subarray(1); // at no whole word
          elsewhere.set(input);
          assert.deepEqual(hasher.hashMany(elsewhere, itemBytes), hashes);
          for (let item = 0; item < count; item += 1) {
            const expected = keccak256(input.subarray(item * itemBytes, (item + 1) * itemBytes));
            assert.equal(toHex(hashes.slice(item * 32, item * 32 + 32)), toHex(expected));
          }
        }
      }
    });

    const itForKernels = kernel === 'noble' ? undefined : it; // the plain one is the oracle
    itForKernels?.('agrees with the plain one on random items', () => {
      const items = fc
        .tuple(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 0, max: 9 }), fc.nat())
        .map(([itemBytes, count, seed]) => ({
          itemBytes,
          input: randomBytes(seed, itemBytes * count),
        }));
      const property = fc.property(items, ({ itemBytes, input }) => {
        assert.deepEqual(hasher.hashMany(input, itemBytes), nobleHasher.hashMany(input, itemBytes));
      });
      fc.assert(property, { seed: SEED, numRuns: 60 });
    });

    it('hashes more items than fit its memory at once, in place too', () => {
      for (const itemBytes of [64, 256, 40]) {
        const count = Math.ceil((262_144 + 5000) / itemBytes);
        const input = periodicBytes(itemBytes * count);
        const last = keccak256(input.subarray((count - 1) * itemBytes));
        const first = keccak256(input.subarray(0, itemBytes));
        const hashes = hasher.hashMany(input, itemBytes, input);
        assert.equal(toHex(hashes.slice(0, 32)), toHex(first));
        assert.equal(toHex(hashes.slice(-32)), toHex(last));
        assert.equal(hashes.buffer, input.buffer);
      }
    });

    it('roots segments like the recursive definition, whatever their leaves', () => {
      const counts = kernel === 'noble' ? [1, 2, 3, 21] : [1, 2, 3, 5, 7, 8, 18, 129, 1023, 1024];
      for (const leaves of counts) {
        for (const sizeBytes of new Set([
          1,
          256,
          leaves * 128 + 1,
          leaves * 256 - 1,
          leaves * 256,
        ])) {
          if (sizeBytes > leaves * 256) continue;
          const data = periodicBytes(sizeBytes);
          const expected = naiveRoot(naiveLeaves(data, leaves));
          assert.equal(
            toHex(hasher.segmentRoot(data, leaves)),
            toHex(expected),
            `${leaves} leaves`,
          );
        }
      }
    });

    it('carries nothing over from one call to the next', () => {
      const data = periodicBytes(1000);
      const before = toHex(hasher.segmentRoot(data, 5));
      hasher.segmentRoot(new Uint8Array(262_144).fill(255), 1024);
      hasher.hashMany(new Uint8Array(137 * 9).fill(255), 137);
      assert.equal(toHex(hasher.segmentRoot(data, 5)), before);
    });

    it('refuses lengths that do not fit', () => {
      assert.throws(() => hasher.hashMany(new Uint8Array(65), 64), RangeError);
      assert.throws(() => hasher.hashMany(new Uint8Array(64), 0), RangeError);
      assert.throws(() => hasher.hashMany(new Uint8Array(65_537), 65_537), RangeError);
      assert.throws(() => hasher.hashMany(new Uint8Array(64), 64, new Uint8Array(31)), RangeError);
      assert.throws(() => hasher.segmentRoot(new Uint8Array(257), 1), RangeError);
      assert.throws(() => hasher.segmentRoot(new Uint8Array(0), 1), RangeError);
      assert.throws(() => hasher.segmentRoot(new Uint8Array(1), 1025), RangeError);
      assert.throws(() => hasher.segmentRoot(new Uint8Array(1), 0), RangeError);
    });
  });
}

describe('loading a hasher', () => {
  it('takes SIMD here', async () => {
    assert.equal((await loadHasher()).name, 'simd');
  });

  it('falls back to scalar without SIMD, and to plain JavaScript without WebAssembly', async () => {
    const { WebAssembly: real } = globalThis;
    try {
      const scalarOnly = Object.create(real, {
        validate: {
          value: (bytes: Uint8Array) =>
            bytes.length < 15_000 && real.validate(bytes as BufferSource),
        },
      });
      Object.assign(globalThis, { WebAssembly: scalarOnly });
      assert.equal((await loadHasher()).name, 'scalar');
      // A content policy that forbids compiling what validates.
      const forbidden = Object.create(real, {
        instantiate: { value: () => Promise.reject(new real.CompileError('blocked')) },
      });
      Object.assign(globalThis, { WebAssembly: forbidden });
      assert.equal((await loadHasher()).name, 'noble');
      await assert.rejects(loadHasher({ kernel: 'scalar' }), real.CompileError);
      Object.assign(globalThis, { WebAssembly: undefined });
      assert.equal((await loadHasher()).name, 'noble');
    } finally {
      Object.assign(globalThis, { WebAssembly: real });
    }
  });
});

function randomBytes(seed: number, length: number): Uint8Array {
  return seededRng(seed).fill(new Uint8Array(length));
}
