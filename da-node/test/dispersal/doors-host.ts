import { createHttpHost, type HttpHost } from '@cairn/node-runtime/http';
import { createMetrics } from '@cairn/node-runtime/observe';
import { MIB, silentLogger, systemClock } from '@cairn/primitives';
import { ByteBudget } from '../../src/byte-budget.ts';
import { describeProblem } from '../../src/doors/describe-problem.ts';
import { opStackDoors } from '../../src/doors/op-stack/op-stack-doors.ts';
import type { PayloadReader } from '../../src/doors/read-payload.ts';
import { blobDoors } from '../../src/doors/rest/blob-doors.ts';
import { readBlob } from '../../src/retriever/read-blob.ts';
import { NETWORK } from './committee.ts';
import type { RunningDisperser, TestQuorum } from './harness.ts';

/** What of the doors a test puts in the place of the usual. */
export interface DoorParts {
  readonly replies?: ByteBudget;
  readonly arriving?: ByteBudget;
  readonly reader?: PayloadReader;
}

/** Both doors of a running disperser on one socket. */
export async function openDoors(
  quorum: TestQuorum,
  { disperser }: RunningDisperser,
  putTimeoutMs = 3000,
  parts: DoorParts = {},
): Promise<HttpHost> {
  const retriever = await quorum.reader();
  const clock = systemClock();
  const deps = {
    disperser,
    replies: parts.replies ?? new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 64 }),
    reader: (...[wanted, options]: Parameters<PayloadReader>) =>
      parts.reader?.(wanted, options) ?? readBlob(wanted, retriever, options),
    intake: {
      budget: parts.arriving ?? new ByteBudget({ maxBytes: 512 * MIB, maxWaiting: 64 }),
      clock,
    },
    clock,
    stopping: new AbortController().signal,
    getTimeoutMs: 1000,
  };
  const place = { chainId: NETWORK.entrance.chainId, shardId: NETWORK.shardId };
  const host = createHttpHost({
    name: 'doors under test',
    version: '0.0.0',
    logger: silentLogger(),
    metrics: createMetrics(),
    limits: { drainMs: 200 },
    describeProblem,
    routes: [
      blobDoors({ ...deps, place }),
      opStackDoors({ ...deps, shardId: NETWORK.shardId, putTimeoutMs }),
    ],
  });
  await host.start();
  return host;
}
