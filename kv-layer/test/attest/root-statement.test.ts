import assert from 'node:assert/strict';
import { signerFromKey } from '@cairn/chain-access';
import { chainIdOf, type Hex, isFault, parseAddress, seededRng, toHex } from '@cairn/primitives';
import { TypedDataEncoder } from 'ethers';
import {
  judgeRoots,
  requireAgreement,
  verifyContradiction,
} from '../../src/attest/judge-statements.ts';
import {
  parseSignedRoot,
  type RootStatement,
  rootStatementDigest,
  signedRootJson,
  signRoot,
  type VerifiedRoot,
  verifySignedRoot,
} from '../../src/attest/root-statement.ts';
import { parseStreamId } from '../../src/stream-id.ts';

const SEED = 61_001;
const hash = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
const [ANNA, BERT, CARL, EVE] = [1, 2, 3, 4].map((byte) =>
  signerFromKey(byte.toString(16).padStart(64, '0')),
) as [Signer, Signer, Signer, Signer];
type Signer = ReturnType<typeof signerFromKey>;
const KEYS = [ANNA.address, BERT.address, CARL.address];

const STATEMENT: RootStatement = {
  chainId: chainIdOf(16_601),
  flow: parseAddress(`0x${'f1'.repeat(20)}`),
  domain: hash(0xd0),
  stream: parseStreamId(hash(0x5a)),
  sequence: 7_000_000_001,
  block: hash(0xb1),
  root: hash(0x77),
};

describe('a statement about a root', () => {
  it('is typed data that any wallet and contract hashes alike', () => {
    const { chainId, flow, ...message } = STATEMENT;
    const expected = TypedDataEncoder.hash(
      { name: 'Cairn', version: '1', chainId, verifyingContract: flow },
      {
        StateRoot: [
          { name: 'domain', type: 'bytes32' },
          { name: 'stream', type: 'bytes32' },
          { name: 'sequence', type: 'uint64' },
          { name: 'block', type: 'bytes32' },
          { name: 'root', type: 'bytes32' },
        ],
      },
      message,
    );
    assert.equal(toHex(rootStatementDigest(STATEMENT)), expected);
  });

  it('passes through JSON, and is refused with the field that is not readable', () => {
    const signed = signRoot(STATEMENT, ANNA);
    const json = JSON.parse(JSON.stringify(signedRootJson(signed))) as Record<string, unknown>;
    assert.deepEqual(parseSignedRoot(json), signed);
    assert.equal(verifySignedRoot(parseSignedRoot(json)).signer, ANNA.address);
    for (const field of Object.keys(json)) {
      for (const value of [undefined, null, '', '0x12', -1, 1.5, {}]) {
        assert.throws(
          () => parseSignedRoot({ ...json, [field]: value }),
          (error: { code?: string; facts?: { field?: string } }) =>
            error.code === 'KV_STATEMENT_MALFORMED' && error.facts?.field === field,
        );
      }
    }
    assert.throws(() => parseSignedRoot(undefined), { name: 'AttestError' });
  });

  it('is nobody’s once any bit of it is changed', () => {
    const rng = seededRng(SEED);
    const signed = signRoot(STATEMENT, ANNA);
    const json = signedRootJson(signed) as Record<string, unknown>;
    for (const [field, value] of Object.entries(json)) {
      for (let count = 0; count < 8; count += 1) {
        const changed = typeof value === 'number' ? value + 1 + count : flipped(String(value));
        assert.throws(
          () => verifySignedRoot(parseSignedRoot({ ...json, [field]: changed })),
          (error) => isFault(error, 'KV_STATEMENT_SIGNER'),
          `seed ${SEED}: ${field} as ${changed}`,
        );
      }
    }

    function flipped(text: string): string {
      const at = 2 + rng.below(text.length - 2);
      const digit = (Number.parseInt(text[at] ?? '0', 16) ^ (1 << rng.below(4))).toString(16);
      return text.slice(0, at) + digit + text.slice(at + 1);
    }
  });
});

describe('statements of several nodes', () => {
  const say = (signer: Signer, change: Partial<RootStatement> = {}): VerifiedRoot =>
    verifySignedRoot(signRoot({ ...STATEMENT, ...change }, signer));

  it('agree where enough accounts that count say the same, each counted once', () => {
    const said = [say(ANNA), say(ANNA), say(EVE), say(BERT)];
    const agreeing = requireAgreement(said, { keys: KEYS, threshold: 2 });
    assert.deepEqual(
      agreeing.map(({ signer }) => signer).sort(),
      [ANNA, BERT].map(addressOf).sort(),
    );
    assert.throws(
      () => requireAgreement(said, { keys: KEYS, threshold: 3 }),
      (error: { code?: string; facts?: { agreeing?: number } }) =>
        error.code === 'KV_STATEMENT_FEW' && error.facts?.agreeing === 2,
    );
    assert.throws(
      () => requireAgreement([], { keys: KEYS, threshold: 0 }),
      (error) => isFault(error, 'KV_STATEMENT_FEW'),
    );
    const forged = { ...say(EVE), signer: CARL.address };
    assert.equal(requireAgreement([...said, forged], { keys: KEYS, threshold: 2 }).length, 2);
  });

  it('contradict each other in a root alone, which anyone can check', () => {
    const said = [say(ANNA), say(BERT), say(CARL, { root: hash(0x78) })];
    const { agreeing, contradictions } = judgeRoots(said, KEYS);
    assert.equal(agreeing.length, 2);
    const [evidence] = contradictions;
    assert.ok(evidence !== undefined && contradictions.length === 1);
    assert.equal(verifyContradiction(evidence)[1], CARL.address);
    assert.throws(
      () => verifyContradiction({ ...evidence, right: { ...evidence.right, signer: EVE.address } }),
      (error) => isFault(error, 'KV_STATEMENT_SIGNER'),
    );
    const fields: Partial<RootStatement>[] = [
      {},
      { chainId: chainIdOf(1) },
      { domain: hash(0xd1), root: hash(1) },
      { stream: parseStreamId(hash(2)), root: hash(1) },
      { sequence: 3, root: hash(1) },
      { block: hash(0xb2), root: hash(1) },
    ];
    for (const change of fields) {
      assert.throws(
        () => verifyContradiction({ left: say(ANNA), right: say(BERT, change) }),
        (error) => isFault(error, 'KV_STATEMENT_NO_CONTRADICTION'),
        JSON.stringify(change),
      );
      assert.deepEqual(judgeRoots([say(ANNA), say(BERT, change)], KEYS).contradictions, []);
    }
  });

  it('catch an account that says two things', () => {
    const { contradictions } = judgeRoots([say(ANNA), say(ANNA, { root: hash(9) })], KEYS);
    assert.ok(contradictions[0] !== undefined);
    assert.deepEqual(verifyContradiction(contradictions[0]), [ANNA.address, ANNA.address]);
  });
});

function addressOf({ address }: Signer): string {
  return address;
}
