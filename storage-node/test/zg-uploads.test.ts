import { deepEqual, equal, match, ok } from 'node:assert/strict';
import {
  type RpcOutcome,
  spoilHash,
  type TestFile,
  TestNode,
  testFile,
  type ZgSegmentJson,
  zgSegment,
} from './harness.ts';

const SEGMENT = 262_144;

describe('uploads by 0G clients', () => {
  let node: TestNode;
  let file: TestFile;
  let sequence: number;
  before(async () => {
    node = await TestNode.start();
    file = await testFile(2 * SEGMENT + 300, 21);
    [sequence = -1] = await node.announce(file);
  });
  after(() => node.remove());

  const bySequence = (segment: unknown, at: unknown = sequence): Promise<RpcOutcome> =>
    node.rpc('zgs_uploadSegmentByTxSeq', [segment, at]);
  const refusal = async (
    segment: unknown,
    at: unknown = sequence,
  ): Promise<RpcOutcome['error']> => {
    const { error, status } = await bySequence(segment, at);
    equal(status, 200);
    return error;
  };
  const spoilt = (change: (segment: ZgSegmentJson) => void, index = 0): ZgSegmentJson => {
    const segment = zgSegment(file, index);
    change(segment);
    return segment;
  };

  it('refuses data of impossible length first', async () => {
    deepEqual(await refusal(spoilt((it) => (it.data = ''))), {
      code: -32000,
      message: 'data is empty',
    });
    deepEqual(await refusal(spoilt((it) => (it.data = 'AAAA'))), {
      code: -32000,
      message: 'invalid data length',
    });
  });

  it('refuses a root that is not the sequence’s', async () => {
    const other = await testFile(300, 22);
    deepEqual(await refusal(zgSegment(other, 0)), {
      code: -32603,
      message: 'Internal error',
      data: 'data root and tx seq not match',
    });
  });

  it('refuses another file size than the log states', async () => {
    deepEqual(await refusal(spoilt((it) => (it.fileSize -= 1))), {
      code: -32602,
      message: 'Invalid params: file_size',
      data: 'segment file size not matched with tx file size',
    });
  });

  it('refuses indexes and lengths that do not fit', async () => {
    deepEqual(await refusal(spoilt((it) => (it.index = 3))), {
      code: -32602,
      message: 'Invalid params: index',
      data: 'index out of bound',
    });
    const short = Buffer.alloc(256).toString('base64');
    deepEqual(await refusal(spoilt((it) => (it.data = short))), {
      code: -32602,
      message: 'Invalid params: data',
      data: 'invalid data length',
    });
  });

  it('refuses proofs, each fault in its own words', async () => {
    deepEqual(await refusal(spoilt((it) => it.proof.lemma.pop())), {
      code: -32602,
      message: 'Invalid params: proof',
      data: 'invalid proof',
    });
    const wrongSide = await refusal(spoilt((it) => (it.proof.path[0] = !it.proof.path[0])));
    equal(wrongSide.code, -32000);
    match(wrongSide.message, /^wrong position: proof_pos=1 provided=0$/);
    const short = await refusal(
      spoilt((it) => {
        it.proof.path.pop();
        it.proof.lemma.splice(1, 1);
      }),
    );
    match(short.message, /^Proof path too short/);
    const long = await refusal(
      spoilt((it) => {
        it.proof.path.unshift(true);
        it.proof.lemma.splice(1, 0, it.root);
      }),
    );
    match(long.message, /^Proof path too long/);
    const root = await refusal(
      spoilt((it) => {
        it.proof.lemma[it.proof.lemma.length - 1] = spoilHash(it.root);
      }),
    );
    equal(root.code, -32000);
    match(root.message, /^root mismatch, /);
    const leaf = await refusal(
      spoilt((it) => (it.proof.lemma[0] = spoilHash(String(it.proof.lemma[0])))),
    );
    equal(leaf.code, -32000);
    match(leaf.message, /^data hash mismatch: /);
    const data = await refusal(
      spoilt((it) => {
        const bytes = Buffer.from(it.data, 'base64');
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        it.data = bytes.toString('base64');
      }),
    );
    match(data.message, /^data hash mismatch: /);
    deepEqual(
      await refusal(spoilt((it) => (it.proof.lemma[1] = spoilHash(String(it.proof.lemma[1]))))),
      { code: -32602, message: 'Invalid params: proof', data: 'validation failed' },
    );
  });

  it('refuses every change of one bit in a proof', async () => {
    const { lemma } = zgSegment(file, 2).proof;
    for (const [place] of lemma.entries()) {
      const error = await refusal(
        spoilt((it) => (it.proof.lemma[place] = spoilHash(String(it.proof.lemma[place]))), 2),
      );
      ok(error !== undefined, `hash ${place}`);
    }
  });

  it('refuses parameters of other kinds with -32602', async () => {
    for (const segment of [null, 5, {}, spoilt((it) => (it.data = '*&^%'))]) {
      const { code, message, data } = await refusal(segment);
      equal(code, -32602);
      equal(message, 'Invalid params');
      equal(typeof data, 'string');
    }
    equal((await refusal(zgSegment(file, 0), '1')).code, -32602);
  });

  it('stores segments in any order, tells duplicates, and finalises with the last one', async () => {
    equal((await bySequence(zgSegment(file, 2))).result, null);
    deepEqual(await refusal(zgSegment(file, 2)), {
      code: -32000,
      message: 'segment has already been uploaded or is being uploaded',
    });
    const info = async () => (await node.rpc('zgs_getFileInfoByTxSeq', [sequence])).result;
    equal((await info()).uploadedSegNum, 1);
    const both = [zgSegment(file, 2), zgSegment(file, 0)];
    equal((await node.rpc('zgs_uploadSegmentsByTxSeq', [both, sequence])).result, null);
    equal((await info()).finalized, false);
    equal((await node.rpc('zgs_uploadSegment', [zgSegment(file, 1)])).result, null);
    const { finalized, uploadedSegNum } = await info();
    deepEqual({ finalized, uploadedSegNum }, { finalized: true, uploadedSegNum: 3 });
  });

  it('says that a finalised file is already there, in the words clients know', async () => {
    const expected = {
      code: -32602,
      message: 'Invalid params: root',
      data: 'already uploaded and finalized',
    };
    deepEqual(await refusal(zgSegment(file, 0)), expected);
    const plural = await node.rpc('zgs_uploadSegmentsByTxSeq', [[zgSegment(file, 0)], sequence]);
    deepEqual(plural.error, expected);
    deepEqual((await node.rpc('zgs_uploadSegments', [[zgSegment(file, 0)]])).error, expected);
  });

  it('takes an empty list for done', async () => {
    equal((await node.rpc('zgs_uploadSegments', [[]])).result, null);
    equal((await node.rpc('zgs_uploadSegmentsByTxSeq', [[], 77])).result, null);
  });

  it('stops a list by root at the first error and keeps what came before', async () => {
    const [one, two] = [await testFile(500, 23), await testFile(600, 24)];
    await node.announce(one, two);
    const spoiltTwo = zgSegment(two, 0);
    spoiltTwo.proof.lemma[0] = spoilHash(String(spoiltTwo.proof.lemma[0]));
    const { error } = await node.rpc('zgs_uploadSegments', [[zgSegment(one, 0), spoiltTwo]]);
    ok(error !== undefined);
    equal((await node.rpc('zgs_checkFileFinalized', [one.root])).result, true);
    equal((await node.rpc('zgs_checkFileFinalized', [two.root])).result, false);
  });

  it('accepts upper-case hex and answers lower-case', async () => {
    const upper = await testFile(700, 25);
    const [at = -1] = await node.announce(upper);
    const segment = zgSegment(upper, 0);
    segment.root = `0x${segment.root.slice(2).toUpperCase()}`;
    equal((await bySequence(segment, at)).result, null);
    const { result } = await node.rpc('zgs_getFileInfo', [segment.root, true]);
    equal(result.tx.dataMerkleRoot, upper.root);
  });

  it('refuses data hidden in the padding of a file', async () => {
    // 17 segments pad to 18: the proof of segment 16 has the padding segment as its sibling.
    const padded = await testFile(16 * SEGMENT + 1000, 26);
    ok(padded.commitment.shape.paddedSegments > padded.commitment.shape.segments);
    const [at = -1] = await node.announce(padded);
    const segment = zgSegment(padded, 16);
    equal((await bySequence(segment, at)).result, null);
    const hiding = await hidingProof(padded);
    const { error } = await bySequence(hiding, 9999); // by an unknown sequence: the cache path
    deepEqual(error, {
      code: -32602,
      message: 'Invalid params: proof',
      data: 'invalid proof node value in the padding range',
    });
  });
});

/** A valid path to another root whose padding segment is not zero. */
async function hidingProof(file: TestFile): Promise<ZgSegmentJson> {
  const { nobleHasher } = await import('@cairn/commitments');
  const { fromHex, toHex, concatBytes } = await import('@cairn/primitives');
  const segment = zgSegment(file, 16);
  const { lemma, path } = segment.proof;
  lemma[1] = spoilHash(String(lemma[1]));
  let node = fromHex(String(lemma[0]));
  for (const [level, isLeft] of path.entries()) {
    const sibling = fromHex(String(lemma[level + 1]));
    node = nobleHasher.hashMany(
      isLeft ? concatBytes(node, sibling) : concatBytes(sibling, node),
      64,
    );
  }
  segment.root = toHex(node);
  lemma[lemma.length - 1] = segment.root;
  return { ...segment, fileSize: segment.fileSize };
}
