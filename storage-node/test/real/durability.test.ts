import { deepEqual, equal, ok } from 'node:assert/strict';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isFault, silentLogger } from '@cairn/primitives';
import { adjustableLogger } from '../../src/adjustable-logger.ts';
import { createStorageNode } from '../../src/create-storage-node.ts';
import { TestNode, testConfig, testFile, until, zgSegment } from '../harness.ts';

const SEGMENT = 262_144;

describe('what a node has acknowledged', () => {
  let node: TestNode;
  beforeEach(async () => {
    node = await TestNode.start();
  });
  afterEach(() => node.remove());

  const finalized = async (root: string): Promise<boolean> =>
    (await node.rpc('zgs_checkFileFinalized', [root])).result === true;

  it('is there after a restart, as is progress', async () => {
    const [whole, part] = [await testFile(SEGMENT + 9, 81), await testFile(3 * SEGMENT, 82)];
    const [first = -1, second = -1] = await node.announce(whole, part);
    await node.upload(whole, first);
    await node.put(part, 1, second);
    await node.restart();
    ok(await finalized(whole.root));
    const { result } = await node.rpc('zgs_downloadSegmentWithProof', [whole.root, 1]);
    deepEqual(result, zgSegment(whole, 1));
    equal((await node.rpc('zgs_getFileInfoByTxSeq', [second])).result.uploadedSegNum, 1);
    await node.upload(part, second);
    ok(await finalized(part.root));
    await until(async () => (await node.get('/health/ready')).status === 200);
  });

  it('is not served once damaged on disk; uploading again repairs it', async () => {
    const file = await testFile(2 * SEGMENT, 83);
    const [sequence = -1] = await node.announce(file);
    await node.upload(file, sequence);
    const { startEntryIndex } = (await node.rpc('zgs_getFileInfoByTxSeq', [sequence])).result.tx;
    await flipBit(node.directory, startEntryIndex * 256 + SEGMENT + 77);
    const read = async (): Promise<unknown> =>
      (await node.rpc('zgs_downloadSegmentWithProofByTxSeq', [sequence, 1])).result;
    equal(await read(), null);
    equal((await node.get(`/v1/segments/${file.root}/1`)).status, 404);
    equal(await finalized(file.root), false);
    deepEqual(
      (await node.rpc('zgs_downloadSegmentWithProofByTxSeq', [sequence, 0])).result,
      zgSegment(file, 0),
    );
    equal((await node.put(file, 1, sequence)).status, 204);
    deepEqual(await read(), zgSegment(file, 1));
    await until(() => finalized(file.root));
  });
});

describe('a full disk', () => {
  it('turns uploads away with 507 and a sentence, and takes them again by itself', async () => {
    let freeBytes = 10 ** 9;
    let attempts = 0;
    const node = await TestNode.start({
      storage: { reserveBytes: 1000 },
      node: { freeBytes: async () => freeBytes },
    });
    try {
      const file = await testFile(200 * 256, 84);
      const [sequence = -1] = await node.announce(file);
      equal((await node.put(file, 0, sequence)).status, 204);
      freeBytes = 999;
      // The last look may be a second old, so some more uploads can slip through: each its own file.
      let refused = file;
      await until(async () => {
        refused = await testFile(300, 8400 + attempts);
        attempts += 1;
        await node.announce(refused);
        return (await node.put(refused, 0)).status === 507;
      });
      const { error } = await node.rpc('zgs_uploadSegments', [[zgSegment(refused, 0)]]);
      equal(error.code, -32000);
      ok(error.message.includes('999 bytes free'), error.message);
      equal((await node.get(`/v1/segments/${file.root}/0`)).status, 200, 'reads go on');
      equal((await node.get('/version')).status, 200);
      const { ready, reasons } = await node.json('/health/ready');
      equal(ready, true, 'it can be asked for what it has');
      ok(String(reasons).includes('999 bytes free'), String(reasons));
      freeBytes = 10 ** 9;
      await until(async () => (await node.put(refused, 0)).status === 204);
      deepEqual((await node.json('/health/ready')).reasons, []);
    } finally {
      await node.remove();
    }
  });
});

describe('a data directory', () => {
  const refusal = async (options: Parameters<typeof testConfig>, node: TestNode) => {
    const other = createStorageNode({
      config: testConfig(...options),
      log: adjustableLogger(silentLogger(), 'info'),
      chain: {
        chainLog: node.chain,
        headOf: async () => 0,
        close: async () => undefined,
      },
    });
    try {
      await other.start({ signal: new AbortController().signal });
    } catch (error) {
      return isFault(error) ? error.code : String(error);
    } finally {
      await other.stop();
    }
    return 'started';
  };

  it('belongs to one process and one log', async () => {
    const node = await TestNode.start();
    try {
      equal(await refusal([node.directory], node), 'DIRECTORY_LOCKED');
      await node.stop();
      Object.assign(node.chain, { flow: `0x${'aa'.repeat(20)}` });
      equal(await refusal([node.directory], node), 'NODE_IDENTITY');
      Object.assign(node.chain, { chainId: 5 });
      equal(await refusal([node.directory], node), 'WRONG_CHAIN');
    } finally {
      await node.remove();
    }
  });
});

async function flipBit(directory: string, position: number): Promise<void> {
  const [name = ''] = await readdir(join(directory, 'segments'));
  const handle = await open(join(directory, 'segments', name), 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    await handle.write(byte, 0, 1, position);
  } finally {
    await handle.close();
  }
}
