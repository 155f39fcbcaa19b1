import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isFault, keccak256, toHex, utf8Bytes } from '@cairn/primitives';
import { AbiCoder } from 'ethers';
import { type BlobHeader, encodeBlobHeader, promisedIndex } from '../src/blob-header.ts';
import { packed } from '../src/body-writer.ts';
import { type Checkpoint, checkpointHash, encodeCheckpoint } from '../src/checkpoint.ts';
import {
  type CertifiedBlob,
  type LoggedFile,
  type OrderedCheckpoint,
  verifyBlobContent,
  verifyFileContent,
  verifyOrderedCheckpoint,
} from '../src/content-proof.ts';
import { DA_LOG_TYPES, type DaLogLeaf, encodeDaLogLeaf } from '../src/da-log-leaf.ts';
import { voidWordsOf } from '../src/logged-batch.ts';
import { leafHash, treePath, treeRoot } from '../src/merkle-tree.ts';
import { quorumOfBlob } from '../src/sortition.ts';
import { testAddress, testHeader } from './support.ts';

/** Known answers that contracts/test/forge/ContentVectors.t.sol checks too. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../test/vectors/content-proofs.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>>;

const EPOCH = 7;
const SHARD = 1;
const TIME = 1_800_000_000;
/** Two quorums beside the committee. */
const office = {
  epoch: EPOCH,
  seed: hash('seed'),
  snapshotHashes: [hash('committee'), hash('first'), hash('second')],
};

function hash(name: string): Uint8Array {
  return keccak256(utf8Bytes(name));
}

const records = Array.from({ length: 5 }, (_, sequence) =>
  packed(
    ...[[sequence, 8] as const, hash(`file ${sequence}`), [1000, 8] as const],
    ...[[1 + sequence * 4, 8] as const, [4, 8] as const, testAddress(1), [TIME, 8] as const],
  ),
);

/** The first `count` blobs that fall to quorum 2, submitted or promised. */
function blobsOf(count: number, isPromised: boolean): BlobHeader[] {
  const blobs: BlobHeader[] = [];
  for (let number = 40; blobs.length < count; number += 1) {
    const submitter = testAddress(3);
    const place = isPromised
      ? { payer: submitter, slot: number }
      : { submissionIndex: BigInt(number) };
    if (quorumOfBlob(office.seed, place, 2) !== 2) continue;
    const submissionIndex = isPromised
      ? promisedIndex({ epoch: EPOCH, slot: number })
      : BigInt(number);
    blobs.push(testHeader(number, { submissionIndex, submitter, shardId: SHARD }));
  }
  return blobs;
}

const submitted = blobsOf(3, false).map(encodeBlobHeader);
const promised = blobsOf(6, true).map(encodeBlobHeader);
const VOID_LEAF = 4;
const voidWords = voidWordsOf(promised.length, [VOID_LEAF]);

function batchOf(headers: readonly Uint8Array[]) {
  const batchRoot = treeRoot(headers.map(leafHash));
  return { batchRoot, epoch: EPOCH, quorumId: 2, count: headers.length, timeSeconds: TIME };
}

const log = (
  [
    { type: DA_LOG_TYPES.batch, ...batchOf(submitted) },
    { type: DA_LOG_TYPES.failedChallenge, ...batchOf(submitted) },
    {
      type: DA_LOG_TYPES.batchWithVoids,
      ...batchOf(promised),
      voidsHash: keccak256(voidWords),
    },
  ] satisfies DaLogLeaf[]
).map(encodeDaLogLeaf);

function checkpointOf(shardId: number, change: Partial<Checkpoint>): Checkpoint {
  return {
    shardId,
    number: 9,
    previous: hash(`before ${shardId}`),
    flowRoot: hash('flow'),
    flowLength: 4096,
    logRoot: hash('log'),
    logCount: 12,
    daRoot: hash('da'),
    daCount: 4,
    blockNumber: 90,
    blockHash: hash('block'),
    timeSeconds: TIME,
    ...change,
  };
}

