import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { chainIdOf, keccak256, parseAddress, seededRng, toHex, utf8Bytes } from '@cairn/primitives';
import { Transaction, Wallet } from 'ethers';
import fc from 'fast-check';
import { createKeystore, openKeystore, signerFromKeystore } from '../src/keys/keystore.ts';
import {
  addressOf,
  ecdhSharedX,
  parsePrivateKey,
  personalDigest,
  publicKeyOf,
  randomKey,
  recoverAddress,
} from '../src/keys/private-key.ts';
import { signerFromKey } from '../src/keys/signer.ts';
import { ANVIL_KEYS, FIRST_ACCOUNT } from './anvil.ts';

/** Aborts by hand only: these tests wait for nothing but their own work. */
const { signal } = new AbortController();

describe('keys', () => {
  it('give the account that the chain knows them by', () => {
    assert.equal(addressOf(parsePrivateKey(ANVIL_KEYS[0])), FIRST_ACCOUNT);
    assert.equal(signerFromKey(` ${ANVIL_KEYS[0].slice(2)}\n`).address, FIRST_ACCOUNT);
  });

  it('are refused when they are none, without being shown', () => {
    const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
    for (const text of [
      '',
      '0x12',
      `0x${'00'.repeat(32)}`,
      order,
      `${ANVIL_KEYS[0]}00`,
      'z'.repeat(64),
    ]) {
      assert.throws(
        () => signerFromKey(text),
        (error: unknown) => {
          const { code, message } = error as { code: string; message: string };
          assert.equal(code, 'KEY_INVALID');
          assert.ok(text === '' || !message.includes(text));
          return true;
        },
      );
    }
  });

  it('stay hidden when a signer is printed', () => {
    const signer = signerFromKey(ANVIL_KEYS[0]);
    const shown = [
      inspect(signer, { depth: 9, showHidden: true }),
      `${signer}`,
      JSON.stringify(signer),
    ];
    for (const text of shown) assert.doesNotMatch(text, /ac0974be/i);
    assert.match(`${signer}`, /f39fd6e5/);
  });

  it('share the same secret from both sides', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const rng = seededRng(seed);
        const [a, b] = [randomKey(rng), randomKey(rng)];
        const shared = ecdhSharedX(a, publicKeyOf(b));
        assert.equal(shared.length, 32);
        assert.deepEqual(shared, ecdhSharedX(b, publicKeyOf(a, false)));
      }),
      { seed: 5, numRuns: 10 },
    );
    assert.throws(() => ecdhSharedX(randomKey(seededRng(1)), new Uint8Array(33)), {
      code: 'KEY_INVALID',
    });
  });

  it('sign transactions that another library reads', () => {
    const signer = signerFromKey(ANVIL_KEYS[0]);
    const to = parseAddress(`0x${'44'.repeat(20)}`);
    for (const fees of [
      { kind: 'eip1559', maxFeePerGas: 9n, maxPriorityFeePerGas: 2n },
      { kind: 'legacy', gasPrice: 7n },
    ] as const) {
      const { raw, hash } = signer.signTransaction({
        chainId: chainIdOf(16_661),
        nonce: 3,
        to,
        data: Uint8Array.of(1),
        valueWei: 10n ** 20n,
        gasLimit: 50_000n,
        fees,
      });
      const read = Transaction.from(raw);
      assert.equal(read.from?.toLowerCase(), FIRST_ACCOUNT);
      assert.equal(read.hash, hash);
      assert.equal(toHex(keccak256(Uint8Array.from(Buffer.from(raw.slice(2), 'hex')))), hash);
    }
  });

  it('sign digests that give the account back', () => {
    const signer = signerFromKey(ANVIL_KEYS[1]);
    const message = utf8Bytes('hello');
    const signature = signer.signDigest(personalDigest(message));
    assert.equal(recoverAddress(personalDigest(message), signature), signer.address);
    assert.equal(toHex(signature), new Wallet(ANVIL_KEYS[1]).signMessageSync('hello'));
    assert.equal(recoverAddress(personalDigest(message), new Uint8Array(65)), undefined);
  });
});

describe('keystores', () => {
  const key = randomKey(seededRng(3));
  const made = () =>
    createKeystore(key, 'pass word ü', { signal, scryptN: 1024, rng: seededRng(4) });

  it('open with their password, here and elsewhere', async () => {
    const json = await made();
    assert.deepEqual(await openKeystore(json, 'pass word ü', { signal }), key);
    assert.equal(
      (await signerFromKeystore(json, 'pass word ü', { signal })).address,
      addressOf(key),
    );
    assert.equal((await Wallet.fromEncryptedJson(json, 'pass word ü')).privateKey, toHex(key));
  });

  it('stay shut for another password, and say nothing about it', async () => {
    await assert.rejects(openKeystore(await made(), 'hunter2', { signal }), (error: unknown) => {
      assert.equal((error as { code: string }).code, 'KEYSTORE_WRONG_PASSWORD');
      assert.doesNotMatch(inspect(error, { depth: 9 }), /hunter2/);
      return true;
    });
  });

  it('are refused when damaged or dearer to open than any honest one', async () => {
    const json = await made();
    const dear = json.replace(/"n":1024/i, '"n":1073741824');
    assert.notEqual(dear, json);
    await assert.rejects(openKeystore(dear, 'x', { signal }), { code: 'KEYSTORE_TOO_COSTLY' });
    for (const bad of [
      '',
      '{}',
      'null',
      json.replace('"version":3', '"version":1'),
      '{'.repeat(20_000),
    ]) {
      await assert.rejects(openKeystore(bad, 'x', { signal }), { code: 'KEYSTORE_INVALID' });
    }
  });

  it('stop when told to', async () => {
    const stop = AbortSignal.abort(new Error('enough'));
    await assert.rejects(createKeystore(key, 'x', { signal: stop }), /enough/);
  });
});
