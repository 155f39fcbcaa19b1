import assert from 'node:assert/strict';
import { chainIdOf, isFault, keccak256, toHex } from '@cairn/primitives';
import { AbiCoder } from 'ethers';
import fc from 'fast-check';
import {
  BLOB_HEADER_BYTES,
  encodeBlobHeader,
  parseBlobHeader,
  promisedIndex,
  promiseSlotOf,
} from '../src/blob-header.ts';
import { CHECKPOINT_BYTES, encodeCheckpoint, parseCheckpoint } from '../src/checkpoint.ts';
import {
  DA_LOG_LEAF_BYTES,
  DA_LOG_LEAF_WITH_VOIDS_BYTES,
  DA_LOG_TYPES,
  encodeDaLogLeaf,
  parseDaLogLeaf,
} from '../src/da-log-leaf.ts';
import { possessionDigest, statementDigest, tagOf, ticketDigest } from '../src/digests.ts';
import {
  EPOCH_HEADER_BYTES,
  encodeEpochHeader,
  epochHeaderHash,
  parseEpochHeader,
  quorumsOf,
} from '../src/epoch-header.ts';
import { MessageError } from '../src/errors.ts';
import { encodeMember, MEMBER_BYTES, memberOfProven } from '../src/member.ts';
import { keyToStorageWords } from '../src/points.ts';
import { encodeServedEntry, parseServedEntry, SERVED_ENTRY_BYTES } from '../src/served-entry.ts';
import { encodeSnapshot, parseSnapshot, snapshotHash } from '../src/snapshot.ts';
import { isContributor, nextSeed, quorumOfBlob } from '../src/sortition.ts';
import { STATEMENT_KINDS } from '../src/statement.ts';
import {
  BACKENDS,
  NETWORK,
  SEED,
  testAddress,
  testCommittee,
  testHeader,
  testKey,
} from './support.ts';

const [blst] = BACKENDS;
if (blst === undefined) throw new Error('no backend');
const abi = AbiCoder.defaultAbiCoder();
const safe = fc.maxSafeNat();
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const address = fc.nat(2 ** 30).map(testAddress);
const u8 = fc.nat(255);
const u32 = fc.nat(2 ** 32 - 1);
const settings = { seed: SEED, numRuns: 200 };

const plain = { noNullPrototype: true };
const blobHeader = fc.record(
  {
    suite: u8,
    log2K: u8,
    cosets: u8,
    rowSizeBytes: u32,
    sizeBytes: safe,
    commitment: hash,
    submitter: address,
    shardId: u32,
    submissionIndex: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    expirySeconds: safe,
  },
  plain,
);
const epochHeader = fc.record(
  {
    epoch: safe,
    previous: hash,
    startSeconds: fc.nat(2 ** 31),
    endSeconds: fc.integer({ min: 2 ** 31 + 1, max: 2 ** 40 }),
    seed: hash,
    orderRoot: hash,
    orderCount: safe,
    snapshotHashes: fc
      .array(hash, { minLength: 1, maxLength: 17 })
      .filter(({ length }) => length !== 2),
  },
  plain,
);
const HEADER_TYPE = 'tuple(uint64,bytes32,uint64,uint64,bytes32,bytes32,uint64,bytes32[])';

/** Whatever is cut off or added, whole bytes are refused. */
function refusesOtherLengths(bytes: Uint8Array, parse: (bytes: Uint8Array) => unknown): void {
  for (const wrong of [bytes.slice(1), bytes.slice(0, -1), new Uint8Array([...bytes, 0])]) {
    assert.throws(() => parse(wrong), MessageError);
  }
  assert.throws(
    () => parse(new Uint8Array(0)),
    (error) => isFault(error, 'MESSAGE_LENGTH'),
  );
}

