import { deepEqual, equal, ok } from 'node:assert/strict';
import { TestNode, testFile, zgSegment } from './harness.ts';

describe('uploads by 0G clients', () => {
  let node: TestNode;
  before(async () => {
    node = await TestNode.start();
  });
  after(() => node.remove());

  it('stores a file of one segment and finalises it', async () => {
    const file = await testFile(300, 11);
    const [sequence = -1] = await node.announce(file);
    const before = (await node.rpc('zgs_getFileInfo', [file.root, true])).result;
    equal(before.finalized, false);
    equal(before.uploadedSegNum, 0);
    deepEqual((await node.rpc('zgs_uploadSegmentByTxSeq', [zgSegment(file, 0), sequence])).result, null);
    const { result } = await node.rpc('zgs_getFileInfo', [file.root, true]);
    ok(result.finalized);
  });
});
