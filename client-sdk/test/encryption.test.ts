import assert from 'node:assert/strict';
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { publicKeyOf } from '@cairn/chain-access';
import { loadHasher } from '@cairn/commitments';
import { type FileSource, fragmentSources, memoryFileSource, prepareFile } from '@cairn/log-layer';
import { concatBytes, fromHex, isFault } from '@cairn/primitives';
import fc from 'fast-check';
import { chanceFromSeed, type EncryptionChance } from '../src/encryption/ciphers.ts';
import { decryptFragments, decryptSource, encryptSource } from '../src/encryption/encrypt.ts';
import { headerBytesOf } from '../src/encryption/headers.ts';
import type { Decryption, Encryption } from '../src/encryption/keys.ts';
import { aperiodicBytes } from './support/fake-network.ts';

interface Vectors {
  readonly encryption: {
    readonly v1: { key: string; nonce: string; streamHex: string; root: string };
    readonly v1CounterWrap: { key: string; nonce: string; streamHex: string };
    readonly v2: {
      recipientPrivateKey: string;
      recipientPublicKey: string;
      ephemeralPrivateKey: string;
      nonce: string;
      streamHex: string;
    };
    readonly fragments512: { sizes: number[]; sha256: string[] };
  };
}

const vectors = (
  JSON.parse(
    readFileSync(new URL('../../test/vectors/storage.json', import.meta.url), 'utf8'),
  ) as Vectors
).encryption;

/** The content formula of the vectors: floor(((i · 2654435761) mod 2^32) / 2^24). */
const formula = aperiodicBytes;

const { signal } = new AbortController();
const all = (source: FileSource): Promise<Uint8Array> =>
  source.read(0, source.sizeBytes, { signal });
const noChance: EncryptionChance = {
  nonce: new Uint8Array(16),
  salt: new Uint8Array(32).fill(1),
  ephemeralPrivateKey: new Uint8Array(32).fill(2),
};
const key = new Uint8Array(32).fill(7);
const privateKey = new Uint8Array(32).fill(0x11);
const recipient = publicKeyOf(privateKey);
const KINDS: readonly { encryption: Encryption; decryption: Decryption }[] = [
  { encryption: { kind: 'zg-ctr', key }, decryption: { key } },
  { encryption: { kind: 'zg-ecies', recipient }, decryption: { privateKey } },
  { encryption: { kind: 'sealed', key }, decryption: { key } },
  { encryption: { kind: 'sealed-to', recipient }, decryption: { privateKey } },
];

describe("0G's encrypted formats, against the official SDK's vectors", () => {
  it('writes and reads version 1', async () => {
    const { v1 } = vectors;
    const encryption = { kind: 'zg-ctr', key: fromHex(v1.key) } as const;
    const chance = { ...noChance, nonce: fromHex(v1.nonce) };
    const stored = await encryptSource(memoryFileSource(formula(1000)), encryption, chance);
    const bytes = await all(stored);
    assert.deepEqual(bytes, fromHex(v1.streamHex));
    const prepared = await prepareFile(stored, { hasher: await loadHasher(), signal });
    assert.equal(prepared.root, v1.root);
    const plain = await decryptSource(
      memoryFileSource(bytes),
      { key: fromHex(v1.key) },
      { signal },
    );
    assert.deepEqual(await all(plain), formula(1000));
  });

  it('wraps the counter at 2^128', async () => {
    const { v1CounterWrap: vector } = vectors;
    const encryption = { kind: 'zg-ctr', key: fromHex(vector.key) } as const;
    const chance = { ...noChance, nonce: fromHex(vector.nonce) };
    const stored = await encryptSource(memoryFileSource(formula(48)), encryption, chance);
    assert.deepEqual(await all(stored), fromHex(vector.streamHex));
  });

  it('writes and reads version 2', async () => {
    const { v2 } = vectors;
    const encryption = {
      kind: 'zg-ecies',
      recipient: v2.recipientPublicKey as `0x${string}`,
    } as const;
    const chance = {
      ...noChance,
      nonce: fromHex(v2.nonce),
      ephemeralPrivateKey: fromHex(v2.ephemeralPrivateKey),
    };
    const stored = await encryptSource(memoryFileSource(formula(1000)), encryption, chance);
    const bytes = await all(stored);
    assert.deepEqual(bytes, fromHex(v2.streamHex));
    const decryption = { privateKey: v2.recipientPrivateKey as `0x${string}` };
    assert.deepEqual(
      await all(await decryptSource(memoryFileSource(bytes), decryption, { signal })),
      formula(1000),
    );
  });

  it('cuts after encrypting, as the Go client does', async () => {
    const { v1, fragments512 } = vectors;
    const encryption = { kind: 'zg-ctr', key: fromHex(v1.key) } as const;
    const chance = { ...noChance, nonce: fromHex(v1.nonce) };
    const stored = await encryptSource(memoryFileSource(formula(1000)), encryption, chance);
    const parts = fragmentSources(stored, 512);
    assert.deepEqual(
      parts.map(({ sizeBytes }) => sizeBytes),
      fragments512.sizes,
    );
    for (const [index, part] of parts.entries()) {
      const hash = `0x${createHash('sha256')
        .update(await all(part))
        .digest('hex')}`;
      assert.equal(hash, fragments512.sha256[index]);
    }
    const plain = await decryptFragments(parts, { key: fromHex(v1.key) }, { signal });
    assert.deepEqual(await all(plain), formula(1000));
  });

  it('reads fragments that were encrypted one by one, as the TypeScript SDK writes them', async () => {
    const encryption = { kind: 'zg-ctr', key } as const;
    const parts: FileSource[] = [];
    for (const [index, part] of fragmentSources(memoryFileSource(formula(1000)), 512).entries()) {
      const chance = { ...noChance, nonce: new Uint8Array(16).fill(index) };
      parts.push(await encryptSource(part, encryption, chance));
    }
    const plain = await decryptFragments(parts, { key }, { signal });
    assert.deepEqual(await all(plain), formula(1000));
  });
});