const content = checkpointOf(SHARD, {
  logRoot: treeRoot(records.map(leafHash)),
  logCount: records.length,
  daRoot: treeRoot(log.map(leafHash)),
  daCount: log.length,
});
const order = [checkpointOf(2, {}), checkpointOf(0, {}), checkpointOf(3, {}), content];
const orderLeaves = order.map(checkpointHash);
const state = { root: treeRoot(orderLeaves), count: order.length };

function ordered(globalIndex: number): OrderedCheckpoint {
  const checkpoint = order[globalIndex] ?? assert.fail();
  const path = treePath(orderLeaves, globalIndex);
  return { body: encodeCheckpoint(checkpoint), globalIndex, path };
}

function fileProof(sequence: number): LoggedFile {
  const record = records[sequence] ?? assert.fail();
  return { record, path: treePath(records.map(leafHash), sequence) };
}

function blobProof(headers: readonly Uint8Array[], leafIndex: number, at: number): CertifiedBlob {
  return {
    header: headers[leafIndex] ?? assert.fail(),
    leafIndex,
    batchPath: treePath(headers.map(leafHash), leafIndex),
    log: { body: log[at] ?? assert.fail(), index: at, path: treePath(log.map(leafHash), at) },
    ...(at === 2 ? { voidWords } : {}),
  };
}

function refused(code: string, call: () => unknown): void {
  assert.throws(call, (error) => isFault(error, code), code);
}

const checkpoint = () => verifyOrderedCheckpoint(ordered(3), state);

describe('content of shards', () => {
  it('is a file at a sequence and a blob in a batch, at a global index', () => {
    const proven = checkpoint();
    assert.equal(proven.globalIndex, 3);
    assert.equal(proven.shardId, SHARD);
    const file = verifyFileContent(fileProof(2), proven);
    assert.equal(file.sequence, 2);
    assert.deepEqual(file.fileRoot, hash('file 2'));
    assert.equal(file.startSector, 9);
    assert.equal(file.submitter, testAddress(1));
    const blob = verifyBlobContent(blobProof(submitted, 1, 0), proven, office);
    assert.deepEqual(encodeBlobHeader(blob.header), submitted[1]);
    assert.equal(blob.batch.count, 3);
    verifyBlobContent(blobProof(promised, 5, 2), proven, office);
  });

  it('has the same proofs on chains', () => {
    assert.deepEqual(encoded(), vectors);
  });

  it('is refused at another place of the order, or out of another checkpoint', () => {
    refused('CONTENT_NOT_ORDERED', () =>
      verifyOrderedCheckpoint({ ...ordered(3), globalIndex: 2 }, state),
    );
    refused('CONTENT_NOT_ORDERED', () =>
      verifyOrderedCheckpoint({ ...ordered(3), body: ordered(2).body }, state),
    );
    refused('PATH_INDEX', () => verifyOrderedCheckpoint({ ...ordered(3), globalIndex: 4 }, state));
    refused('PATH_LENGTH', () => verifyOrderedCheckpoint(ordered(3), { ...state, count: 5 }));
    refused('MESSAGE_LENGTH', () =>
      verifyOrderedCheckpoint({ ...ordered(3), body: ordered(3).body.subarray(0, 211) }, state),
    );
  });

  it('has no files on the hub, and none that the log does not have', () => {
    const hub = verifyOrderedCheckpoint(ordered(1), state);
    refused('CONTENT_HUB_HAS_NO_LOG', () => verifyFileContent(fileProof(2), hub));
    const other = verifyOrderedCheckpoint(ordered(0), state);
    refused('PATH_LENGTH', () => verifyFileContent(fileProof(2), other));
    const moved = { ...fileProof(2), record: fileProof(3).record };
    refused('CONTENT_NOT_LOGGED', () => verifyFileContent(moved, checkpoint()));
    const record = fileProof(2).record.slice();
    record[47] = 1; // the size's last byte
    refused('CONTENT_NOT_LOGGED', () =>
      verifyFileContent({ ...fileProof(2), record }, checkpoint()),
    );
  });

  it('has no blob of another shard, batch, epoch or quorum, and no void one', () => {
    const proof = blobProof(submitted, 1, 0);
    const refusedBlob = (code: string, change: Partial<CertifiedBlob>, at = office) =>
      refused(code, () => verifyBlobContent({ ...proof, ...change }, checkpoint(), at));
    const foreign = encodeBlobHeader({ ...testHeader(40), shardId: 2 });
    refusedBlob('CONTENT_OTHER_SHARD', { header: foreign });
    const header = submitted[0] ?? assert.fail();
    refusedBlob('CONTENT_NOT_LOGGED', { header });
    refusedBlob('DA_LOG_FOREIGN', { log: { ...proof.log, index: 1 } });
    refusedBlob('DA_LOG_NO_BATCH', blobProof(submitted, 1, 1));
    refusedBlob('CONTENT_OTHER_EPOCH', {}, { ...office, epoch: EPOCH + 1 });
    refusedBlob('CONTENT_OTHER_QUORUM', {}, { ...office, snapshotHashes: [hash('committee')] });
    refusedBlob('DA_LOG_LEAF_VOID', blobProof(promised, VOID_LEAF, 2));
    const { voidWords: _, ...wordless } = blobProof(promised, 5, 2);
    refused('DA_LOG_VOIDS', () => verifyBlobContent(wordless, checkpoint(), office));
    refusedBlob('DA_LOG_VOIDS', { voidWords });
  });
});

