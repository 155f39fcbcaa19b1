import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  bigEndianBytes,
  concatBytes,
  fromHex,
  keccak256,
  parseAddress,
  seededRng,
  toHex,
} from '@cairn/primitives';
import { decodeRlp, encodeList, encodeString, numberBytes } from '../../src/client/rlp.ts';
import { readProvenBlock, readProvenWords } from '../../src/proof/proven-state.ts';
import { storageSlot } from '../../src/proof/slots.ts';
import { verifyTrieProof } from '../../src/proof/trie-proof.ts';
import { testSignal } from '../anvil.ts';

/** What a real chain answered. */
interface Recorded {
  readonly block: Readonly<Record<string, string>>;
  readonly proof: {
    readonly address: string;
    readonly accountProof: readonly string[];
    readonly storageHash: `0x${string}`;
    readonly storageProof: readonly {
      readonly key: `0x${string}`;
      readonly value: string;
      readonly proof: readonly `0x${string}`[];
    }[];
  };
  readonly absent: { readonly accountProof: readonly string[]; readonly address: string };
}

const recorded = JSON.parse(
  readFileSync(new URL('anvil-proof.json', import.meta.url), 'utf8'),
) as Recorded;
const { block, proof } = recorded;
const options = () => ({ signal: testSignal() });
const clientOf = (answer: unknown) => ({
  rpc: async (method: string) => (method === 'eth_getProof' ? answer : block),
});
const slots = proof.storageProof.map(({ key }) => bigEndianBytes(BigInt(key), 32));
const address = parseAddress(proof.address);

describe('words of storage, proven by a block’s hash', () => {
  const trusted = () => readProvenBlock(clientOf(proof), block['hash'] as `0x${string}`, options());

  it('are those that a chain recorded, zero where it has none', async () => {
    const query = { block: await trusted(), address, slots };
    const words = await readProvenWords(clientOf(proof), query, options());
    assert.deepEqual(
      words.map((word) => BigInt(toHex(word))),
      proof.storageProof.map(({ value }) => BigInt(value)),
    );
    assert.ok(words.some((word) => word[0] === 0x80) && words.some((word) => word[31] === 0));
  });

  it('are refused for another account, of another block, or with a part of the proof left out', async () => {
    const proven = await trusted();
    const refused = async (answer: unknown, query: object = {}) => {
      const asked = { block: proven, address, slots, ...query };
      await assert.rejects(readProvenWords(clientOf(answer), asked, options()), {
        code: 'CHAIN_BAD_PROOF',
      });
    };
    await refused(proof, { address: parseAddress(`0x${'11'.repeat(20)}`) });
    await refused(proof, { block: { ...proven, stateRoot: new Uint8Array(32) } });
    await refused(proof, { slots: [...slots].reverse() });
    await refused({ ...proof, storageProof: proof.storageProof.slice(1) });
    await refused({ ...proof, accountProof: proof.accountProof.slice(1) });
    await refused({ ...proof, accountProof: 'none' });
    await refused({ ...proof, ...recorded.absent }, { address: recorded.absent.address });
    await refused(null);
    const [first, ...rest] = proof.storageProof;
    const short = { ...first, proof: first?.proof.slice(0, -1) };
    await refused({ ...proof, storageProof: [short, ...rest] });
  });

  it('are refused whatever byte of a node is another', () => {
    const rng = seededRng(11);
    const root = fromHex(proof.storageHash);
    for (const { key, proof: nodes } of proof.storageProof) {
      const path = keccak256(bigEndianBytes(BigInt(key), 32));
      const bytes = nodes.map((node) => fromHex(node));
      const honest = verifyTrieProof(root, path, bytes);
      for (let round = 0; round < 200; round += 1) {
        const changed = bytes.map((node) => node.slice());
        const node = changed[rng.below(changed.length)] ?? assert.fail();
        const at = rng.below(node.length);
        node[at] = (node[at] ?? 0) ^ (1 + rng.below(255));
        assert.throws(() => verifyTrieProof(root, path, changed), RangeError);
      }
      assert.deepEqual(verifyTrieProof(root, path, [...bytes].reverse()), honest);
    }
  });
});

describe('a trie of few values', () => {
  const leafOf = (path: Uint8Array, value: Uint8Array) =>
    encodeList([encodeString(concatBytes(Uint8Array.of(0x20), path)), encodeString(value)]);

  it('is one leaf, which shows its value and the absence of all others', () => {
    const key = keccak256(Uint8Array.of(1));
    const leaf = leafOf(key, Uint8Array.of(5));
    assert.deepEqual(verifyTrieProof(keccak256(leaf), key, [leaf]), Uint8Array.of(5));
    const other = keccak256(Uint8Array.of(2));
    assert.equal(verifyTrieProof(keccak256(leaf), other, [leaf]), undefined);
  });

  it('that is empty holds nothing', () => {
    const root = keccak256(Uint8Array.of(0x80));
    assert.equal(verifyTrieProof(root, keccak256(root), []), undefined);
  });
});

describe('RLP', () => {
  it('reads what it writes, and numbers without leading zeros', () => {
    const rng = seededRng(12);
    for (const length of [0, 1, 2, 55, 56, 255, 256, 70_000]) {
      const bytes = rng.fill(new Uint8Array(length));
      assert.deepEqual(decodeRlp(encodeString(bytes)), bytes);
      const list = encodeList([encodeString(bytes), encodeList([]), encodeString(bytes)]);
      assert.deepEqual(decodeRlp(list), [bytes, [], bytes]);
    }
    assert.deepEqual([0n, 127n, 256n].map(numberBytes), [
      new Uint8Array(0),
      Uint8Array.of(127),
      Uint8Array.of(1, 0),
    ]);
  });

  it('takes each thing in one form only', () => {
    for (const hex of [
      '',
      '8105',
      'b800',
      'b90001',
      '8261',
      'c2',
      'c281',
      '0505',
      'f83700',
    ] as const) {
      assert.throws(() => decodeRlp(fromHex(`0x${hex}`)), RangeError, hex);
    }
    assert.throws(() => decodeRlp(new Uint8Array(0)), RangeError);
    const deep = Array.from({ length: 12 }).reduce<Uint8Array>(
      (inner) => encodeList([inner]),
      encodeList([]),
    );
    assert.throws(() => decodeRlp(deep), RangeError);
  });
});

describe('places of storage', () => {
  it('are those of Solidity: a slot, or a hash of key and slot', () => {
    assert.deepEqual(storageSlot(7), bigEndianBytes(7, 32));
    // keccak-256 of key 1 and slot 0, as in the language's own description of layouts
    assert.equal(
      toHex(storageSlot(0, 1)),
      '0xada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d',
    );
    const inner = storageSlot(0, 1);
    assert.deepEqual(storageSlot(0, 1, 2), keccak256(concatBytes(bigEndianBytes(2, 32), inner)));
  });
});