for (const { encryption, decryption } of KINDS) {
  describe(`encryption ${encryption.kind}`, () => {
    it('gives back any file, whole and in part', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 200_000 }),
          fc.nat(),
          fc.nat(),
          async (length, one, two) => {
            const plain = formula(length);
            const stored = await encryptSource(memoryFileSource(plain), encryption, noChance);
            const bytes = await all(stored);
            assert.equal(bytes.length, stored.sizeBytes);
            const opened = await decryptSource(memoryFileSource(bytes), decryption, { signal });
            assert.equal(opened.sizeBytes, length);
            assert.deepEqual(await all(opened), plain);
            const [from, to] = [one % (length + 1), two % (length + 1)].sort((a, b) => a - b) as [
              number,
              number,
            ];
            assert.deepEqual(
              await opened.read(from, to - from, { signal }),
              plain.subarray(from, to),
            );
            const [start, end] = [one % bytes.length, two % bytes.length].sort((a, b) => a - b) as [
              number,
              number,
            ];
            assert.deepEqual(
              await stored.read(start, end - start, { signal }),
              bytes.subarray(start, end),
            );
          },
        ),
        {
          numRuns: 20,
          seed: 5,
          examples: [
            [65_536, 0, 0],
            [131_072, 65_535, 65_537],
            [0, 0, 0],
            [1, 0, 1],
          ],
        },
      );
    });

    it('is refused for a plain file, and for a key of another kind', async () => {
      const plain = memoryFileSource(Uint8Array.of(9, 9, 9));
      await assert.rejects(decryptSource(plain, decryption, { signal }), (error) =>
        isFault(error, 'SDK_NOT_ENCRYPTED'),
      );
      const stored = await encryptSource(memoryFileSource(formula(100)), encryption, noChance);
      const other: Decryption = decryption.key === undefined ? { key } : { privateKey };
      await assert.rejects(decryptSource(stored, other, { signal }), (error) =>
        isFault(error, 'SDK_KEY_MISSING'),
      );
    });
  });
}

