import { deepEqual, equal } from 'node:assert/strict';
import { loadHasher, type VerifiedSegment, verifySegment } from '@cairn/commitments';
import type { LogEntry } from '@cairn/log-layer';
import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { silentLogger, systemClock } from '@cairn/primitives';
import { parseSegmentMessage } from '@cairn/wire-protocol';
import { BodyGate } from '../src/body-gate.ts';
import { RunMemory } from '../src/doors/run-memory.ts';
import { segmentDoors } from '../src/doors/segments.ts';
import { segmentMessage, type TestFile, testFile } from './harness.ts';
import { CHAIN_ID } from './scripted-chain.ts';

const SEGMENT = 262_144;
const SEQUENCE = 5;

describe('replies with segments', () => {
  let host: HttpHost;
  let file: TestFile;
  const counted: number[] = [];

  before(async () => {
    file = await testFile(4 * SEGMENT, 75);
    const hasher = await loadHasher();
    const held: VerifiedSegment[] = [0, 1, 2].map((index) => {
      const { segment } = parseSegmentMessage(segmentMessage(file, index, SEQUENCE));
      return verifySegment(segment, hasher);
    });
    const entry = { root: file.root, sequence: SEQUENCE, sizeBytes: 4 * SEGMENT } as LogEntry;
    host = createHttpHost({
      name: 'segments',
      version: '0',
      logger: silentLogger(),
      metrics: createMetrics({ processMetrics: false }),
      routes: [
        segmentDoors({
          chainId: CHAIN_ID,
          finder: { find: async () => ({ entry, state: 'finalized' }) } as never,
          acceptor: { accept: async () => 'stored' },
          reader: {
            read: async (_, index) => held[index],
            readRun: async (_, { first, count }) => held.slice(first, first + count),
          },
          runMemory: new RunMemory(),
          unsent: { add: (_, bytes) => void counted.push(bytes) },
          hasher,
          gate: new BodyGate({ clock: systemClock() }, { budgetBytes: 1, maxWaiting: 1 }),
          stopping: new AbortController().signal,
        }),
      ],
    });
    await host.start();
  });
  after(() => host.stop());
  beforeEach(() => {
    counted.length = 0;
  });

  const get = (path: string): Promise<Response> =>
    fetch(`${host.address.url}/v1/segments/${file.root}/${path}`);

  it('are counted with all their bytes until they are sent, single ones and runs', async () => {
    for (const path of ['0', `1?seq=${SEQUENCE}`, '0?count=3']) {
      const reply = await get(path);
      equal(reply.status, 200);
      const { byteLength } = await reply.arrayBuffer();
      equal(reply.headers.get('content-length'), String(byteLength));
      deepEqual(counted.splice(0), [byteLength], path);
    }
  });

  it('are kept for long only if they hold all that was asked for', async () => {
    const kept = async (path: string) => (await get(path)).headers.get('cache-control');
    equal(await kept(`0?seq=${SEQUENCE}`), 'public, max-age=31536000');
    equal(await kept(`0?seq=${SEQUENCE}&count=3`), 'public, max-age=31536000');
    equal(await kept(`1?seq=${SEQUENCE}&count=8`), 'no-store', 'segment 3 may come');
    equal(await kept('0?count=3'), 'public, max-age=60');
  });
});
