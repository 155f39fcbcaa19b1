import { deepEqual, equal, ok } from 'node:assert/strict';
import { MIB } from '@cairn/primitives';
import { TestNode, testFile, until, zgSegment } from '../harness.ts';

const SEGMENT = 262_144;

describe('many requests at once', () => {
  it('stores 60 parallel uploads of one file within a small budget of memory', async () => {
    // The smallest budget holds three bodies at a time; all others wait on their sockets.
    const node = await TestNode.start({ limits: { bodyBudgetBytes: MIB } });
    try {
      const file = await testFile(60 * SEGMENT, 101);
      const [sequence = -1] = await node.announce(file);
      const outcomes = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          node.rpc('zgs_uploadSegmentsByTxSeq', [[zgSegment(file, index)], sequence]),
        ),
      );
      for (const { status, error, result } of outcomes) {
        deepEqual([status, error, result], [200, undefined, null]);
      }
      await until(async () => (await node.rpc('zgs_checkFileFinalized', [sequence])).result);
      const { result } = await node.rpc('zgs_downloadSegmentWithProofByTxSeq', [sequence, 59]);
      deepEqual(result, zgSegment(file, 59));
    } finally {
      await node.remove();
    }
  });

  it('says "too many data writing" only when the queue itself is full', async () => {
    const node = await TestNode.start({
      limits: { bodyBudgetBytes: MIB, queuedWrites: 1, concurrentWrites: 1 },
    });
    try {
      const file = await testFile(30 * SEGMENT, 102);
      const [sequence = -1] = await node.announce(file);
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          node.rpc('zgs_uploadSegmentByTxSeq', [zgSegment(file, index), sequence]),
        ),
      );
      const refused = outcomes.filter(({ error }) => error !== undefined);
      ok(refused.length > 0 && refused.length < 30, `${refused.length} refused`);
      for (const { status, error } of refused) {
        equal(status, 200);
        equal(error.code, -32000);
        ok(error.message.startsWith('too many data writing'), error.message);
      }
    } finally {
      await node.remove();
    }
  });

  it('serves 40 parallel downloads', async () => {
    const node = await TestNode.start();
    try {
      const file = await testFile(4 * SEGMENT, 103);
      const [sequence = -1] = await node.announce(file);
      await node.upload(file, sequence);
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async (_, at) => {
          const reply = await node.get(`/v1/segments/${file.root}/${at % 4}`);
          await reply.arrayBuffer();
          return reply.status;
        }),
      );
      ok(statuses.every((status) => status === 200));
    } finally {
      await node.remove();
    }
  });
});