const CHECKPOINT =
  'tuple(uint32,uint64,bytes32,bytes32,uint64,bytes32,uint64,bytes32,uint64,uint64,bytes32,uint64)';
const ORDERED = `tuple(${CHECKPOINT},uint64,uint64,bytes32[])`;
const RECORD = 'tuple(uint64,bytes32,uint64,uint64,uint64,address,uint64)';
const HEADER = 'tuple(uint8,uint8,uint8,uint8,uint32,uint64,bytes32,address,uint32,uint64,uint64)';

/** The proofs as the contracts' ABI has them. */
function encoded(): Record<string, string> {
  const coder = AbiCoder.defaultAbiCoder();
  const { timeSeconds, previous, ...rest } = content;
  const { shardId, number, flowRoot, flowLength, logRoot, logCount } = rest;
  const { daRoot, daCount, blockNumber, blockHash } = rest;
  const fields = [
    ...[shardId, number, previous, flowRoot, flowLength, logRoot, logCount],
    ...[daRoot, daCount, blockNumber, blockHash, timeSeconds],
  ];
  const place = [fields, 3, state.count, ordered(3).path];
  const file = verifyFileContent(fileProof(2), checkpoint());
  const record = [
    ...[file.sequence, file.fileRoot, file.sizeBytes, file.startSector, file.sectors],
    ...[file.submitter, file.timeSeconds],
  ];
  const blob = (headers: readonly BlobHeader[], leafIndex: number, at: number): string => {
    const header = headers[leafIndex] ?? assert.fail();
    const { batchPath, log: logged } = blobProof(headers.map(encodeBlobHeader), leafIndex, at);
    const { suite, log2K, cosets, rowSizeBytes, sizeBytes, commitment, submitter } = header;
    const about = [1, suite, log2K, cosets, rowSizeBytes, sizeBytes, commitment, submitter];
    const words = at === 2 ? [toHex(voidWords)] : [];
    return coder.encode(
      [`tuple(${HEADER},uint32,bytes32[],bytes,uint256[],uint64,bytes32[],${ORDERED})`],
      [
        [
          [...about, header.shardId, header.submissionIndex, header.expirySeconds],
          ...[leafIndex, batchPath, logged.body, words, at, logged.path, place],
        ],
      ],
    );
  };
  return {
    note: 'One shard of four at global index 3; epoch 7 has two quorums beside its committee, and the blobs fall to the second.',
    orderRoot: toHex(state.root),
    checkpoint: toHex(encodeCheckpoint(content)),
    checkpointHash: toHex(checkpointHash(content)),
    seed: toHex(office.seed),
    file: coder.encode(
      [`tuple(${RECORD},bytes32[],${ORDERED})`],
      [[record, fileProof(2).path, place]],
    ),
    submittedBlob: blob(blobsOf(3, false), 1, 0),
    promisedBlob: blob(blobsOf(6, true), 5, 2),
    voidBlob: blob(blobsOf(6, true), VOID_LEAF, 2),
  };
}
