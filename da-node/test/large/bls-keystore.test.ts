import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { blstBackend } from '@cairn/attestation/native';
import { fromHex, isFault, toHex } from '@cairn/primitives';
import { createBlsKeystore, openBlsKeystore } from '../../src/signer/bls-keystore.ts';

/** The specification's own examples: one secret, under both ways to derive a key. */
const SECRET = fromHex('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
const PASSWORD = '𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑';
const PUBLIC_KEY =
  '9612d7a727c9d0a22e185a1c768478dfe919cada9266988cb32359c11f2b7b27f4ae4040902382ae2910c15e2b420d07';
const SALT = 'd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3';
const CIPHER = { function: 'aes-128-ctr', params: { iv: '264daa3f303d7259501c93d997d84fe6' } };

interface Derivation {
  readonly kdf: Readonly<Record<string, unknown>>;
  readonly checksum: string;
  readonly sealed: string;
}

const DERIVATIONS: Readonly<Record<'scrypt' | 'pbkdf2', Derivation>> = {
  scrypt: {
    kdf: { function: 'scrypt', params: { dklen: 32, n: 262_144, p: 1, r: 8, salt: SALT } },
    checksum: 'd2217fe5f3e9a1e34581ef8a78f7c9928e436d36dacc5e846690a5581e8ea484',
    sealed: '06ae90d55fe0a6e9c5c3bc5b170827b2e5cce3929ed3f116c2811e6366dfe20f',
  },
  pbkdf2: {
    kdf: {
      function: 'pbkdf2',
      params: { dklen: 32, c: 262_144, prf: 'hmac-sha256', salt: SALT },
    },
    checksum: '8a9f5d9912ed7e75ea794bc5a89bca5f193721d30868ade6f73043c6ea6febf1',
    sealed: 'cee03fde2af33149775b7223e7845e4fb2c8ae1792e5f99fe9ecf474cc8c16ad',
  },
};

function keystoreOf({ kdf, checksum, sealed }: Derivation, changes: object = {}): string {
  return JSON.stringify({
    crypto: {
      kdf,
      checksum: { function: 'sha256', params: {}, message: checksum },
      cipher: { ...CIPHER, message: sealed },
    },
    pubkey: PUBLIC_KEY,
    path: 'm/12381/60/3141592653/589793238',
    version: 4,
    ...changes,
  });
}

describe('a BLS keystore', () => {
  const backend = blstBackend();
  const is =
    (code: string) =>
    (error: unknown): boolean =>
      isFault(error, code);

  for (const [name, derivation] of Object.entries(DERIVATIONS)) {
    it(`of the specification opens, ${name}`, async () => {
      const key = await openBlsKeystore(keystoreOf(derivation), PASSWORD, backend);
      deepEqual(key.publicKey, backend.openKey(SECRET).publicKey);
      equal(toHex(backend.compressKey(key.publicKey)).slice(2), PUBLIC_KEY);
    });
  }

  it('opens with its password only, control characters left out', async () => {
    const store = keystoreOf(DERIVATIONS.pbkdf2);
    await openBlsKeystore(store, `\u0007testpassword🔑\u007f`, backend);
    await rejects(openBlsKeystore(store, 'testpassword', backend), is('KEYSTORE_PASSWORD'));
  });

  it('that asks for too much, or is none, is refused without a word of its content', async () => {
    const { kdf } = DERIVATIONS.scrypt;
    const greedy = { ...kdf, params: { ...(kdf['params'] as object), n: 2 ** 30 } };
    const cases = [
      keystoreOf({ ...DERIVATIONS.scrypt, kdf: greedy }),
      keystoreOf(DERIVATIONS.scrypt, { version: 3 }),
      keystoreOf({ ...DERIVATIONS.scrypt, kdf: { function: 'argon2', params: {} } }),
      keystoreOf({ ...DERIVATIONS.pbkdf2, sealed: 'abcd' }),
      keystoreOf(DERIVATIONS.pbkdf2, { pubkey: PUBLIC_KEY.replace('96', '97') }),
      '[]',
      ' '.repeat(70_000),
    ];
    for (const text of cases) {
      await rejects(
        openBlsKeystore(text, PASSWORD, backend),
        is('KEYSTORE_FORM'),
        text.slice(0, 99),
      );
    }
    await rejects(openBlsKeystore('{', PASSWORD, backend), is('WIRE_JSON'));
  });

  it('that is made here opens again', async () => {
    const text = await createBlsKeystore(SECRET, 'a password', backend);
    ok(!text.includes(toHex(SECRET).slice(2)));
    const key = await openBlsKeystore(text, 'a password', backend);
    deepEqual(key.publicKey, backend.openKey(SECRET).publicKey);
  });
});