describe('sealed files', () => {
  const encryption = { kind: 'sealed', key } as const;
  const frame = 65_536 + 16;
  const header = headerBytesOf('sealed');
  const sealedBytes = async (length: number): Promise<Uint8Array> =>
    all(await encryptSource(memoryFileSource(formula(length)), encryption, noChance));
  const read = async (bytes: Uint8Array): Promise<Uint8Array> =>
    all(await decryptSource(memoryFileSource(bytes), { key }, { signal }));

  it('refuse another key before anything is decrypted', async () => {
    const bytes = await sealedBytes(10);
    const other = { key: new Uint8Array(32).fill(8) };
    await assert.rejects(decryptSource(memoryFileSource(bytes), other, { signal }), (error) =>
      isFault(error, 'SDK_WRONG_KEY'),
    );
  });

  it('notice every changed byte', async () => {
    const bytes = await sealedBytes(300);
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = bytes.slice();
      changed[index] = (changed[index] ?? 0) ^ 0x10;
      await assert.rejects(read(changed), `byte ${index}`);
    }
  });

  it('notice frames that are missing, doubled, in another order, or too many', async () => {
    const bytes = await sealedBytes(3 * 65_536);
    const part = (index: number): Uint8Array =>
      bytes.subarray(header + index * frame, header + (index + 1) * frame);
    const start = bytes.subarray(0, header);
    const [one, two, three] = [part(0), part(1), part(2)];
    assert.deepEqual(await read(concatBytes(start, one, two, three)), formula(3 * 65_536));
    for (const frames of [
      [one, two],
      [one],
      [two, one, three],
      [one, one, three],
      [one, two, three, three],
      [one, two, three, new Uint8Array(1)],
      [one, two, three, new Uint8Array(16)],
      [],
    ]) {
      await assert.rejects(read(concatBytes(start, ...frames)), (error) =>
        isFault(error, 'SDK_SEAL_BROKEN'),
      );
    }
  });

  it('cannot be given the frames of another file under the same key', async () => {
    const other = { ...noChance, salt: new Uint8Array(32).fill(4) };
    const mine = await sealedBytes(100);
    const theirs = await all(
      await encryptSource(memoryFileSource(formula(100)), encryption, other),
    );
    const mixed = concatBytes(mine.subarray(0, header), theirs.subarray(header));
    await assert.rejects(read(mixed), (error) => isFault(error, 'SDK_SEAL_BROKEN'));
  });

  it('can be read by a reader made from the description alone', async () => {
    const stored = await sealedBytes(150_000);
    const head = Buffer.from(stored.subarray(0, 52));
    const material = Buffer.from(
      hkdfSync('sha256', key, head.subarray(4, 36), 'cairn/sealed/1', 48),
    );
    assert.deepEqual(head.subarray(0, 4), Buffer.from([0xc3, 1, 1, 16]));
    assert.deepEqual(head.subarray(36), material.subarray(32));
    const plain: Buffer[] = [];
    for (let at = 52, index = 0; at < stored.length; at += frame, index += 1) {
      const sealed = Buffer.from(stored.subarray(at, at + frame));
      const nonce = Buffer.alloc(12);
      nonce[0] = at + frame >= stored.length ? 1 : 0;
      nonce.writeBigUInt64BE(BigInt(index), 4);
      const open = createDecipheriv('aes-256-gcm', material.subarray(0, 32), nonce);
      open.setAAD(head);
      open.setAuthTag(sealed.subarray(-16));
      plain.push(open.update(sealed.subarray(0, -16)), open.final());
    }
    assert.deepEqual(new Uint8Array(Buffer.concat(plain)), formula(150_000));
  });

  it('have the bytes that the format says', async () => {
    // Fixed, so that a change of the format cannot pass unnoticed: files would become unreadable.
    const chance = await chanceFromSeed(new Uint8Array(32).fill(5));
    const hashes: string[] = [];
    for (const encryption of [
      { kind: 'sealed', key } as const,
      { kind: 'sealed-to', recipient } as const,
    ]) {
      const bytes = await all(
        await encryptSource(memoryFileSource(formula(70_000)), encryption, chance),
      );
      hashes.push(createHash('sha256').update(bytes).digest('hex'));
    }
    assert.deepEqual(hashes, [
      '70dc5381d075a36fe566d841cecb086a8f08b0b4cc02c3b5f4663a325e87cf10',
      'f9ae20f1c1662e683e162925a0df2e75f70d669727ceddeb06a8083c156e9c14',
    ]);
  });

  it('refuse keys of the wrong form without showing them', async () => {
    const short = { kind: 'sealed', key: new Uint8Array(31).fill(0x77) } as const;
    await assert.rejects(
      encryptSource(memoryFileSource(formula(1)), short, noChance),
      (error) => isFault(error, 'SDK_KEY_FORM') && !/77|119/.test(error.message),
    );
    const nowhere = { kind: 'sealed-to', recipient: new Uint8Array(33).fill(2) } as const;
    const wrong = { ...nowhere, recipient: nowhere.recipient.fill(0xff, 1) };
    await assert.rejects(encryptSource(memoryFileSource(formula(1)), wrong, noChance), (error) =>
      isFault(error, 'SDK_KEY_FORM'),
    );
  });
});
