import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { concatBytes, seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import fc from 'fast-check';
import { blake3 as hashWasmBlake3 } from 'hash-wasm';
import { Blake3Kernel } from '../../src/blake3-kernel.ts';
import { BLAKE3_SIMD_WASM } from '../../src/generated/blake3-simd-wasm.ts';
import { instantiateKernel } from '../../src/instantiate-kernel.ts';
import { BLAKE3_KEYS } from '../../src/row-suite.ts';
import {
  loadRowSuite,
  plainBlake3Suite,
  type RowSuite,
  sha256Suite,
  sha256SuiteOver,
} from '../../src/rows.ts';
import { periodicBytes, SEED } from '../support.ts';

/**
 * Keyed hashes of the bytes 0 … 250, 0 … by their number; the key is `OFFICIAL_KEY`.
 * Source: test_vectors/test_vectors.json of the BLAKE3 reference implementation, `keyed_hash`.
 */
const OFFICIAL_KEY = utf8Bytes('whats the Elvish word for friend');
const OFFICIAL_HASHES: Readonly<Record<number, string>> = {
  1: '0x6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b',
  1023: '0xc951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e',
  1024: '0x75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4',
  1025: '0x357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69',
  2048: '0x879cf1fa2ea0e79126cb1063617a05b6ad9d0b696d0d757cf053439f60a99dd1',
  3072: '0x044a0e7b172a312dc02a4c9a818c036ffa2776368d7f528268d2e6b5df191770',
  5120: '0x2c493e48e9b9bf31e0553a22b23503c0a3388f035cece68eb438d22fa1943e20',
  7169: '0xed9b1a922c046fdb3d423ae34e143b05ca1bf28b710432857bf738bcedbfa511',
  8192: '0xdc9637c8845a770b4cbf76b8daec0eebf7dc2eac11498517f08d44c8fc00d58a',
  31744: '0xefa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419',
};
/** The whole extended output of one byte, 131 bytes. */
const OFFICIAL_OUTPUT =
  '0x6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b' +
  '6568c0490609413006fbd428eb3fd14e7756d90f73a4725fad147f7bf70fd61c' +
  '4e0cf7074885e92b0e3f125978b4154986d4fb202a3f331a3fb6cf349a3a70e4' +
  '9990f98fe4289761c8602c4e6ab1138d31d3b62218078b2f3ba9a88e1d08d0dd4cea11';

describe('the BLAKE3 kernel', () => {
  let kernel: Blake3Kernel;
  before(async () => {
    const instance = await instantiateKernel(BLAKE3_SIMD_WASM, true);
    assert.ok(instance !== undefined);
    kernel = new Blake3Kernel(instance);
  });

  it('knows the official keyed hashes, alone and in each of its lanes', () => {
    for (const [length, expected] of Object.entries(OFFICIAL_HASHES)) {
      const message = officialInput(Number(length));
      assert.equal(toHex(kernel.hashEach(OFFICIAL_KEY, message, message.length)), expected);
      const other = new Uint8Array(message.length).fill(7);
      for (let lane = 0; lane < 4; lane += 1) {
        const messages: Uint8Array[] = [other, other, other, other];
        messages[lane] = message;
        const hashes = kernel.hashEach(OFFICIAL_KEY, concatBytes(...messages), message.length);
        assert.equal(toHex(hashes.slice(32 * lane, 32 * lane + 32)), expected, `${length} bytes`);
      }
    }
  });

  it('knows the official extended output', () => {
    const output = kernel.expand(OFFICIAL_KEY, officialInput(1), 131);
    assert.equal(toHex(output), OFFICIAL_OUTPUT);
  });

  it('hashes messages that lie apart as those that follow each other', () => {
    for (const messageBytes of [1, 32, 63, 64, 65, 2112, 65_536]) {
      const messages = Array.from({ length: 11 }, (_, item) =>
        periodicBytes(messageBytes + item).subarray(item),
      );
      assert.deepEqual(
        kernel.hashEach(OFFICIAL_KEY, messages, messageBytes),
        kernel.hashEach(OFFICIAL_KEY, concatBytes(...messages), messageBytes),
        `${messageBytes} bytes`,
      );
    }
  });

  it('refuses lengths that do not fit', () => {
    const refused = [
      () => kernel.hashEach(OFFICIAL_KEY, new Uint8Array(65), 64),
      () => kernel.hashEach(OFFICIAL_KEY, new Uint8Array(64), 0),
      () => kernel.hashEach(OFFICIAL_KEY, new Uint8Array(65_537), 65_537),
      () => kernel.expand(OFFICIAL_KEY, new Uint8Array(65), 32),
      () => kernel.expand(OFFICIAL_KEY, new Uint8Array(32), -1),
    ];
    for (const call of refused) assert.throws(call, RangeError);
  });
});

describe('the fast BLAKE3 suite', () => {
  let suite: RowSuite;
  before(async () => {
    suite = await loadRowSuite(0);
    assert.notEqual(suite, plainBlake3Suite);
  });

  it('hashes rows of every length of whole blocks like the plain one', () => {
    const lengths = Array.from({ length: 32 }, (_, index) => 64 * (index + 1));
    for (const rowBytes of [...lengths, 4096, 32_768, 65_536]) {
      const rows = randomBytes(rowBytes, 5 * rowBytes);
      assertSame(suite.leaves(rows, rowBytes), plainBlake3Suite.leaves(rows, rowBytes));
    }
  });

  it('agrees with another implementation on long rows', async () => {
    for (const rowBytes of [2048, 32_768, 65_536]) {
      const row = randomBytes(rowBytes, rowBytes);
      const expected = await hashWasmBlake3(row, 256, BLAKE3_KEYS.leaf);
      assert.equal(toHex(suite.leaves(row, rowBytes)), `0x${expected}`);
    }
  });

  it('agrees with the plain one on random rows, pairs and seeds', () => {
    const cases = fc.record({
      seed: fc.nat(),
      rowBytes: fc.integer({ min: 1, max: 3000 }),
      count: fc.integer({ min: 0, max: 11 }),
      outputBytes: fc.integer({ min: 0, max: 1500 }),
    });
    const property = fc.property(cases, ({ seed, rowBytes, count, outputBytes }) => {
      const rows = randomBytes(seed, rowBytes * count);
      assertSame(suite.leaves(rows, rowBytes), plainBlake3Suite.leaves(rows, rowBytes));
      const pairs = randomBytes(seed, 64 * count);
      assertSame(suite.parents(pairs), plainBlake3Suite.parents(pairs));
      const start = randomBytes(seed, 32);
      assertSame(suite.expand(start, outputBytes), plainBlake3Suite.expand(start, outputBytes));
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });

  it('agrees with the plain one on long rows, few or one by one', () => {
    const cases = fc.record({
      seed: fc.nat(),
      rowBytes: fc.integer({ min: 4000, max: 65_536 }),
      count: fc.integer({ min: 1, max: 6 }),
    });
    const property = fc.property(cases, ({ seed, rowBytes, count }) => {
      const rows = randomBytes(seed, rowBytes * count);
      assertSame(suite.leaves(rows, rowBytes), plainBlake3Suite.leaves(rows, rowBytes));
    });
    fc.assert(property, { seed: SEED, numRuns: 40 });
    for (let chunks = 4; chunks <= 64; chunks += 1) {
      const row = randomBytes(chunks, 1024 * chunks);
      assertSame(suite.leaves(row, row.length), plainBlake3Suite.leaves(row, row.length));
    }
  });

  it('hashes more than fits its memory at once', () => {
    for (const rowBytes of [32, 64, 960]) {
      const count = Math.ceil(262_144 / (64 * Math.ceil(rowBytes / 64))) + 3;
      const rows = randomBytes(rowBytes, rowBytes * count);
      const [front, back] = [rows.subarray(0, rowBytes * 100), rows.subarray(rowBytes * 100)];
      assertSame(
        suite.leaves(rows, rowBytes),
        concatBytes(suite.leaves(front, rowBytes), suite.leaves(back, rowBytes)),
      );
      const last = rows.subarray(-rowBytes);
      assertSame(suite.leaves(rows, rowBytes).slice(-32), plainBlake3Suite.leaves(last, rowBytes));
    }
    const seed = randomBytes(1, 32);
    assertSame(suite.expand(seed, 262_145), plainBlake3Suite.expand(seed, 262_145));
  });

  it('carries nothing over from one call to the next', () => {
    const row = periodicBytes(33);
    const before = toHex(suite.leaves(row, 33));
    suite.leaves(new Uint8Array(262_144).fill(255), 65_536);
    suite.expand(new Uint8Array(64).fill(255), 131_072);
    assert.equal(toHex(suite.leaves(row, 33)), before);
    assertSame(suite.expand(row, 64), plainBlake3Suite.expand(row, 64));
  });

  it('hashes rows too long for the kernel, and digests', () => {
    const long = periodicBytes(65_600);
    assertSame(suite.leaves(long, 65_600), plainBlake3Suite.leaves(long, 65_600));
    assertSame(suite.digest('rows', [long]), plainBlake3Suite.digest('rows', [long]));
  });

  it('refuses lengths that do not fit, as the plain one does', () => {
    for (const each of [suite, plainBlake3Suite]) {
      assert.throws(() => each.leaves(new Uint8Array(65), 64), RangeError);
      assert.throws(() => each.leaves(new Uint8Array(64), 0), RangeError);
      assert.throws(() => each.leaves(new Uint8Array(64), 0.5), RangeError);
      assert.throws(() => each.leaves(new Uint8Array(64), 65_537), RangeError);
      assert.throws(() => each.parents(new Uint8Array(96)), RangeError);
    }
  });
});

describe('loading a suite of rows', () => {
  it('takes the plain one where the kernel does not run', async () => {
    const { WebAssembly: real } = globalThis;
    try {
      const forbidden = Object.create(real, {
        instantiate: { value: () => Promise.reject(new real.CompileError('blocked')) },
      });
      Object.assign(globalThis, { WebAssembly: forbidden });
      assert.equal(await loadRowSuite(0), plainBlake3Suite);
      Object.assign(globalThis, { WebAssembly: undefined });
      assert.equal(await loadRowSuite(0), plainBlake3Suite);
    } finally {
      Object.assign(globalThis, { WebAssembly: real });
    }
  });

  it('takes SHA-256 for suite 1, over the platform where the caller wants it', async () => {
    assert.equal(await loadRowSuite(1), sha256Suite);
    const native = sha256SuiteOver((...parts) => {
      const hash = createHash('sha256');
      for (const part of parts) hash.update(part);
      return hash.digest();
    });
    const rows = periodicBytes(4 * 128);
    assertSame(native.leaves(rows, 128), sha256Suite.leaves(rows, 128));
    assertSame(native.parents(rows), sha256Suite.parents(rows));
    assertSame(
      native.expand(rows.subarray(0, 32), 100),
      sha256Suite.expand(rows.subarray(0, 32), 100),
    );
    assertSame(native.digest('rows', [rows, rows]), sha256Suite.digest('rows', [rows, rows]));
  });
});

/** The input of the official vectors. */
function officialInput(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(toHex(actual), toHex(expected));
}

function randomBytes(seed: number, length: number): Uint8Array {
  return seededRng(seed).fill(new Uint8Array(length));
}