describe('messages', () => {
  it('of a blob are 88 bytes that read back', () => {
    fc.assert(
      fc.property(blobHeader, (header) => {
        const body = encodeBlobHeader(header);
        assert.equal(body.length, BLOB_HEADER_BYTES);
        assert.deepEqual(parseBlobHeader(body), header);
      }),
      settings,
    );
    refusesOtherLengths(encodeBlobHeader(testHeader(1)), parseBlobHeader);
    const body = encodeBlobHeader(testHeader(1));
    const buffer = Buffer.from(body);
    const parsed = parseBlobHeader(buffer);
    buffer.fill(1); // what was read stays
    assert.deepEqual(parsed, testHeader(1));
    const version = body.slice();
    version[0] = 2;
    assert.throws(
      () => parseBlobHeader(version),
      (error) => isFault(error, 'MESSAGE_FIELD'),
    );
    const long = body.slice().fill(255, 8, 16);
    assert.throws(
      () => parseBlobHeader(long),
      (error) => isFault(error, 'MESSAGE_NUMBER'),
    );
    assert.throws(() => encodeBlobHeader(testHeader(1, { suite: 256 })), RangeError);
    assert.throws(() => encodeBlobHeader(testHeader(1, { submissionIndex: -1n })), RangeError);
    const short = { commitment: new Uint8Array(31) };
    assert.throws(() => encodeBlobHeader(testHeader(1, short)), RangeError);
  });

  it('of a promise hold epoch and slot in their index', () => {
    const slots = fc.record({ epoch: fc.nat(2 ** 47 - 1), slot: fc.nat(65_535) }, plain);
    fc.assert(
      fc.property(slots, (slot) => {
        const index = promisedIndex(slot);
        assert.equal(index >> 63n, 1n);
        assert.deepEqual(promiseSlotOf(index), slot);
      }),
      settings,
    );
    assert.equal(promisedIndex({ epoch: 1, slot: 2 }), 2n ** 63n + 65_536n + 2n);
    assert.equal(promiseSlotOf(2n ** 63n - 1n), undefined);
    assert.throws(() => promisedIndex({ epoch: 2 ** 47, slot: 0 }), RangeError);
    assert.throws(() => promisedIndex({ epoch: 0, slot: 65_536 }), RangeError);
  });

  it('of an epoch are what ABI encoding gives, and no other form is read', () => {
    fc.assert(
      fc.property(epochHeader, (header) => {
        const body = encodeEpochHeader(header);
        const { snapshotHashes, ...fields } = header;
        const values = Object.values(fields).map((value) =>
          typeof value === 'number' ? value : toHex(value),
        );
        const coded = abi.encode([HEADER_TYPE], [[...values, snapshotHashes.map(toHex)]]);
        assert.equal(toHex(body), coded);
        assert.deepEqual(epochHeaderHash(header), keccak256(body));
        assert.deepEqual(parseEpochHeader(body), header);
        assert.ok(body.length >= EPOCH_HEADER_BYTES.min && body.length <= EPOCH_HEADER_BYTES.max);
        refusesOtherLengths(body, parseEpochHeader);
      }),
      { ...settings, numRuns: 60 },
    );
    const { office } = testCommittee([1]).committee.snapshot;
    const body = encodeEpochHeader(office);
    for (const [word, value] of [
      [0, 64],
      [1 + 7, 288],
      [9, 2],
      [9, 0],
      [9, 18],
    ] as const) {
      const wrong = body.slice();
      wrong.set(new Uint8Array(32), word * 32);
      new DataView(wrong.buffer).setUint32(word * 32 + 28, value);
      assert.throws(
        () => parseEpochHeader(wrong),
        (error) => isFault(error, 'MESSAGE_FIELD'),
      );
    }
    const two = { ...office, snapshotHashes: [office.seed, office.seed] };
    assert.throws(() => encodeEpochHeader(two), RangeError);
    const backwards = encodeEpochHeader({ ...office, endSeconds: office.startSeconds });
    assert.throws(() => parseEpochHeader(backwards), MessageError);
    assert.equal(quorumsOf(office), 1);
    assert.equal(quorumsOf({ snapshotHashes: [office.seed, office.seed, office.seed] }), 2);
  });

  it('of members, served entries and log leaves read back', () => {
    const member = { index: 3, signer: testAddress(1), seats: 9, publicKey: testKey(0).publicKey };
    const body = encodeMember(member);
    assert.equal(body.length, MEMBER_BYTES);
    assert.deepEqual(memberOfProven(body), member);
    refusesOtherLengths(body, memberOfProven);
    assert.throws(
      () => memberOfProven(encodeMember({ ...member, seats: 0 })),
      (error) => isFault(error, 'MESSAGE_FIELD'),
    );

    const entry = { holder: testAddress(2), drawn: 100, served: 99 };
    const served = encodeServedEntry(entry);
    assert.equal(served.length, SERVED_ENTRY_BYTES);
    assert.deepEqual(parseServedEntry(served), entry);
    refusesOtherLengths(served, parseServedEntry);
    assert.throws(
      () => parseServedEntry(encodeServedEntry({ ...entry, served: 101 })),
      (error) => isFault(error, 'MESSAGE_FIELD'),
    );

    const leaf = {
      type: DA_LOG_TYPES.batch,
      batchRoot: keccak256(),
      epoch: 5,
      quorumId: 2,
      count: 8,
      timeSeconds: 1_800_000_000,
    };
    const logged = encodeDaLogLeaf(leaf);
    assert.equal(logged.length, DA_LOG_LEAF_BYTES);
    assert.deepEqual(parseDaLogLeaf(logged), leaf);
    refusesOtherLengths(logged, parseDaLogLeaf);
    const withVoids = { ...leaf, type: DA_LOG_TYPES.batchWithVoids, voidsHash: keccak256() };
    const longer = encodeDaLogLeaf(withVoids);
    assert.equal(longer.length, DA_LOG_LEAF_WITH_VOIDS_BYTES);
    assert.deepEqual(longer.slice(1, DA_LOG_LEAF_BYTES), logged.slice(1), 'then the hash');
    assert.deepEqual(parseDaLogLeaf(longer), withVoids);
    refusesOtherLengths(longer, parseDaLogLeaf);
    const unknown = logged.slice();
    unknown[0] = 4;
    assert.throws(
      () => parseDaLogLeaf(unknown),
      (error) => isFault(error, 'MESSAGE_FIELD'),
    );
  });

  it('of a checkpoint are 212 in one form, of a number from 1', () => {
    const number = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    const roots = { previous: hash, flowRoot: hash, logRoot: hash, daRoot: hash, blockHash: hash };
    const counts = { flowLength: safe, logCount: safe, daCount: safe, blockNumber: safe };
    const checkpoint = fc.record(
      { shardId: u32, number, ...roots, ...counts, timeSeconds: safe },
      plain,
    );
    fc.assert(
      fc.property(checkpoint, (one) => {
        const body = encodeCheckpoint(one);
        assert.equal(body.length, CHECKPOINT_BYTES);
        assert.deepEqual(parseCheckpoint(body), one);
      }),
      settings,
    );
    const body = new Uint8Array(CHECKPOINT_BYTES);
    body[11] = 1;
    refusesOtherLengths(body, parseCheckpoint);
    assert.throws(
      () => parseCheckpoint(new Uint8Array(CHECKPOINT_BYTES)),
      (error) => isFault(error, 'MESSAGE_FIELD'),
    );
  });

  it('of a snapshot are what ABI encoding gives', () => {
    const { snapshot } = testCommittee([1, 2, 3]).committee;
    const words = keyToStorageWords(snapshot.aggregateKey).map((word) => BigInt(toHex(word)));
    const { epoch, quorumId, memberCount, totalWeight, membersRoot } = snapshot;
    const coded = abi.encode(
      ['tuple(uint64,uint32,uint32,uint64,bytes32,uint256[3])'],
      [[epoch, quorumId, memberCount, totalWeight, toHex(membersRoot), words]],
    );
    const bytes = encodeSnapshot(snapshot);
    assert.equal(toHex(bytes), coded);
    assert.deepEqual(snapshotHash(snapshot), keccak256(bytes));
    const { office: _office, ...plain } = snapshot;
    assert.deepEqual(parseSnapshot(bytes, blst), plain);
    refusesOtherLengths(bytes, (wrong) => parseSnapshot(wrong, blst));
    const nobody = bytes.slice().fill(0, 64, 96);
    const light = bytes.slice().fill(0, 96, 128);
    for (const wrong of [nobody, light]) {
      assert.throws(
        () => parseSnapshot(wrong, blst),
        (error) => isFault(error, 'MESSAGE_FIELD'),
      );
    }
  });

  it('to sign and to draw are hashes of ABI words', () => {
    const { publicKey } = testKey(0);
    const seed = keccak256();
    const [hub, owner] = [NETWORK.hub, testAddress(4)];
    const words = keyToStorageWords(publicKey).map(toHex);
    const coded = (types: string[], values: unknown[]): string =>
      toHex(keccak256(Buffer.from(abi.encode(types, values).slice(2), 'hex')));
    const claim = { hubChainId: NETWORK.hubChainId, registry: hub, owner, publicKey };
    assert.equal(
      toHex(possessionDigest(claim)),
      coded(
        ['bytes32', 'uint256', 'address', 'address', 'bytes32[3]'],
        [toHex(tagOf('pop')), 31337, hub, owner, words],
      ),
    );
    assert.equal(
      toHex(ticketDigest(NETWORK, { epoch: 9, seed })),
      coded(
        ['bytes32', 'uint256', 'address', 'uint64', 'bytes32'],
        [toHex(tagOf('ticket')), 31337, hub, 9, toHex(seed)],
      ),
    );
    assert.equal(
      toHex(nextSeed({ seed, epoch: 9, xorBeta: seed, entropy: seed })),
      coded(
        ['bytes32', 'bytes32', 'uint64', 'uint256', 'bytes32'],
        [toHex(tagOf('seed')), toHex(seed), 9, toHex(seed), toHex(seed)],
      ),
    );
    for (const quorums of [1, 2, 4, 16]) {
      const of = (types: string[], values: unknown[]): number =>
        quorums === 1 ? 0 : 1 + Number(BigInt(coded(types, values)) % BigInt(quorums));
      const submissionIndex = 77n;
      assert.equal(
        quorumOfBlob(seed, { submissionIndex }, quorums),
        of(['bytes32', 'uint64'], [toHex(seed), submissionIndex]),
      );
      assert.equal(
        quorumOfBlob(seed, { payer: owner, slot: 3 }, quorums),
        of(['bytes32', 'address', 'uint16'], [toHex(seed), owner, 3]),
      );
    }
    const low =
      BigInt(
        coded(['bytes32', 'bytes32', 'address'], [toHex(tagOf('contrib')), toHex(seed), owner]),
      ) %
      2n ** 128n;
    for (const votes of [1, 100, 300, 999]) {
      const draw = { seed, signer: owner, votes, totalVotes: 10_000, contributors: 32 };
      assert.equal(isContributor(draw), low * 10_000n < BigInt(votes * 32) * 2n ** 128n);
    }
  });

  it('differ in every field of a statement, so that no signature counts twice', () => {
    const statement = {
      kind: STATEMENT_KINDS.batch,
      domain: { chainId: chainIdOf(5), address: testAddress(1) },
      epoch: 3,
      quorumId: 1,
      count: 7,
      root: keccak256(),
    };
    const { domain } = statement;
    const other = {
      hub: statementDigest({ ...NETWORK, hub: testAddress(9) }, statement),
      hubChain: statementDigest({ ...NETWORK, hubChainId: chainIdOf(1) }, statement),
      kind: statementDigest(NETWORK, { ...statement, kind: STATEMENT_KINDS.promisedBatch }),
      chain: statementDigest(NETWORK, {
        ...statement,
        domain: { ...domain, chainId: chainIdOf(6) },
      }),
      domain: statementDigest(NETWORK, {
        ...statement,
        domain: { ...domain, address: testAddress(2) },
      }),
      epoch: statementDigest(NETWORK, { ...statement, epoch: 4 }),
      quorum: statementDigest(NETWORK, { ...statement, quorumId: 2 }),
      count: statementDigest(NETWORK, { ...statement, count: 8 }),
      root: statementDigest(NETWORK, { ...statement, root: keccak256(Uint8Array.of(1)) }),
      none: statementDigest(NETWORK, statement),
    };
    const digests = Object.values(other).map(toHex);
    assert.equal(new Set(digests).size, digests.length);
  });
});
