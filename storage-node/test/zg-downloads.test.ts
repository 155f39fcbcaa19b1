import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { loadHasher, verifyFlowProof, verifySegment } from '@cairn/commitments';
import { fromHex } from '@cairn/primitives';
import { parseZgSegment, segmentProofOf } from '@cairn/wire-protocol';
import { segmentData, type TestFile, TestNode, testFile, zgSegment } from './harness.ts';
import { CHAIN_ID, FLOW } from './scripted-chain.ts';

const SEGMENT = 262_144;

describe('downloads and queries by 0G clients', () => {
  let node: TestNode;
  let file: TestFile;
  let small: TestFile;
  let sequence: number;
  let smallSequence: number;
  before(async () => {
    node = await TestNode.start();
    file = await testFile(2 * SEGMENT + 300, 31);
    small = await testFile(700, 32);
    [smallSequence = -1, sequence = -1] = await node.announce(small, file);
    await node.upload(file, sequence);
    await node.upload(small, smallSequence);
  });
  after(() => node.remove());

  const bytes = async (start: number, end: number): Promise<Buffer> => {
    const { result } = await node.rpc('zgs_downloadSegmentByTxSeq', [sequence, start, end]);
    return Buffer.from(result, 'base64');
  };
  const padded = (): Uint8Array => {
    const whole = new Uint8Array(file.commitment.shape.sectors * 256);
    whole.set(file.bytes);
    return whole;
  };

  it('gives sectors of a segment, of its end and across two segments', async () => {
    deepEqual(await bytes(0, 1024), Buffer.from(padded().subarray(0, SEGMENT)));
    deepEqual(await bytes(2048, 2050), Buffer.from(padded().subarray(2 * SEGMENT)));
    deepEqual(await bytes(1000, 1030), Buffer.from(padded().subarray(256_000, 263_680)));
    const { result } = await node.rpc('zgs_downloadSegment', [file.root, 3, 4]);
    deepEqual(Buffer.from(result, 'base64'), Buffer.from(padded().subarray(768, 1024)));
  });

  it('refuses ranges with the words of 0G nodes', async () => {
    const refused = async (start: number, end: number) =>
      (await node.rpc('zgs_downloadSegmentByTxSeq', [sequence, start, end])).error;
    const invalid = { code: -32602, message: 'Invalid params: end_index' };
    deepEqual(await refused(5, 5), { ...invalid, data: 'invalid chunk index' });
    deepEqual(await refused(0, 1025), { ...invalid, data: 'exceeds maximum chunks 1024' });
    const beyond = await refused(2040, 2051);
    equal(beyond.code, -32000);
    match(beyond.message, /^end entry index exceeds tx size: end=2051 tx size=2050$/);
    equal((await refused(-1, 3)).code, -32602);
  });

  it('gives null for what is unknown or not held, never an empty text', async () => {
    const absent = await testFile(900, 33);
    const [at = -1] = await node.announce(absent);
    for (const [method, params] of [
      ['zgs_downloadSegment', [`0x${'ab'.repeat(32)}`, 0, 1]],
      ['zgs_downloadSegmentByTxSeq', [999, 0, 1]],
      ['zgs_downloadSegment', [absent.root, 0, 1]],
      ['zgs_downloadSegmentByTxSeq', [at, 0, 4]],
      ['zgs_downloadSegmentWithProof', [absent.root, 0]],
      ['zgs_downloadSegmentWithProofByTxSeq', [999, 0]],
      ['zgs_getFileInfo', [`0x${'ab'.repeat(32)}`, false]],
      ['zgs_getFileInfoByTxSeq', [999]],
      ['zgs_checkFileFinalized', [999]],
      ['zgs_checkFileFinalized', [`0x${'ab'.repeat(32)}`]],
    ] as const) {
      const { result, error } = await node.rpc(method, params);
      equal(error, undefined, method);
      equal(result, null, method);
    }
  });

  it('gives segments with proofs that hold', async () => {
    const hasher = await loadHasher();
    for (const index of [0, 1, 2]) {
      const params = index === 1 ? [file.root, index] : [sequence, index];
      const method =
        index === 1 ? 'zgs_downloadSegmentWithProof' : 'zgs_downloadSegmentWithProofByTxSeq';
      const { result } = await node.rpc(method, params);
      deepEqual(result, { ...zgSegment(file, index) });
      const { root, data, proof, fileSize } = parseZgSegment(result);
      verifySegment(
        {
          root: fromHex(root),
          sizeBytes: fileSize,
          index,
          data: Buffer.from(data, 'base64'),
          proof: segmentProofOf(proof),
        },
        hasher,
      );
    }
    const { result } = await node.rpc('zgs_downloadSegmentWithProof', [small.root, 0]);
    deepEqual(result.proof, { lemma: [small.root], path: [] });
    equal(Buffer.from(result.data, 'base64').length, segmentData(small, 0).length);
    const beyond = await node.rpc('zgs_downloadSegmentWithProof', [file.root, 3]);
    deepEqual(beyond.error, {
      code: -32602,
      message: 'Invalid params: index',
      data: 'index out of bound',
    });
  });

  it('describes files with exactly the fields 0G nodes send', async () => {
    const { result } = await node.rpc('zgs_getFileInfo', [file.root, false]);
    deepEqual(result, {
      tx: {
        streamIds: [],
        data: [],
        dataMerkleRoot: file.root,
        merkleNodes: file.commitment.nodes.map(({ height, root }) => [
          height + 1,
          `0x${Buffer.from(root).toString('hex')}`,
        ]),
        startEntryIndex: 2048, // a multiple of its first node's size
        size: 2 * SEGMENT + 300,
        seq: sequence,
      },
      finalized: true,
      isCached: false,
      uploadedSegNum: 3,
      pruned: false,
    });
    equal((await node.rpc('zgs_checkFileFinalized', [sequence])).result, true);
    equal((await node.rpc('zgs_checkFileFinalized', [file.root])).result, true);
    equal((await node.rpc('zgs_getFileInfo', [file.root])).error.code, -32602);
  });

  it('tells status and network identity', async () => {
    await node.synced();
    const { result } = await node.rpc('zgs_getStatus');
    deepEqual(result, {
      connectedPeers: 0,
      logSyncHeight: node.chain.head.number,
      logSyncBlock: node.chain.head.hash,
      nextTxSeq: 3,
      networkIdentity: {
        chainId: CHAIN_ID,
        flowAddress: FLOW,
        p2pProtocolVersion: { major: 0, minor: 4, build: 0 },
      },
    });
  });

  it('proves sectors of the flow under its root', async () => {
    const [flowRoot, length] = (await node.rpc('zgs_getFlowContext')).result;
    for (const sector of [4, 1024, 2048 + 1500]) {
      const { result } = await node.rpc('zgs_getSectorProof', [sector, flowRoot]);
      deepEqual(
        result,
        (await node.rpc('zgs_getSectorProof', [sector, null])).result,
        'the current root is the default',
      );
      equal(result.lemma.at(-1), flowRoot);
      equal(result.lemma.length, result.path.length + 2);
      const [leaf, ...rest] = result.lemma.map(fromHex);
      verifyFlowProof({
        level: 0,
        index: sector,
        length,
        root: fromHex(flowRoot),
        hash: leaf,
        siblings: rest.slice(0, -1),
      });
    }
    const beyond = await node.rpc('zgs_getSectorProof', [10 ** 9, null]);
    equal(beyond.error.code, -32000);
    const unknown = await node.rpc('zgs_getSectorProof', [4, `0x${'ab'.repeat(32)}`]);
    equal(unknown.error.code, -32000);
  });

  it('answers the debug methods without failing', async () => {
    equal((await node.rpc('zgs_getHashAtNodeIndex', [3])).result, null);
    equal((await node.rpc('zgs_getDataByNodeIndex', [3])).result, null);
    equal(typeof (await node.rpc('zgs_getMetaDataByNodeIndex', [3])).result, 'string');
  });

  it('answers a batch whose replies are too many with -32702', async () => {
    const call = { jsonrpc: '2.0', method: 'zgs_downloadSegmentWithProof', params: [file.root, 0] };
    const batch = Array.from({ length: 40 }, (_, id) => ({ ...call, id }));
    const { status, text } = await node.post(JSON.stringify(batch));
    equal(status, 200);
    const reply = JSON.parse(text);
    equal(reply.error.code, -32702);
    equal(reply.error.message, 'Response is too big');
    ok(reply.id === null);
  });
});
